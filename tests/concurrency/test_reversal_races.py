"""Two at once about the reversal of one entry: with the locks one order comes out; with a lock stubbed out, the race appears."""

from datetime import date

import pytest
from django.contrib.auth.models import Group

from ledger_app import locks
from ledger_app.models import Entry, Period, Reversal, User
from ledger_app.operations import history, periods, reversals, transactions
from ledger_app.operations.audit import Caller
from ledger_app.queries import closing
from ledger_app.queries import reversals as asked
from tests.concurrency.test_ledger_races import Meeting, at_once, breaches, code_of, unlocked_row, without_locks
from tests.ledger_app import samples

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
