"""What a book says of holds: to which accounts, how much, how long; and who settles them, on which day."""

from datetime import date, timedelta

import pytest

from ledger_app import errors
from ledger_app.books.operations.books import AccountOpening, open_accounts
from ledger_app.close.operations import periods
from ledger_app.models import AuditRow, Entry, Hold, HoldRule, Period
from ledger_app.points.operations import hold_rules, holds, lot_rules
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.values.most import HOURS_MOST
from tests.support import kept, lot_samples, samples
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db
NOON = at(2017, 1, 12)


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 500, on=date(2017, 1, 5))
    found.gain("g-2", 500, on=date(2017, 1, 5), who="M2")
    return found


@pytest.fixture
def till(make_user, caller_of):
    user = make_user("till-1", "till")
    return lambda when=NOON: caller_of(user, at=when, door="api")


@pytest.fixture
def other_till(make_user, caller_of):
    return caller_of(make_user("till-2", "till"), at=NOON, door="api")


def place(points, caller, amount=70, *, reference="h-1", hours=48, who="M1", to="programme"):
    ends = caller.at + timedelta(hours=hours)
    wanted = holds.Wanted(points.accounts[who].pk, points.accounts[to].pk, amount, reference, ends)
    return holds.place(wanted=wanted, caller=caller)[0]


def refused(work):
    with pytest.raises(errors.Refused) as raised:
        work()
    return [reason.code for reason in raised.value.reasons]


def test_without_a_rule_what_is_held_goes_to_accounts_that_are_nobodys_and_keep_no_lots(points, till, caller_of, finance):
    lot_rules.set_rule(book=points.book, role="gifts", given=lot_rules.RuleGiven("never", "breakage"), caller=caller_of(finance))
    open_accounts(book=points.book, openings=[AccountOpening("gifts", "gifts", "liability")], caller=points.caller)
    points.accounts["gifts"] = points.book.accounts.get(code="gifts")
    assert refused(lambda: place(points, till(), to="M2")) == ["hold_target_refused"]
    assert refused(lambda: place(points, till(), to="gifts")) == ["hold_target_refused"]
    assert place(points, till(), to="programme").state == Hold.State.OPEN
    assert place(points, till(), to="breakage", reference="h-2").state == Hold.State.OPEN


def test_the_rule_names_the_targets_and_never_a_members_account(points, till, finance, caller_of):
    given = HoldRuleGiven(targets=("breakage",))
    rule = hold_rules.set_rule(book=points.book, given=given, caller=caller_of(finance)).row
    assert refused(lambda: place(points, till())) == ["hold_target_refused"]
    place(points, till(), to="breakage")
    wrong = HoldRuleGiven(targets=("breakage", "M2"))
    assert refused(lambda: hold_rules.set_rule(book=points.book, given=wrong, caller=caller_of(finance))) == [
        "hold_target_refused"
    ]
    # Rows that came past the operation change nothing.
    rule.targets.create(account=points.accounts["M2"])
    assert refused(lambda: place(points, till(), to="M2", reference="h-2")) == ["hold_target_refused"]


def test_limits_of_a_hold_and_of_a_day_are_the_books(points, till, finance, caller_of):
    given = HoldRuleGiven(amount_most=60, amount_a_day=100, hours_most=24)
    hold_rules.set_rule(book=points.book, given=given, caller=caller_of(finance))
    assert refused(lambda: place(points, till(), 61, hours=25)) == ["hold_too_long", "hold_over_limit"]
    first = place(points, till(), 60, hours=24)
    assert refused(lambda: place(points, till(), 41, hours=24, reference="h-2")) == ["hold_over_day"]
    place(points, till(), 60, hours=24, reference="h-3", who="M2")
    # What was let go does not count, and of what was settled that.
    holds.settle(hold_id=first.pk, amount=20, effective_on=None, caller=till())
    second = place(points, till(), 60, hours=24, reference="h-4")
    holds.release(hold_id=second.pk, reason="Not bought.", caller=till())
    place(points, till(), 60, hours=24, reference="h-5")
    assert refused(lambda: place(points, till(), 21, hours=24, reference="h-6")) == ["hold_over_day"]
    # In Tokyo the next day begins at 15 hours of UTC.
    place(points, till(at(2017, 1, 12, 15)), 21, hours=24, reference="h-7")
    assert points.breaches() == []


def test_no_hold_is_for_ever(points, till):
    assert refused(lambda: place(points, till(), hours=HOURS_MOST + 1)) == ["hold_too_long"]
    place(points, till(), hours=HOURS_MOST)


