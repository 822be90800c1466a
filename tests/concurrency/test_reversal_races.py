"""Two at once about the reversal of one entry: with the locks one order comes out; with a lock stubbed out, the race appears."""

from datetime import date

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from ledger_app import errors, locks
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing
from ledger_app.models import Entry, Period, Reversal, User
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from tests.concurrency.test_ledger_races import Meeting, at_once, breaches, code_of, unlocked_row, without_locks
from tests.concurrency.test_period_races import being_frozen
from tests.support import samples

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger():
    made = samples.open_ledger(samples.machine_caller())
    made.post(made.draft("r-1", ("purse", 100), ("sales", -100)))
    return made


@pytest.fixture
def single_try(monkeypatch):
    """No second try may cover a collision up."""
    monkeypatch.setattr(transactions, "TRIES", 1)


def caller(name):
    user = User.objects.create_user(username=name, is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    return Caller(user=user, at=samples.AFTER_JANUARY, door="command")


def propose(by):
    return reversals.propose(entry_id=Entry.objects.get(reference="r-1").pk, reason="Twice.", caller=by)


def approve_against_reject(monkeypatch):
    row = propose(caller("maker"))
    shown = asked.preview(row.entry).digest
    first, second = caller("one"), caller("two")
    monkeypatch.setattr(asked, "facts", Meeting().after(asked.facts))
    return at_once(
        lambda: reversals.approve(reversal_id=row.pk, digest_shown=shown, caller=first),
        lambda: reversals.reject(reversal_id=row.pk, reason="It is right.", caller=second),
    )


def is_whole() -> bool:
    """Whether what was decided and what was posted are one."""
    row = Reversal.objects.get()
    return (row.state == "posted") == Entry.objects.filter(reverses=row.entry).exists()


def test_of_an_approval_and_a_rejection_at_once_one_holds(ledger, monkeypatch, single_try):
    outcomes = approve_against_reject(monkeypatch)
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Reversal", "wrong_state"]
    assert is_whole()
    assert breaches(ledger) == []


@pytest.mark.mariadb
def test_without_the_lock_of_the_proposal_both_pass_the_guards_and_one_is_stale(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    monkeypatch.setattr(locks, "_take", lambda _step: None)
    outcomes = approve_against_reject(monkeypatch)
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Reversal", "stale"]
    assert is_whole()


def two_proposals(monkeypatch):
    first, second = caller("one"), caller("two")
    monkeypatch.setattr(history, "create", Meeting().before(history.create))
    return at_once(lambda: propose(first), lambda: propose(second))


def test_two_that_propose_at_once_make_one_proposal(ledger, monkeypatch, single_try):
    outcomes = two_proposals(monkeypatch)
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Reversal", "entry_reversal_open"]


@pytest.mark.mariadb
def test_without_the_locks_two_proposals_collide(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    without_locks(monkeypatch)
    outcomes = two_proposals(monkeypatch)
    assert sorted(code_of(outcome) for outcome in outcomes) == ["Reversal", "try_again"]
    assert Reversal.objects.count() == 1


def propose_against_freeze(ledger, monkeypatch):
    maker, closer = caller("maker"), caller("closer")
    meeting = Meeting()
    monkeypatch.setattr(closing, "facts", meeting.after(closing.facts))
    monkeypatch.setattr(history, "create", meeting.before(history.create))
    return at_once(
        lambda: propose(maker),
        lambda: periods.freeze(
            period_id=ledger.periods["2017-01"].pk, controls={"entries": 1}, caller=closer, code_version="test"
        ),
    )


def is_settled() -> bool:
    """Whether the proposal is dated in a period that is not frozen."""
    row = Reversal.objects.get()
    period = Period.objects.get(book=row.entry.book, starts_on__lte=row.effective_on, ends_on__gte=row.effective_on)
    return period.state != "frozen"


def test_a_freeze_finds_the_proposal_or_came_before_it(ledger, monkeypatch, single_try):
    proposed, frozen = propose_against_freeze(ledger, monkeypatch)
    assert code_of(proposed) == "Reversal"
    assert (code_of(frozen), proposed.effective_on) in {("work_unfinished", date(2017, 1, 10)), ("Seal", date(2017, 2, 1))}
    assert is_settled()


@pytest.mark.mariadb
def test_without_the_lock_of_the_period_a_proposal_is_left_in_a_frozen_one(ledger, monkeypatch, single_try):
    without_locks(monkeypatch)
    proposed, frozen = propose_against_freeze(ledger, monkeypatch)
    assert (code_of(proposed), code_of(frozen)) == ("Reversal", "Seal")
    assert not is_settled()


def every_later_period(wanted, lock):
    """Read the periods as a proposal once held them: its own and all after it."""
    return PERIODS(wanted._replace(last_on=date.max, days=frozenset()), lock)


PERIODS = locks._periods


@pytest.mark.mariadb
@pytest.mark.parametrize("frozen", ["2017-02", "2017-03"])
def test_who_proposes_waits_for_no_freeze_of_another_month(ledger, single_try, frozen):
    with being_frozen(ledger.periods[frozen]):
        assert propose(caller("maker")).effective_on == date(2017, 1, 10)


@pytest.mark.mariadb
def test_by_every_later_period_the_proposal_waits(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "_periods", every_later_period)
    with being_frozen(ledger.periods["2017-03"]), pytest.raises(errors.TryAgain, match="1205"):
        propose(caller("maker"))


def held_by_a_proposal(ledger, monkeypatch, work):
    """Do ``work`` in another session while a proposal waits to be written, with all its locks; return what came of it."""
    create, outcomes = history.create, []

    def and_meanwhile(row, **said):
        outcomes.extend(at_once(work))
        return create(row, **said)

    monkeypatch.setattr(history, "create", and_meanwhile)
    propose(caller("maker"))
    return outcomes[0]


def freezing(period):
    def work():
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        return transactions.run(lambda: locks.own_row(Period, period.pk))

    return work


@pytest.mark.mariadb
@pytest.mark.parametrize(("month", "expected"), [("2017-01", "try_again"), ("2017-02", "Period"), ("2017-03", "Period")])
def test_a_proposal_holds_its_own_month_and_no_other(ledger, monkeypatch, single_try, month, expected):
    assert code_of(held_by_a_proposal(ledger, monkeypatch, freezing(ledger.periods[month]))) == expected


@pytest.mark.mariadb
def test_by_every_later_period_a_freeze_of_another_waits_and_the_till_behind_it(ledger, monkeypatch, single_try):
    monkeypatch.setattr(locks, "_periods", every_later_period)
    assert code_of(held_by_a_proposal(ledger, monkeypatch, freezing(ledger.periods["2017-03"]))) == "try_again"


@pytest.mark.mariadb
def test_a_day_that_moved_before_the_lock_is_looked_up_again(ledger, monkeypatch, single_try):
    day, answers = asked.day, []
    january = {"period_id": ledger.periods["2017-01"].pk, "controls": {"entries": 1}, "code_version": "test"}
    closer = caller("closer")

    def and_then_it_freezes(entry):
        answers.append(day(entry))
        if len(answers) == 1:
            at_once(lambda: periods.freeze(**january, caller=closer))
        return answers[-1]

    monkeypatch.setattr(asked, "day", and_then_it_freezes)
    assert propose(caller("maker")).effective_on == date(2017, 2, 1)
