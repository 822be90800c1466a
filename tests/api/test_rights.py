"""Who may do what through the API: everyone who works here reads, the operations decide the rest."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from ledger_app.models import AuditRow, User
from tests.api.conftest import ClientOf, act, is_problem, upload
from tests.conftest import UserMaker
from tests.support import world as worlds
from tests.support.world import World

ROLES = ("support", "finance", "engineer", "auditor")


@pytest.fixture
def of_role(world: World, make_user: UserMaker, client_of: ClientOf) -> Callable[[str], APIClient]:
    """Return a function that makes the client of somebody of a role who has had no hand in anything yet."""
    return lambda role: client_of(make_user(f"{role}-9", role))


def addresses(world: World) -> list[str]:
    """Return every address that is read."""
    batch = world.applied()
    chunk = batch.chunks.first()
    assert chunk is not None
    posting = world.card.entries.first()
    account = world.card.accounts.first()
    assert posting is not None
    assert account is not None
    return [
        "books/",
        "books/CARD/",
        "accounts/",
        f"accounts/{account.pk}/",
        f"accounts/{account.pk}/lines/",
        f"accounts/{account.pk}/lots/?open=true",
        f"accounts/{account.pk}/due/?by=2017-12-31",
        "books/CARD/due/?by=2017-12-31",
        "holds/",
        "entries/",
        f"entries/{posting.pk}/",
        "periods/",
        f"periods/{world.opened[0].pk}/",
        "batches/",
        f"batches/{batch.pk}/",
        f"batches/{batch.pk}/progress/",
        f"batches/{batch.pk}/status/",
        f"batches/{batch.pk}/findings/",
        f"batches/{batch.pk}/records/",
        f"batches/{batch.pk}/chunks/",
        f"chunks/{chunk.pk}/",
        "schema/",
        "docs/",
    ]


def test_every_role_reads_everything(world: World, of_role: Callable[[str], APIClient]) -> None:
    read = addresses(world)
    for role in ROLES:
        client = of_role(role)
        assert {client.get(f"/api/v1/{address}").status_code for address in read} == {200}


def test_a_stranger_reads_nothing(world: World, client_of: ClientOf) -> None:
    client = client_of(None)
    for address in [*addresses(world), "nowhere/"]:
        response = client.get(f"/api/v1/{address}")
        assert is_problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == "Token"


def test_a_user_without_rights_reads_nothing(world: World, client_of: ClientOf, outsider: User) -> None:
    client = client_of(outsider)
    for address in addresses(world):
        if address not in {"schema/", "docs/"}:
            assert is_problem(client.get(f"/api/v1/{address}"), 403, "not_permitted")


def test_the_right_to_one_thing_does_not_show_another(world: World, client_of: ClientOf, outsider: User) -> None:
    outsider.user_permissions.add(*Permission.objects.filter(codename__in=["view_account", "view_batch", "view_entry"]))
    client = client_of(outsider)
    batch = world.applied()
    for address in ("accounts/", "entries/", "batches/", f"batches/{batch.pk}/records/", f"batches/{batch.pk}/findings/"):
        assert is_problem(client.get(f"/api/v1/{address}"), 403, "not_permitted")


def test_a_token_of_somebody_who_left_opens_nothing(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    User.objects.filter(pk=world.engineer.pk).update(is_active=False)
    assert is_problem(client.get("/api/v1/books/"), 401, "authentication_failed")


Attempt = tuple[str, Callable[[World], Callable[[APIClient], Any]], str]


def receive(_world: World) -> Callable[[APIClient], Any]:
    return lambda client: upload(client, worlds.card_file())


def step(prepare: Callable[[World], Any], name: str, **body: Any) -> Callable[[World], Callable[[APIClient], Any]]:
    """Return what prepares a batch and asks for a transition of it."""

    def prepared(world: World) -> Callable[[APIClient], Any]:
        batch = prepare(world)
        if name == "approve":
            body["plan"] = bytes(batch.plan_digest).hex()
        return lambda client: act(client, batch.pk, name, **body)

    return prepared


def of_period(name: str, state: str = "open", **body: Any) -> Callable[[World], Callable[[APIClient], Any]]:
    """Return what prepares a period and asks for a transition of it."""

    def prepared(world: World) -> Callable[[APIClient], Any]:
        period = world.opened[0]
        type(period).objects.filter(pk=period.pk).update(state=state)
        return lambda client: client.post(f"/api/v1/periods/{period.pk}/transitions/{name}/", body)

    return prepared


ACTS = {
    "receive": (receive, "engineer"),
    "validate": (step(lambda world: world.receive(), "validate"), "engineer"),
    "approve": (step(lambda world: world.validated(), "approve"), "finance"),
    "apply": (step(lambda world: world.approved(), "apply"), "engineer"),
    "withdraw": (step(lambda world: world.validated(), "withdraw", reason="Sent by mistake."), "engineer"),
    "freeze a batch": (step(lambda world: world.applied(), "freeze"), "finance"),
    "provisional": (of_period("provisional", version=1), "finance"),
    "reopen": (of_period("reopen", "provisional", reason="A late file.", version=1), "finance"),
    "freeze a period": (of_period("freeze", controls={"debits": 0}), "finance"),
}


@pytest.mark.parametrize("name", ACTS)
def test_only_the_role_that_the_design_names_acts(
    world: World, of_role: Callable[[str], APIClient], client_of: ClientOf, name: str
) -> None:
    prepare, who = ACTS[name]
    attempt = prepare(world)
    assert is_problem(attempt(client_of(None)), 401, "not_authenticated")
    for role in ROLES:
        if role != who:
            assert is_problem(attempt(of_role(role)), 403, "not_permitted")
    assert attempt(of_role(who)).status_code in {200, 201, 202}


def test_a_session_acts_only_with_its_token_against_forgery(world: World) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.engineer)
    assert client.get("/api/v1/books/").status_code == 200
    batch = world.receive()
    assert is_problem(act(client, batch.pk, "validate"), 403, "not_permitted")
    assert is_problem(upload(client, worlds.card_file(sequence=2)), 403, "not_permitted")


def test_what_the_api_refuses_is_kept_whether_an_operation_saw_it_or_not(
    world: World, of_role: Callable[[str], APIClient]
) -> None:
    holder = world.card.accounts.filter(holder__isnull=False).values_list("holder_id", flat=True)[0]
    body = {"kind": "card_token", "value": "t-1", "reason": "x"}
    stranger, support = of_role("auditor"), of_role("support")
    assert stranger.post(f"/api/v1/members/{holder}/identifiers/", body, format="json").status_code == 403
    assert support.post("/api/v1/holds/", {"account": 1, "target": 2}, format="json").status_code >= 400
    refused = upload(support, b"x", name="no-such.csv", source="nobody")
    assert refused.status_code >= 400
    found = list(AuditRow.objects.filter(outcome="refused").values_list("actor__username", "door"))
    assert ("auditor-9", "api") in found
    assert ("support-9", "api") in found
    # Looking leaves nothing, and each refusal one row.
    assert len(found) == len(set(AuditRow.objects.filter(outcome="refused").values_list("id")))
    assert support.get("/api/v1/members/999999/").status_code == 404
    assert AuditRow.objects.filter(outcome="refused").count() == len(found)
