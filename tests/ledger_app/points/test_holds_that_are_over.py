"""A hold whose time is over keeps nothing back, whether or not anybody has ended it: every place that tells what is held says so."""

from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger_app.base.operations.audit import Caller
from ledger_app.explain.queries import explain, explanations
from ledger_app.models import Account, Hold, Lot
from ledger_app.points.operations import holds
from ledger_app.points.queries import expiry, lot_pages, standing
from ledger_app.posting.queries import lots, origins
from tests.conftest import UserMaker
from tests.support import lot_samples, samples
from tests.support.lot_samples import Points, at

LAST = date(2017, 1, 30)
BEFORE, AFTER = at(2017, 1, 14), at(2017, 1, 16)


@pytest.fixture
def points(db: None, make_user: UserMaker) -> Points:
    """Points of which 20 were held until 15 January, a hold that nobody has ended."""
    made = lot_samples.open_points(samples.machine_caller())
    made.gain("g-1", 100)
    wanted = holds.Wanted(made.accounts["M1"].pk, made.accounts["programme"].pk, 20, "order-1", at(2017, 1, 15))
    holds.place(wanted=wanted, caller=Caller(make_user("till-1", "till"), at(2017, 1, 12), "api"))
    return made


def told_held(account: Account, now: datetime) -> dict[str, int]:
    """Return what is held of an account by every place that tells it."""
    period = account.book.periods.get(name="2017-01")
    lot: Any
    (lot,) = lot_pages.of_account(account, at=now)
    explained = explain.account(account, last=1)
    return {
        "the account": standing.of([account], at=now)[account.pk].held,
        "its open lots": sum(lots.held_at(lot_pages.open_of(account, 9), now).values()),
        "a lot": sum(part.amount for part in lot.held_parts),
        "due of the account": expiry.due_by_day(by=LAST, account_id=account.pk, at=now)[0].held,
        "due of the book": expiry.due_by_day(by=LAST, book_id=account.book_id, at=now)[0].held,
        "due in the period": expiry.due_in_period(period, at=now)[0].held,
        "the explanation": explanations.as_object(explained, origins.of(explained.shown_entries), now=now)["open_lots"][0][
            "held"
        ],
    }


def test_what_is_held_is_told_alike_wherever_it_is_told_before_and_after_a_hold_is_over(points: Points) -> None:
    account = points.accounts["M1"]
    assert set(told_held(account, BEFORE).values()) == {20}
    assert set(told_held(account, AFTER).values()) == {0}
    assert standing.of([account], at=AFTER)[account.pk].spendable == 100
    assert Hold.objects.get().state == "open"


def test_the_pages_say_that_its_time_is_over(points: Points, client: Client, make_user: UserMaker) -> None:
    client.force_login(make_user("root-1", "auditor", is_superuser=True))
    hold, lot = Hold.objects.get(), Lot.objects.get()
    addresses = (
        reverse("admin:ledger_app_hold_changelist"),
        reverse("admin:ledger_app_hold_change", args=[hold.pk]),
        reverse("admin:ledger_app_lot_change", args=[lot.pk]),
    )
    for address in addresses:
        assert "Time is over</span>" in client.get(address).content.decode(), address
