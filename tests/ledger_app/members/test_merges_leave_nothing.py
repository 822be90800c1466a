"""A merge leaves no lot and no debt behind, whatever an account has and owes on which day: else it is refused, and says why."""

import itertools
from datetime import date, datetime

import pytest

from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import OpenLot
from ledger_app.points.operations import expiry
from tests.support import lot_samples, samples
from tests.support.adjusting import person
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db

# The merge is of the 15th of February; a lot lasts twenty days.
DAY = at(2017, 2, 15)
LOTS = {"overdue": date(2017, 1, 20), "of the day": date(2017, 2, 10), "to come": date(2017, 2, 20)}
DEBTS = {"earlier": date(2017, 1, 5), "later": date(2017, 3, 20)}
HAS = [each for count in range(3) for each in itertools.combinations(LOTS, count)]
OWES = [each for count in range(3) for each in itertools.combinations(DEBTS, count)]


def merge(points: lot_samples.Points, instant: datetime) -> None:
    support, finance = (person(name, name, at=instant) for name in ("support", "finance"))
    gone, stays = (points.accounts[name].holder_id for name in ("M1", "M2"))
    assert gone is not None
    assert stays is not None
    row = merges.propose(merge_rows.proposal(holder_id=gone, survivor_id=stays, reason="One person."), caller=support)
    shown = digest(merge_rows.facts(row, user=finance.user, at=instant).plan.as_json()).hex()
    merges.approve(merge_id=row.pk, digest_shown=shown, caller=finance)


@pytest.mark.parametrize("owed", [50, 53, 30], ids=["as much", "more", "less"])
@pytest.mark.parametrize("owes", OWES, ids=" and ".join)
@pytest.mark.parametrize("has", HAS, ids=" and ".join)
def test_nothing_is_left_on_the_account_of_a_member_who_was_merged(has, owes, owed):
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    points.gain("of-the-other", 200, on=date(2017, 2, 12), who="M2")
    for place, name in enumerate(has):
        points.gain(f"has-{place}", 50, on=LOTS[name])
    for place, name in enumerate(owes):
        points.gain(f"owes-{place}", -owed, on=DEBTS[name])
    try:
        merge(points, DAY)
    except Refused as refusal:
        codes = {reason.code for reason in refusal.reasons}
        assert codes <= {"lots_due", "lots_not_set_off", "owes_from_later_day"}
    else:
        assert not OpenLot.objects.filter(account=points.accounts["M1"]).exists()
    assert points.breaches() == []


@pytest.mark.parametrize("owed", [50, 53, 30], ids=["as much", "more", "less"])
@pytest.mark.parametrize("owes", OWES, ids=" and ".join)
@pytest.mark.parametrize("has", HAS, ids=" and ".join)
def test_whoever_does_what_the_refusal_says_can_merge(has, owes, owed):
    """There is a way out of each, by what is told to the person who is refused: expire, post an entry, or merge on a later day."""
    points = lot_samples.open_points(samples.machine_caller(), floor=None)
    for place, name in enumerate(has):
        points.gain(f"has-{place}", 50, on=LOTS[name])
    for place, name in enumerate(owes):
        points.gain(f"owes-{place}", -owed, on=DEBTS[name])
    instant = DAY
    for turn in range(12):
        try:
            merge(points, instant)
        except Refused as refusal:
            for reason in refusal.reasons:
                if reason.code == "lots_due":
                    caller = Caller(points.caller.user, instant, "command")
                    expiry.expire(book=points.book, through=date.fromisoformat(reason.facts["due"]), caller=caller)
                elif reason.code == "lots_not_set_off":
                    points.gain(f"next-{turn}", 1, on=instant.date())
                else:
                    owed_on = date.fromisoformat(reason.facts["date"])
                    instant = at(owed_on.year, owed_on.month, owed_on.day)
        else:
            break
    else:
        pytest.fail("there is no way out")
    assert not OpenLot.objects.filter(account=points.accounts["M1"]).exists()
    assert points.breaches() == []
