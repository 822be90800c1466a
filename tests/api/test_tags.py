"""What is read again, what is changed only where it is what was shown, and what is left out."""

import pytest
from rest_framework.test import APIClient

from ingestion_app.models import Batch
from ledger_app.models import Account, Period
from tests.api.conftest import ClientOf, act, is_problem, upload
from tests.support.api_doors import doors
from tests.support.world import World, card_file

BATCHES, PERIODS, ACCOUNTS = "/api/v1/batches/", "/api/v1/periods/", "/api/v1/accounts/"


@pytest.fixture
def batch(engineer_client: APIClient) -> int:
    return int(upload(engineer_client, card_file()).json()["batch"]["id"])


def first_account() -> int:
    return Account.objects.earliest("id").pk


def test_what_has_not_changed_is_not_sent_again(world: World, engineer_client: APIClient, batch: int) -> None:
    for address in (
        f"{BATCHES}{batch}/",
        BATCHES,
        f"{BATCHES}{batch}/progress/",
        ACCOUNTS,
        f"{ACCOUNTS}{first_account()}/lines/",
    ):
        first = engineer_client.get(address)
        tag = first["ETag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}'):
            again = engineer_client.get(address, headers={"If-None-Match": given})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag), address
        other = engineer_client.get(address, headers={"If-None-Match": '".0"'})
        assert (other.status_code, other.content) == (200, first.content)
    tag = engineer_client.get(f"{BATCHES}{batch}/")["ETag"]
    assert tag.startswith('"1.')
    act(engineer_client, batch, "withdraw", version=1, reason="Not this one.")
    moved = engineer_client.get(f"{BATCHES}{batch}/", headers={"If-None-Match": tag})
    assert moved.status_code == 200
    assert moved["ETag"].startswith('"2.')


def test_a_tag_opens_nothing_to_who_may_not_read(client_of: ClientOf, engineer_client: APIClient, batch: int) -> None:
    tag = engineer_client.get(f"{BATCHES}{batch}/")["ETag"]
    assert is_problem(client_of(None).get(f"{BATCHES}{batch}/", headers={"If-None-Match": tag}), 401, "not_authenticated")


def test_a_tag_says_the_version_that_was_shown(world: World, finance_client: APIClient) -> None:
    period = world.opened[0]
    at = f"{PERIODS}{period.pk}/"
    tag = finance_client.get(at)["ETag"]
    assert is_problem(finance_client.post(f"{at}transitions/provisional/", {}), 400, "shape_invalid")
    done = finance_client.post(f"{at}transitions/provisional/", {}, headers={"If-Match": tag})
    assert (done.status_code, done.json()["state"]) == (200, "provisional")
    moved = finance_client.post(f"{at}transitions/reopen/", {"reason": "x"}, headers={"If-Match": tag})
    assert is_problem(moved, 412, "stale")
    assert Period.objects.get(pk=period.pk).state == "provisional"
    weak = "W/" + finance_client.get(at)["ETag"]
    assert finance_client.post(f"{at}transitions/reopen/", {"reason": "x"}, headers={"If-Match": weak}).json()["state"] == "open"


def test_a_tag_that_lacks_a_version_or_says_another_than_the_body_is_refused(
    world: World, finance_client: APIClient, engineer_client: APIClient, batch: int
) -> None:
    at = f"{PERIODS}{world.opened[0].pk}/transitions/provisional/"
    tag = finance_client.get(f"{PERIODS}{world.opened[0].pk}/")["ETag"]
    account = finance_client.get(f"{ACCOUNTS}{first_account()}/")["ETag"]
    for given in ("*", "1", '"1"', f"{tag}, {tag}", "", account.replace('"1.', '".')):
        assert is_problem(finance_client.post(at, {}, headers={"If-Match": given}), 400, "shape_invalid")
    assert is_problem(finance_client.post(at, {"version": 2}, headers={"If-Match": tag}), 400, "shape_invalid")
    assert Period.objects.get(pk=world.opened[0].pk).version == 1
    # Who lacks the right is told so, and not that it has moved on.
    gone = tag.replace('"1.', '"9.')
    assert is_problem(engineer_client.post(at, {}, headers={"If-Match": gone}), 403, "not_permitted")
    assert is_problem(act_with_tag(engineer_client, batch, gone), 412, "stale")
    assert Batch.objects.get(pk=batch).state == "received"


def act_with_tag(client: APIClient, batch: int, tag: str) -> object:
    return client.post(f"{BATCHES}{batch}/transitions/withdraw/", {"reason": "x"}, headers={"If-Match": tag})


def test_an_address_that_takes_no_version_takes_no_tag(finance_client: APIClient) -> None:
    found = finance_client.post("/api/v1/merges/preview/", {}, headers={"If-Match": f'"1.{"0" * 32}"'})
    assert is_problem(found, 400, "shape_invalid")
    assert "version" in [fault["field"] for fault in found.json()["faults"]]


def test_only_the_fields_that_are_wanted_are_sent(world: World, engineer_client: APIClient, batch: int) -> None:
    for address in (f"{BATCHES}{batch}/", f"{ACCOUNTS}{first_account()}/", f"{PERIODS}{world.opened[0].pk}/"):
        whole = engineer_client.get(address).json()
        for names in (["id"], ["version", "id"], list(whole)[:3]):
            found = engineer_client.get(address, {"fields": ",".join(names)}).json()
            assert found == {name: whole[name] for name in whole if name in names}, address
    rows = engineer_client.get(ACCOUNTS, {"fields": "code,id", "page_size": "2", "book": "CARD"}).json()
    assert [set(row) for row in rows["results"]] == [{"code", "id"}] * 2
    assert "fields=code" in rows["next"]
    following = engineer_client.get(rows["next"]).json()
    assert set(following["results"][0]) == {"code", "id"}


@pytest.mark.parametrize("said", ["", "id,", ",", "id,id", "ID", "id version", "secret", "id,password", "__class__", "id\x00"])
def test_a_field_that_is_not_there_is_refused(engineer_client: APIClient, batch: int, said: str) -> None:
    for address in (BATCHES, f"{BATCHES}{batch}/"):
        assert is_problem(engineer_client.get(address, {"fields": said}), 400, "shape_invalid")
        assert is_problem(engineer_client.get(f"{address}?fields=id&fields=state"), 400, "shape_invalid")


def test_fields_are_refused_where_they_narrow_nothing(engineer_client: APIClient, batch: int) -> None:
    for part in ("progress", "findings", "status"):
        assert is_problem(engineer_client.get(f"{BATCHES}{batch}/{part}/", {"fields": "id"}), 400, "shape_invalid")
    assert is_problem(act(engineer_client, batch, "withdraw", version=1, fields="id"), 400, "shape_invalid")


def test_every_list_and_every_row_takes_fields() -> None:
    sparse = [door.name for door in doors() if door.view.is_sparse()]
    assert len(sparse) > 30
    assert [door.name for door in doors() if door.method == "POST" and door.view.is_sparse()] == []
