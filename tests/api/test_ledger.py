"""Books, accounts, entries and periods as the API shows them, and a period that is frozen through it."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from ledger_app.models import Account, AuditRow, Entry, Period, Seal
from tests.api.conftest import ClientOf, is_problem, work
from tests.support.world import World


def results(client: APIClient, address: str, **query: Any) -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/{address}/", query)
    assert response.status_code == 200, response.json()
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


def test_books_are_listed_and_found_by_code(world: World, finance_client: APIClient) -> None:
    assert [row["code"] for row in results(finance_client, "books")] == ["POINTS", "CARD"]
    assert finance_client.get("/api/v1/books/CARD/").json() == {
        "code": "CARD",
        "name": "Card",
        "unit": "USD",
        "exponent": 2,
        "time_zone": "UTC",
    }
    assert is_problem(finance_client.get("/api/v1/books/card/"), 404, "not_found")


def test_a_balance_is_signed_and_natural_and_the_sum_of_its_stripes(world: World, finance_client: APIClient) -> None:
    world.applied()
    (settlement,) = results(finance_client, "accounts", book="CARD", code="settlement.31")
    assert settlement["balance"] == {"amount": -12845, "natural": 12845}
    assert settlement["stripes"] == 4
    assert settlement["holder"] is None
    (receivable,) = results(finance_client, "accounts", book="CARD", member="1001")
    assert receivable["balance"] == {"amount": 249, "natural": 249}
    assert receivable["holder"]["member_numbers"] == ["1001"]
    shown = finance_client.get(f"/api/v1/accounts/{receivable['id']}/").json()
    assert [offer["name"] for offer in shown.pop("offers")] == ["suspend", "reopen", "close"]
    assert shown == receivable


def test_accounts_are_found_by_role_and_member(world: World, finance_client: APIClient) -> None:
    assert {row["role"] for row in results(finance_client, "accounts", role="points")} == {"points"}
    assert {row["book"] for row in results(finance_client, "accounts", member="1002")} == {"CARD", "POINTS"}
    assert results(finance_client, "accounts", member="nobody") == []
    assert is_problem(finance_client.get("/api/v1/accounts/", {"book": "CRAD"}), 404, "not_found")
    assert is_problem(finance_client.get("/api/v1/accounts/", {"bok": "CARD"}), 400, "shape_invalid")
    assert is_problem(finance_client.get("/api/v1/accounts/?book=CARD&book=POINTS"), 400, "shape_invalid")


def test_the_lines_of_an_account_follow_from_each_other(world: World, finance_client: APIClient) -> None:
    world.applied()
    account = Account.objects.get(code="receivable.1001")
    lines = results(finance_client, f"accounts/{account.pk}/lines")
    assert [(line["sequence"], line["amount"], line["balance_after"]) for line in lines] == [(2, 99, 249), (1, 150, 150)]
    assert lines[0]["reference"] == Entry.objects.get(pk=lines[0]["entry"]).reference


def test_an_entry_shows_its_lines_and_where_it_comes_from(world: World, finance_client: APIClient) -> None:
    batch = world.applied()
    (row,) = results(finance_client, "entries", book="CARD", reference="till:s1")
    shown = finance_client.get(f"/api/v1/entries/{row['id']}/").json()
    assert shown["debits"] == 150
    assert [(line["account_code"], line["amount"]) for line in shown["lines"]] == [
        ("receivable.1001", 150),
        ("settlement.31", -150),
    ]
    assert (shown["origin"]["kind"], shown["origin"]["posted_by"]) == ("chunk", "erika")
    assert shown["reverses"] is None
    assert shown["reversed_by"] is None
    assert finance_client.get(f"/api/v1/chunks/{shown['origin']['id']}/").json()["batch"] == batch.pk
    of_chunk = results(finance_client, "entries", origin_kind="chunk", origin_id=shown["origin"]["id"])
    assert row in of_chunk


def test_entries_are_found_by_date_with_both_ends(world: World, finance_client: APIClient) -> None:
    world.applied()
    last = results(finance_client, "entries", book="CARD", effective_from="2017-01-31", effective_to="2017-01-31")
    assert [row["effective_on"] for row in last] == ["2017-01-31"]
    assert len(results(finance_client, "entries", book="CARD", effective_to="2017-01-30")) == 6
    for query in ({"effective_from": "31/01/2017"}, {"effective_from": "2017-1-31"}, {"origin_id": "1"}, {"origin_id": "x"}):
        assert is_problem(finance_client.get("/api/v1/entries/", query), 400, "shape_invalid")


def freeze(client: APIClient, period: Period, body: str | dict[str, Any]) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.generic("POST", f"/api/v1/periods/{period.pk}/transitions/freeze/", text, content_type="application/json")


def test_a_period_is_frozen_when_the_totals_held_elsewhere_match(world: World, finance_client: APIClient) -> None:
    batch = world.applied()
    period = world.opened[0]
    shown = finance_client.get(f"/api/v1/periods/{period.pk}/").json()
    assert shown["control_names"] == ["debits", "entries", "receivable", "settlement"]
    blockers = {offer["name"]: [reason["code"] for reason in offer["reasons"]] for offer in shown["offers"]}
    assert blockers == {"provisional": [], "reopen": ["wrong_state"], "freeze": ["work_unfinished"]}
    assert is_problem(freeze(finance_client, period, {"controls": {"debits": 14644}}), 409, "work_unfinished")
    world.freeze(batch)

    assert is_problem(freeze(finance_client, period, {"controls": {}}), 409, "control_missing")
    assert is_problem(freeze(finance_client, period, {"controls": {"entries": 7}}), 409, "control_without_amount")
    differing = freeze(finance_client, period, {"controls": {"debits": 14645}})
    assert (differing.status_code, differing.json()["freeze"]["state"]) == (202, "waiting")
    work()
    ended = finance_client.get(f"/api/v1/periods/{period.pk}/").json()["freeze"]
    assert (ended["state"], [reason["code"] for reason in ended["reasons"]]) == ("refused", ["control_differs"])
    # Which one, and not by how much.
    assert ended["reasons"][0]["facts"] == {"name": "debits", "given": 14645}
    asked = freeze(finance_client, period, {"controls": {"debits": 14644, "settlement": -14644}, "version": 1})
    assert (asked.status_code, asked.json()["state"]) == (202, "open")
    work()
    frozen = finance_client.get(f"/api/v1/periods/{period.pk}/").json()
    assert (frozen["state"], frozen["offers"], frozen["freeze"]["state"]) == ("frozen", [], "sealed")
    seal = Seal.objects.get()
    assert frozen["seal"]["digest"] == bytes(seal.digest).hex()
    assert frozen["seal"]["previous_digest"] is None
    assert frozen["seal"]["controls"] == {"debits": 14644, "settlement": -14644}
    assert AuditRow.objects.filter(subject_type="period", outcome="refused").count() == 4
    assert is_problem(freeze(finance_client, period, {"controls": {"debits": 14644}}), 409, "wrong_state")


@pytest.mark.parametrize(
    "amount", ["14644.0", '"14644"', "1.4644e4", "true", "null", "[14644]", "1e400", "NaN", "9223372036854775808", "014644", "１"]
)
def test_a_control_total_that_is_no_json_integer_is_refused(world: World, finance_client: APIClient, amount: str) -> None:
    world.freeze(world.applied())
    response = freeze(finance_client, world.opened[0], f'{{"controls": {{"debits": {amount}}}}}')
    assert is_problem(response, 400, "shape_invalid")
    assert not Seal.objects.exists()


def test_a_control_total_given_twice_is_refused(world: World, finance_client: APIClient) -> None:
    world.freeze(world.applied())
    response = freeze(finance_client, world.opened[0], '{"controls": {"debits": 1, "debits": 14644}}')
    assert is_problem(response, 400, "shape_invalid")
    assert is_problem(freeze(finance_client, world.opened[0], {}), 400, "shape_invalid")
    assert is_problem(freeze(finance_client, world.opened[0], '{"controls": {"\\ud800": 1}}'), 400, "shape_invalid")
    assert not Seal.objects.exists()


def test_a_period_is_marked_provisional_and_reopened_with_a_reason(world: World, finance_client: APIClient) -> None:
    address = f"/api/v1/periods/{world.opened[0].pk}/transitions"
    assert finance_client.post(f"{address}/provisional/", {"version": 1}).json()["state"] == "provisional"
    assert is_problem(finance_client.post(f"{address}/reopen/", {"version": 2}), 409, "reason_required")
    assert is_problem(finance_client.post(f"{address}/reopen/", {"reason": "Late file.", "version": 1}), 409, "stale")
    assert finance_client.post(f"{address}/reopen/", {"reason": "Late file.", "version": 2}).json()["state"] == "open"


def test_periods_are_found_by_book_name_and_state(world: World, client_of: ClientOf) -> None:
    client = client_of(world.support)
    assert len(results(client, "periods", book="CARD")) == 2
    assert [row["book"] for row in results(client, "periods", name="2017-01", state="open")] == ["POINTS", "CARD"]
    assert results(client, "periods", state="frozen") == []