def test_what_a_wrong_rule_does_not_limit_is_said_in_words(points, finance, caller_of):
    with pytest.raises(errors.Refused) as wrong:
        hold_rules.set_rule(book=points.book, given=HoldRuleGiven(hours_most=HOURS_MOST + 1), caller=caller_of(finance))
    (reason,) = wrong.value.reasons
    assert reason.sentence.endswith(f"this says no limit, no limit and {HOURS_MOST + 1}.")
    with pytest.raises(errors.Refused) as mixed:
        hold_rules.set_rule(book=points.book, given=HoldRuleGiven(amount_a_day=0), caller=caller_of(finance))
    assert "this says no limit, 0 " in mixed.value.reasons[0].sentence
    given = lot_rules.RuleGiven("months", "breakage")
    with pytest.raises(errors.Refused) as empty:
        lot_rules.set_rule(book=points.book, role="gifts", given=given, caller=caller_of(finance))
    assert "says months with no number and no date" in empty.value.reasons[0].sentence


def test_finance_sets_the_rule_and_each_change_has_its_history(points, finance, engineer, caller_of):
    def keep(caller, **given):
        return hold_rules.set_rule(book=points.book, given=HoldRuleGiven(**given), caller=caller).row

    assert refused(lambda: keep(caller_of(engineer), amount_most=5)) == ["not_permitted"]
    assert refused(lambda: keep(caller_of(finance), amount_most=0)) == ["hold_rule_invalid"]
    assert refused(lambda: keep(caller_of(finance), hours_most=HOURS_MOST + 1)) == ["hold_rule_invalid"]
    assert refused(lambda: keep(caller_of(finance), targets=("nowhere",))) == ["not_found"]
    rule = keep(caller_of(finance), amount_most=5, targets=("programme",))
    assert keep(caller_of(finance), amount_most=5, targets=("programme",)).version == rule.version == 1
    assert keep(caller_of(finance), amount_most=6, targets=("breakage",)).version == 2
    assert list(HoldRule.history.order_by("history_id").values_list("amount_most", flat=True)) == [5, 6]
    assert AuditRow.objects.filter(subject_type="holdrule", action="set").count() == 2
    assert [each.account.code for each in rule.targets.all()] == ["breakage"]


def test_a_till_resolves_what_it_placed_itself_and_finance_and_support_help(
    points, till, other_till, support, finance, caller_of
):
    hold = place(points, till())
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=1, effective_on=None, caller=other_till)) == ["hold_of_other"]
    assert refused(lambda: holds.release(hold_id=hold.pk, reason="Mine.", caller=other_till)) == ["hold_of_other"]
    holds.release(hold_id=hold.pk, reason="The member asked.", caller=caller_of(support, at=NOON))
    hold = place(points, till(), reference="h-2")
    assert holds.settle(hold_id=hold.pk, amount=1, effective_on=None, caller=caller_of(finance, at=NOON)).state == "settled"
    hold = place(points, till(), reference="h-3")
    assert holds.release(hold_id=hold.pk, reason="The till is gone.", caller=caller_of(finance, at=NOON)).state == "released"
    assert points.breaches() == []


@pytest.mark.parametrize("day", [date(2017, 1, 11), date(2017, 1, 14), date(2017, 3, 1)])
def test_nobody_dates_a_settlement_before_the_hold_or_after_today(points, till, finance, caller_of, day):
    hold = place(points, till())
    for caller in (till(at(2017, 1, 13)), caller_of(finance, at=at(2017, 1, 13))):
        assert refused(lambda caller=caller: holds.settle(hold_id=hold.pk, amount=1, effective_on=day, caller=caller)) == [
            "hold_date_invalid"
        ]


def test_finance_says_another_day_and_a_till_does_not(points, till, finance, caller_of):
    hold, later = place(points, till()), at(2017, 1, 13)
    placed_on = date(2017, 1, 12)
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=1, effective_on=placed_on, caller=till(later))) == [
        "hold_date_not_yours"
    ]
    holds.settle(hold_id=hold.pk, amount=1, effective_on=placed_on, caller=caller_of(finance, at=later))
    assert Entry.objects.get(reference=f"hold:{hold.pk}").effective_on == placed_on
    today = place(points, till(later), reference="h-2")
    assert holds.settle(hold_id=today.pk, amount=1, effective_on=date(2017, 1, 13), caller=till(later)).state == "settled"


def test_a_settlement_of_a_till_enters_no_provisional_period_and_finances_does(points, till, finance, caller_of):
    hold = place(points, till())
    period = Period.objects.get(book=points.book, name="2017-01")
    periods.change(period_id=period.pk, name="provisional", caller=caller_of(finance, at=NOON))
    assert refused(lambda: holds.settle(hold_id=hold.pk, amount=1, effective_on=None, caller=till())) == ["period_provisional"]
    assert holds.settle(hold_id=hold.pk, amount=1, effective_on=None, caller=caller_of(finance, at=NOON)).state == "settled"
