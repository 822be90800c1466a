"""Lots and holds through the API."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger_app.books.operations import books
from ledger_app.models import Entry, Hold
from ledger_app.posting.rules.lots import Grant, Named
from tests.api.conftest import ClientOf, is_problem
from tests.support import kept, lot_samples, samples

pytestmark = pytest.mark.django_db


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    now = datetime.now(UTC)
    lots = Named(grants=(Grant("paid", 500, (now + timedelta(days=90)).date()), Grant("free", 20, date(2017, 1, 31))))
    found.gain("g-1", 520, lots=lots)
    found.gain("s-1", -5)
    return found


def body(**changes):
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    wanted = {"book": "POINTS", "account": "M1", "target": "programme", "amount": 300, "reference": "order-1"}
    return {**wanted, "expires_at": until.isoformat(), **changes}


def test_a_till_holds_settles_and_says_the_same_twice(points, make_user, client_of: ClientOf):
    # It settles on the day of the request.
    books.open_period(
        book=points.book, name="later", starts_on=date(2018, 1, 1), ends_on=date(2099, 12, 31), caller=points.caller
    )
    client = client_of(make_user("till-1", "till"))
    wanted = body()
    made = client.post("/api/v1/holds/", wanted, format="json")
    assert (made.status_code, made.json()["state"]) == (201, "open")
    again = client.post("/api/v1/holds/", wanted, format="json")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert is_problem(client.post("/api/v1/holds/", {**wanted, "amount": 301}, format="json"), 409, "hold_conflict")
    address = f"/api/v1/holds/{made.json()['id']}/transitions/"
    before = client.post(f"{address}settle/", {"amount": 280, "effective_on": "2017-02-01"}, format="json")
    assert is_problem(before, 409, "hold_date_invalid")
    for _time in range(2):
        settled = client.post(f"{address}settle/", {"amount": 280}, format="json")
        assert (settled.status_code, settled.json()["settled_amount"]) == (200, 280)
    assert is_problem(client.post(f"{address}settle/", {"amount": 279}, format="json"), 409, "hold_settled_otherwise")
    assert is_problem(client.post(f"{address}release/", {"reason": "Late"}, format="json"), 409, "wrong_state")
    assert points.balance() == 235


@pytest.mark.parametrize(("changes", "status", "code"), [
    ({"amount": "300"}, 400, "shape_invalid"),
    ({"amount": 301.0}, 400, "shape_invalid"),
    ({"expires_at": "2999-01-01T00:00:00"}, 400, "shape_invalid"),
    ({"amount": 501}, 409, "lots_short"),
    ({"account": "M9"}, 404, "not_found"),
    ({"account": "breakage"}, 409, "account_without_lots"),
])  # fmt: skip
def test_what_cannot_be_held_is_a_problem(points, make_user, client_of: ClientOf, changes, status, code):
    client = client_of(make_user("till-1", "till"))
    assert is_problem(client.post("/api/v1/holds/", body(**changes), format="json"), status, code)
    assert Hold.objects.count() == 0


def test_who_may_only_look_holds_nothing(points, auditor, client_of: ClientOf):
    assert is_problem(client_of(auditor).post("/api/v1/holds/", body(), format="json"), 403, "not_permitted")


def test_lots_are_shown_with_what_used_them_and_what_is_due(points, support, client_of: ClientOf):
    client = client_of(support)
    account = points.accounts["M1"].pk
    rows = client.get(f"/api/v1/accounts/{account}/lots/").json()["results"]
    assert [(row["kind"], row["amount"], row["remaining"], row["granted_by"]) for row in rows] == [
        ("free", 20, 15, "g-1"),
        ("paid", 500, 500, "g-1"),
    ]
    assert [(use["reference"], use["amount"]) for use in rows[0]["uses"]] == [("s-1", 5)]
    open_ones = client.get(f"/api/v1/accounts/{account}/lots/?open=true").json()["results"]
    assert [row["id"] for row in open_ones] == [row["id"] for row in rows]
    assert client.get(f"/api/v1/accounts/{account}/lots/?open=false").json()["results"] == []
    due = client.get(f"/api/v1/accounts/{account}/due/?by=2017-12-31").json()
    assert due == [{"date": "2017-01-31", "accounts": 1, "lots": 1, "amount": 15, "held": 0}]
    assert client.get("/api/v1/books/POINTS/due/?by=2017-12-31").json() == due
    assert is_problem(client.get(f"/api/v1/accounts/{account}/due/"), 400, "shape_invalid")


def test_the_explanation_of_an_account_and_an_entry_tell_of_lots(points, make_user, client_of: ClientOf):
    client = client_of(make_user("auditor-7", "auditor"))
    told = client.get(f"/api/v1/accounts/{points.accounts['M1'].pk}/explanation/").json()["open_lots"]
    assert [(each["kind"], each["granted_by"], each["amount"], each["remaining"]) for each in told] == [
        ("free", "g-1", 20, 15),
        ("paid", "g-1", 500, 500),
    ]
    assert told[0]["due_on"] == "2017-01-31"
    spent, granted = (client.get(f"/api/v1/entries/{Entry.objects.get(reference=name).pk}/").json() for name in ("s-1", "g-1"))
    assert [(each["lot"], each["amount"]) for each in spent["lots"]] == [(told[0]["lot"], -5)]
    assert sorted((each["lot"], each["amount"]) for each in granted["lots"]) == [(0, 20), (0, 500)]
