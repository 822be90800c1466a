"""Explanations, statements and reversals of single entries through the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from ledger_app.api import explanations
from ledger_app.models import Account, Balance, Entry, Reversal
from tests.api.conftest import ClientOf, is_problem
from tests.conftest import UserMaker
from tests.support.world import NAME, World


@pytest.fixture
def entry(world: World) -> Entry:
    """A purchase that a file brought."""
    world.applied()
    return Entry.objects.get(reference="till:s1", book=world.card)


@pytest.fixture
def helper(world: World, client_of: ClientOf) -> APIClient:
    """Support, who proposes."""
    return client_of(world.support)


def of_account(code: str, page: str) -> str:
    return f"/api/v1/accounts/{Account.objects.get(code=code).pk}/{page}/"


def test_an_account_is_explained_down_to_the_bytes(entry: Entry, helper: APIClient) -> None:
    told = helper.get(of_account("receivable.1001", "explanation")).json()
    assert (told["explained"], told["sealed_balance"], told["since"], told["balance"]) == (249, 0, 249, 249)
    assert (told["seal"], told["differs"], told["older"]) == (None, [], None)
    origin = told["lines"][-1]["origin"]
    assert (origin["line"], origin["file_name"], origin["raw"][:12]) == (2, NAME, "D,1001,31,s1")
    unknown = helper.get(of_account("receivable.1001", "explanation"), {"known_at": "2000-01-01T00:00:00Z"}).json()
    assert (unknown["explained"], unknown["posted_later"]) == (0, 249)
    early = helper.get(of_account("receivable.1001", "explanation"), {"at": "2017-01-04"}).json()
    assert (early["explained"], early["dated_later_count"]) == (0, 2)


def test_what_differs_is_said(entry: Entry, helper: APIClient) -> None:
    Balance.objects.filter(account__code="receivable.1001").update(amount=250)
    told = helper.get(of_account("receivable.1001", "explanation")).json()
    assert [each["code"] for each in told["differs"]] == ["balances_differ"]


def test_pages_of_both_hold_every_line_once(entry: Entry, helper: APIClient) -> None:
    for page, part, onward, key in (("explanation", "lines", "older", "before"), ("statement", "movements", "later", "after")):
        whole = helper.get(of_account("settlement.31", page)).json()[part]
        rows, place = [], None
        while True:
            got = helper.get(of_account("settlement.31", page), {"lines": 2, **({key: place} if place else {})}).json()
            rows += got[part]
            place = got[onward]
            if place is None:
                break
        assert rows == whole
        assert len(rows) > 3


@pytest.mark.parametrize(
    "query",
    [{"at": "31/01/2017"}, {"known_at": "2017-01-31T00:00:00"}, {"before": "x"}, {"lines": "0"}, {"lines": "1001"}, {"att": "1"}],
)
def test_a_shape_that_is_wrong_is_refused(entry: Entry, helper: APIClient, query: dict[str, Any]) -> None:
    assert is_problem(helper.get(of_account("receivable.1001", "explanation"), query), 400, "shape_invalid")


def test_a_statement_opens_and_closes(entry: Entry, helper: APIClient) -> None:
    told = helper.get(of_account("receivable.1001", "statement"), {"effective_from": "2017-01-05", "effective_to": "2017-01-05"})
    assert {name: told.json()[name] for name in ("from", "to", "opening", "closing", "count")} == {
        "from": "2017-01-05",
        "to": "2017-01-05",
        "opening": 0,
        "closing": 249,
        "count": 2,
    }
    wrong = helper.get(of_account("receivable.1001", "statement"), {"effective_from": "2017-02-01", "effective_to": "2017-01-01"})
    assert is_problem(wrong, 409, "span_invalid")


def test_an_account_of_any_length_is_answered_but_not_added_up(
    entry: Entry, helper: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {page: helper.get(of_account("receivable.1001", page)).json() for page in ("explanation", "statement")}
    assert whole["explanation"]["recomputed"] == whole["explanation"]["balance"]
    monkeypatch.setattr(explanations, "LINES_RECOMPUTED_MOST", 1)
    assert helper.get(of_account("receivable.1001", "explanation")).json() == {**whole["explanation"], "recomputed": None}
    assert helper.get(of_account("receivable.1001", "statement")).json() == whole["statement"]


def test_an_entry_is_told_and_its_reversal_goes_its_way(
    entry: Entry, helper: APIClient, finance_client: APIClient, client_of: ClientOf, make_user: UserMaker
) -> None:
    preview = finance_client.get(f"/api/v1/entries/{entry.pk}/reversal-preview/").json()
    assert (preview["effective_on"], preview["prior_period"], preview["refusals"]) == ("2017-01-05", "", [])
    made = helper.post("/api/v1/reversals/", {"entry": entry.pk, "reason": "Twice.", "shown": preview["digest"]})
    assert (made.status_code, made.json()["state"]) == (201, "proposed")
    address = made["Location"].removeprefix("http://testserver")
    assert finance_client.get("/api/v1/reversals/", {"entry": entry.pk}).json()["results"][0]["reference"] == "till:s1"
    steps = f"{address}transitions/"
    assert is_problem(helper.post(f"{steps}approve/", {"shown": preview["digest"]}), 403, "not_permitted")
    assert is_problem(finance_client.post(f"{steps}approve/", {"shown": "0" * 64}), 409, "reversal_preview_moved")
    assert is_problem(finance_client.post(f"{steps}approve/", {}), 400, "shape_invalid")
    assert is_problem(finance_client.post(f"{steps}reject/", {}), 409, "reason_required")
    done = finance_client.post(f"{steps}approve/", {"shown": preview["digest"]}).json()
    assert (done["state"], done["decided_by"], done["preview"]) == ("posted", "fumiko", None)
    reversed_by = finance_client.get(f"/api/v1/entries/{done['reversal']}/").json()
    assert (reversed_by["told"]["reverses"], reversed_by["told"]["reason"], reversed_by["prior_period"]) == (
        "till:s1",
        "Twice.",
        False,
    )
    assert is_problem(helper.post("/api/v1/reversals/", {"entry": entry.pk, "reason": "Twice."}), 409, "already_reversed")
    assert finance_client.get(f"/api/v1/entries/{entry.pk}/").json()["told"]["line"] == 2
    engineer = client_of(make_user("engineer-9", "engineer"))
    refused = engineer.post("/api/v1/reversals/", {"entry": entry.pk, "reason": "Twice."})
    assert is_problem(refused, 403, "not_permitted")
    assert Reversal.objects.count() == 1


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00", "２017-02-01T00:00:00Z", "2017-02-01"]
)
def test_an_instant_that_no_zone_can_tell_is_not_in_the_right_form(entry: Entry, helper: APIClient, text: str) -> None:
    assert is_problem(helper.get(of_account("receivable.1001", "explanation"), {"known_at": text}), 400, "shape_invalid")
