"""Members by the API: found, named, merged, and their accounts suspended and closed."""

import pytest
from rest_framework.test import APIClient

from ledger_app.books.operations import books
from ledger_app.books.operations.books import MemberOpening
from ledger_app.models import Account, Identifier, Merge
from tests.api.conftest import ClientOf, is_problem
from tests.support.world import World

CARD = "4111111111111111"


@pytest.fixture
def support_client(world: World, client_of: ClientOf) -> APIClient:
    books.open_members(
        openings=[
            MemberOpening(f"77{number:02}", (), name=f"Sato {number}", card_tokens=(f"tok-{number}",)) for number in range(5)
        ],
        caller=world.caller(),
    )
    return client_of(world.support)


def find(client: APIClient, text: str, **more: object) -> tuple[str, list[str], str]:
    answer = client.post("/api/v1/members/find/", {"text": text, **more}, format="json").json()
    return answer["by"], [match["value"] for match in answer["matches"]], answer["after"]


def test_members_are_found_by_any_identifier_whole_before_by_its_beginning(support_client: APIClient, world: World) -> None:
    holder = Identifier.objects.get(value="7701").holder_id
    given = {"kind": "card_number", "value": "4111 1111 1111 1111", "reason": "New card."}
    assert support_client.post(f"/api/v1/members/{holder}/identifiers/", given).json()["value"] == "•••• 1111"
    assert find(support_client, "7701") == ("exact", ["7701"], "")
    assert find(support_client, "tok-3") == ("exact", ["tok-3"], "")
    assert find(support_client, CARD) == ("exact", ["•••• 1111"], "")
    assert find(support_client, "１１１１") == ("last_four", ["•••• 1111"], "")
    assert find(support_client, "*1111") == ("last_four", ["•••• 1111"], "")
    assert find(support_client, "770") == ("prefix", ["7700", "7701", "7702", "7703", "7704"], "")
    assert find(support_client, "Sato") == ("name", [f"Sato {number}" for number in range(5)], "")
    assert find(support_client, "Nobody")[1] == []
    answer = support_client.post("/api/v1/members/find/", {"text": "77", "by": "prefix"})
    assert is_problem(answer, 409, "search_too_short")


@pytest.mark.parametrize(("text", "by"), [("770", "prefix"), ("Sato", "name")])
def test_pages_of_a_search_hold_everybody_once(support_client: APIClient, text: str, by: str) -> None:
    values: list[str] = []
    after = ""
    for _ in range(4):
        _by, page, after = find(support_client, text, by=by, after=after, most=2)
        values += page
        if not after:
            break
    assert (len(values), len(set(values))) == (5, 5)


def test_a_merge_is_proposed_and_decided_by_another_who_names_what_was_shown(
    support_client: APIClient, finance_client: APIClient, world: World
) -> None:
    world.applied()
    gone, stays = (Identifier.objects.get(value=number).holder_id for number in ("1001", "1002"))
    said = {"holder": gone, "survivor": stays, "effective_on": "2017-02-03", "reason": "One."}
    before = support_client.post("/api/v1/merges/preview/", said).json()
    itself = support_client.post("/api/v1/merges/preview/", {**said, "survivor": gone}).json()
    assert (before["refusals"], [each["code"] for each in itself["refusals"]]) == ([], ["merge_into_itself"])
    assert not Merge.objects.exists()
    made = support_client.post("/api/v1/merges/", said)
    assert (made.status_code, made.json()["plan_now"]) == (201, before["plan_now"]), made.json()
    address = f"/api/v1/merges/{made.json()['id']}/"
    assert is_problem(support_client.post(f"{address}transitions/approve/", {"plan": made.json()["plan"]}), 403, "not_permitted")
    assert is_problem(finance_client.post(f"{address}transitions/approve/", {"plan": "0" * 64}), 409, "merge_moved")
    shown = finance_client.get(address).json()
    assert next(offer for offer in shown["offers"] if offer["name"] == "approve")["is_free"]
    done = finance_client.post(f"{address}transitions/approve/", {"plan": shown["plan"], "version": shown["version"]}).json()
    assert (done["state"], done["decided_digest"]) == ("done", shown["plan"])
    member = support_client.get(f"/api/v1/members/{gone}/").json()
    assert (member["merged_into"], member["remains"], member["identifiers"]) == (stays, stays, [])
    undoing = support_client.post(
        "/api/v1/merges/", {"undoes": done["id"], "effective_on": "2017-02-03", "reason": "Two."}
    ).json()
    assert {(each["role"], each["amount"]) for each in undoing["plan_now"]["moves"]} == {("points", 1), ("receivable", 249)}
    assert is_problem(support_client.post("/api/v1/merges/", {"holder": gone, "reason": "x"}), 400, "shape_invalid")


def test_accounts_are_suspended_by_support_and_closed_by_finance(
    support_client: APIClient, finance_client: APIClient, world: World
) -> None:
    address = f"/api/v1/accounts/{Account.objects.get(code='receivable.1001').pk}/"
    assert (
        support_client.post(f"{address}transitions/suspend/", {"reason": "Asked.", "version": 1}).json()["state"] == "suspended"
    )
    assert is_problem(support_client.post(f"{address}transitions/close/", {"reason": "Asked."}), 403, "not_permitted")
    assert is_problem(finance_client.post(f"{address}transitions/close/", {}), 409, "reason_required")
    closed = finance_client.post(f"{address}transitions/close/", {"reason": "Asked.", "version": 2}).json()
    assert (closed["state"], closed["offers"]) == ("closed", [])
    identifier = Identifier.objects.get(value="tok-1")
    end = f"/api/v1/members/{identifier.holder_id}/identifiers/end/"
    asked = {"identifier": identifier.pk, "active_to": "2017-02-01", "reason": "Lost."}
    for answer in ("ended", "already"):
        told = support_client.post(end, asked).json()
        assert (told["active_to"], told["answer"]) == ("2017-02-01", answer)
