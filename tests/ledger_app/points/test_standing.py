"""What of a balance can be spent: held, overdue and upcoming stand beside it, and posting takes exactly what is said."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import accounts
from ledger_app.models import Account
from ledger_app.points.operations import holds
from ledger_app.points.queries import standing
from tests.support import lot_samples, samples
from tests.support.adjusting import person
from tests.support.lot_samples import at

NOON = at(2017, 1, 20)


@pytest.fixture
def points(db):
    """20 due on 12 January, 100 due on 30 January of which 30 are held, and a member without anything."""
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("old", 20, on=date(2017, 1, 1), who="M1")
    found.gain("new", 100, on=date(2017, 1, 10), who="M1")
    return found


def stands(points, who="M1", when=NOON):
    account = Account.objects.select_related("book").get(pk=points.accounts[who].pk)
    return standing.of([account], at=when)[account.pk]


def test_a_lot_whose_last_day_is_past_is_overdue_until_it_is_expired(points):
    # Twenty days from 1 January: the last day is the 21st.
    assert stands(points, when=at(2017, 1, 21)) == (120, 0, 0, 0, 120)
    assert stands(points, when=at(2017, 1, 22)) == (120, 0, 20, 0, 100)
    # The day is that of the book's zone: 22 January in Tokyo begins at three in the afternoon of the day before.
    assert stands(points, when=datetime(2017, 1, 21, 15, tzinfo=UTC)).overdue == 20
    assert stands(points, who="M2") == (0, 0, 0, 0, 0)


def test_what_is_granted_from_a_later_day_cannot_be_spent_yet(points):
    assert stands(points, when=at(2017, 1, 5)) == (120, 0, 0, 100, 20)


def test_what_is_said_to_be_spendable_is_taken_and_no_more(points):
    when = at(2017, 1, 22)
    spendable = stands(points, when=when).spendable
    with pytest.raises(errors.Refused):
        points.post(points.draft("over", -spendable - 1, on=date(2017, 1, 22)), at=when)
    points.post(points.draft("all", -spendable, on=date(2017, 1, 22)), at=when)
    assert stands(points, when=when) == (20, 0, 20, 0, 0)


@pytest.mark.parametrize("floor", [0, -100, -5, None])
@pytest.mark.parametrize("spent", [0, 60, 115])
@pytest.mark.parametrize("day", [20, 22])
def test_what_is_spendable_is_taken_and_no_more_whatever_the_floor(db, floor, spent, day):
    points = lot_samples.open_points(samples.machine_caller(), floor=floor)
    points.gain("old", 20, on=date(2017, 1, 1), who="M1")
    points.gain("new", 90, on=date(2017, 1, 10), who="M1")
    if spent <= 110 or floor is None or floor <= -5:
        points.post(points.draft("before", -max(spent, 1), on=date(2017, 1, 19)), at=at(2017, 1, 19))
    when, on = at(2017, 1, day), date(2017, 1, day)
    spendable = stands(points, when=when).spendable
    if floor is None:
        assert spendable is None
        points.post(points.draft("any", -1_000, on=on), at=when)
        return
    with pytest.raises(errors.Refused):
        points.post(points.draft("over", -spendable - 1, on=on), at=when)
    if spendable:
        points.post(points.draft("all", -spendable, on=on), at=when)
    assert stands(points, when=when).spendable == 0


def test_what_is_held_cannot_be_spent(points, make_user):
    till = Caller(make_user("till-1", "till"), NOON, "api")
    target = points.accounts["breakage"]
    wanted = holds.Wanted(points.accounts["M1"].pk, target.pk, 30, "h-1", NOON + timedelta(hours=1))
    try:
        holds.place(wanted=wanted, caller=till)
    except errors.Refused as refused:  # a book may say which accounts a hold goes to
        pytest.skip(str(refused))
    assert stands(points) == (120, 30, 0, 0, 90)


@pytest.mark.parametrize(
    ("when", "expected"),
    [(at(2017, 1, 20), (120, 0, 0, 0, 120)), (at(2017, 1, 22), (120, 0, 20, 0, 100)), (at(2017, 1, 5), (120, 0, 0, 100, 20))],
    ids=["usable", "due", "of a later day"],
)
def test_what_a_hold_that_is_over_has_held_counts_with_its_lots_before_anybody_ends_it(points, make_user, when, expected):
    placed = at(2017, 1, 2) if when < NOON else NOON - timedelta(hours=2)
    amount = 10 if when < NOON else 110
    till = Caller(make_user("till-1", "till"), placed, "api")
    ends = placed + timedelta(hours=1)
    holds.place(wanted=holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, amount, "h-1", ends), caller=till)
    assert stands(points, when=ends - timedelta(minutes=1)).held == amount
    assert stands(points, when=max(when, ends)) == expected
    on = max(when, ends).date()
    points.post(points.draft("all", -expected[4], on=on), at=max(when, ends))


def test_an_account_that_is_not_open_can_spend_nothing(points):
    accounts.change(
        account_id=points.accounts["M1"].pk, name="suspend", reason="Lost card.", caller=person("support-1", "support")
    )
    assert stands(points).spendable == 0


def test_it_takes_as_many_statements_for_many_accounts_as_for_one(points):
    rows = list(Account.objects.select_related("book").filter(role="points"))
    costs = []
    for some in (rows[:1], rows):
        with CaptureQueriesContext(connection) as asked:
            standing.of(some, at=NOON)
        costs.append(len(asked))
    assert costs[0] == costs[1] == 2


def test_it_stands_beside_the_balance_wherever_that_is_shown(points, make_user, client: Client, monkeypatch):
    from config.doors import callers as doorways

    monkeypatch.setattr(doorways, "now", lambda: at(2017, 1, 22))
    user = make_user("root-1", "auditor", is_superuser=True)
    client.force_login(user)
    account = points.accounts["M1"]
    for page in (f"/admin/ledger_app/account/{account.pk}/change/", f"/admin/ledger_app/holder/{account.holder_id}/change/"):
        text = client.get(page).content.decode()
        assert ">120" in text, page
        assert ">100" in text, page
    said = {"held": 0, "overdue": 20, "upcoming": 0, "spendable": 100}
    assert client.get(f"/api/v1/accounts/{account.pk}/").json()["standing"] == said
    (row,) = client.get("/api/v1/accounts/", {"book": "POINTS", "code": "M1"}).json()["results"]
    assert row["standing"] == said
    assert client.get(f"/api/v1/accounts/{account.pk}/explanation/").json()["standing"] == said
    (of_member,) = client.get(f"/api/v1/members/{account.holder_id}/").json()["accounts"]
    assert {name: of_member[name] for name in said} == said
