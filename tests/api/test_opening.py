"""Books, their months, accounts and templates, and members, opened by the API."""

from typing import Any

from rest_framework.test import APIClient

from ledger_app.models import Account, AccountTemplate, Identifier, User
from tests.api.conftest import ClientOf, is_problem
from tests.support.world import World


def approved(proposed: Any, client: APIClient) -> None:
    """Have another person put what was proposed in force."""
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    shown = client.post(f"/api/v1/setting-changes/{proposed.json()['id']}/transitions/approve/", {"version": 1})
    assert (shown.status_code, shown.json()["state"]) == (200, "applied")


BOOK = {"code": "NEW", "name": "New", "unit": "JPY", "exponent": 0, "time_zone": "Asia/Tokyo"}


def test_finance_opens_a_book_and_what_it_begins_with(world: World, finance_client: APIClient, client_of: ClientOf) -> None:
    assert finance_client.post("/api/v1/books/", BOOK).status_code == 201
    assert finance_client.post("/api/v1/books/", BOOK).status_code == 200, "it was there, and nothing was written"
    assert is_problem(finance_client.post("/api/v1/books/", {**BOOK, "unit": "USD"}), 409, "definition_conflict")
    months = {"first": "2027-01-01", "months": 2}
    assert finance_client.post("/api/v1/books/NEW/periods/", months).json() == {"opened": ["2027-01", "2027-02"], "there": []}
    account = {"code": "a", "role": "a", "category": "asset"}
    opened = finance_client.post("/api/v1/books/NEW/accounts/", {"accounts": [account]})
    assert opened.json() == {"opened": 1, "there": 0}
    template = {"role": "points", "category": "liability", "floor": 0, "reason": "Members have points."}
    approved(finance_client.post("/api/v1/books/NEW/templates/", template), client_of(world.superuser))
    assert AccountTemplate.objects.get().book.code == "NEW"
    assert is_problem(client_of(world.support).post("/api/v1/books/", BOOK | {"code": "OTHER"}), 403, "not_permitted")
    engineer = client_of(world.engineer)
    said = engineer.post("/api/v1/members/", {"members": [{"member_number": "9001", "name": "Aoki", "card_tokens": ["t"]}]})
    assert (said.status_code, said.json()["new"], said.json()["accounts"]) == (200, 1, 1)
    assert Account.objects.get(code="points.9001").holder == Identifier.objects.get(value="9001").holder


def test_members_with_findings_are_not_registered(world: World, client_of: ClientOf) -> None:
    said = client_of(world.engineer).post("/api/v1/members/", {"members": [{"member_number": "9001"}, {"member_number": "9 2"}]})
    assert (said.status_code, [each["line"] for each in said.json()["findings"]]) == (422, [2])
    assert not Identifier.objects.filter(value="9001").exists()


def test_finance_keeps_reason_codes_and_an_administrator_sets_limits(
    world: World, finance_client: APIClient, client_of: ClientOf
) -> None:
    code = {"code": "goodwill", "name": "Goodwill", "contra_accounts": {"POINTS": "programme.expense"}, "reason": "As agreed."}
    kept = finance_client.post("/api/v1/reason-codes/", code)
    assert finance_client.get("/api/v1/reason-codes/").json()["results"] == []
    approved(kept, client_of(world.superuser))
    assert [each["contra_accounts"] for each in finance_client.get("/api/v1/reason-codes/").json()["results"]] == [
        {"POINTS": "programme.expense"}
    ]
    limit = {"group": "finance", "book": "POINTS", "amount_most": 9, "two_deciders_above": 5, "reason": "As agreed."}
    assert is_problem(finance_client.post("/api/v1/limits/", limit), 403, "not_permitted")
    said = client_of(world.superuser).post("/api/v1/limits/", limit)
    assert client_of(world.superuser).get("/api/v1/limits/").json()["results"] == []
    other = User.objects.create(username="administrator-2", is_staff=True, is_superuser=True)
    approved(said, client_of(other))
    assert [each["amount_most"] for each in client_of(other).get("/api/v1/limits/").json()["results"]] == [9]
    approved(client_of(world.superuser).post("/api/v1/limits/", limit | {"day_most": 7, "window_days": 9}), client_of(other))
    approved(client_of(world.superuser).post("/api/v1/limits/", limit | {"amount_most": 10}), client_of(other))
    (row,) = client_of(other).get("/api/v1/limits/").json()["results"]
    assert (row["amount_most"], row["day_most"], row["window_days"]) == (10, 7, 9)
    assert is_problem(client_of(world.engineer).post("/api/v1/reason-codes/", code | {"name": "x"}), 403, "not_permitted")
