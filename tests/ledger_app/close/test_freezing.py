"""A freeze that is asked for is refused at once, or says how it ended, whichever way it ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger_app import errors
from ledger_app.close.operations import freezing, periods
from ledger_app.close.queries import proving, seals
from ledger_app.models import AuditRow, FreezeAttempt, Seal
from tests.support import samples

SALE = 700
NOW = samples.AFTER_JANUARY


@pytest.fixture
def asked(ledger, checker):
    """A freeze of January that was asked for with the right total."""
    ledger.sell("r-1", SALE)
    return freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"debits": SALE}, caller=checker)


def carry_out(attempt, caller):
    try:
        return freezing.carry_out(attempt_id=attempt.pk, caller=caller, code_version="test", now=lambda: samples.AFTER_JANUARY)
    finally:
        attempt.refresh_from_db()


def codes(attempt):
    return [reason["code"] for reason in attempt.reasons]


def test_one_that_is_right_ends_with_the_seal(asked, checker):
    assert carry_out(asked, checker) == Seal.objects.get()
    assert (asked.state, asked.ended_at, asked.reasons) == ("sealed", samples.AFTER_JANUARY, [])
    assert carry_out(asked, checker) is None  # delivered twice


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ({}, "control_missing"),
        ({"entries": 1}, "control_without_amount"),
        ({"debts": 1}, "control_unknown"),
    ],
)
def test_what_needs_no_proof_is_refused_at_once(ledger, checker, monkeypatch, controls, expected):
    monkeypatch.setattr(proving, "Proved", None)
    with pytest.raises(errors.Refused) as refused:
        freezing.ask(period_id=ledger.periods["2017-01"].pk, controls=controls, caller=checker)
    assert expected in [reason.code for reason in refused.value.reasons]
    assert not FreezeAttempt.objects.exists()
    assert AuditRow.objects.filter(outcome="refused", action="freeze").count() == 1


def test_who_may_not_freeze_is_refused_before_anything_is_left_to_a_worker(ledger, engineer, caller_of):
    caller = caller_of(engineer, at=samples.AFTER_JANUARY)
    with pytest.raises(errors.Refused) as refused:
        freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"debits": 0}, caller=caller)
    assert [reason.code for reason in refused.value.reasons] == ["not_permitted"]


def test_the_guards_are_asked_again_when_it_is_carried_out(asked, ledger, checker):
    periods.change(period_id=ledger.periods["2017-01"].pk, name="provisional", caller=checker)
    FreezeAttempt.objects.filter(pk=asked.pk).update(shown_version=1)
    with pytest.raises(errors.Refused):
        carry_out(asked, checker)
    assert (asked.state, codes(asked)) == ("refused", ["stale"])


def test_a_total_that_differs_is_told_without_the_ledgers_own(asked, ledger, checker):
    wrong = freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"debits": 5}, caller=checker)
    with pytest.raises(errors.Refused):
        carry_out(wrong, checker)
    assert (wrong.state, codes(wrong)) == ("refused", ["control_differs"])
    assert str(SALE) not in str(wrong.reasons)
    row = AuditRow.objects.filter(outcome="refused").latest("id")
    assert str(SALE) not in str(row.reasons)
    assert row.facts == {
        "untold": [{"code": "control_differs", "name": "debits", "given": 5, "found": SALE, "difference": 5 - SALE}]
    }


def test_a_surprise_is_an_end_too(asked, checker, monkeypatch):
    monkeypatch.setattr(proving, "differing_balances", lambda _book_id: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        carry_out(asked, checker)
    assert (asked.state, codes(asked), asked.ended_at) == ("failed", ["fault"], samples.AFTER_JANUARY)


def test_one_that_was_asked_for_again_sees_so_and_stops(asked, ledger, checker, monkeypatch):
    monkeypatch.setattr(proving, "TOLD_EVERY", 1)
    walk = seals.walk
    again: list[FreezeAttempt] = []

    def and_meanwhile_somebody_asks(*given):
        for entry in walk(*given):
            if not again:
                again.append(freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"debits": SALE}, caller=checker))
            yield entry

    monkeypatch.setattr(seals, "walk", and_meanwhile_somebody_asks)
    with pytest.raises(errors.Refused) as refused:
        carry_out(asked, checker)
    assert [reason.code for reason in refused.value.reasons] == ["freeze_superseded"]
    assert asked.state == "superseded"
    assert not Seal.objects.exists()
    assert carry_out(again[0], checker) == Seal.objects.get()


def test_one_that_was_asked_for_again_after_its_last_sign_of_life_stops_too(asked, ledger, checker, monkeypatch):
    differing = proving.differing_balances
    again: list[FreezeAttempt] = []

    def and_meanwhile_somebody_asks(book_id):
        again.append(
            freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"entries": 1, "debits": SALE}, caller=checker)
        )
        return differing(book_id)

    with monkeypatch.context() as patched:
        patched.setattr(proving, "differing_balances", and_meanwhile_somebody_asks)
        with pytest.raises(errors.Refused) as refused:
            carry_out(asked, checker)
    assert [reason.code for reason in refused.value.reasons] == ["freeze_superseded"]
    assert (asked.state, Seal.objects.count()) == ("superseded", 0)
    assert carry_out(again[0], checker).controls == {"entries": 1, "debits": SALE}


MINUTE = timedelta(minutes=1)


def killed(attempt):
    """Begin an attempt as a worker does that is killed before it says anything."""
    FreezeAttempt.objects.filter(pk=attempt.pk).update(state="running", started_at=NOW, seen_at=NOW)


def take_up(at=NOW + MINUTE + timedelta(seconds=1)):
    return freezing.take_up_abandoned(at=at, silent_after=MINUTE)


def test_one_whose_worker_is_gone_is_begun_anew_for_whoever_asked(asked, checker):
    killed(asked)
    assert take_up(NOW + MINUTE) == []
    (again,) = take_up()
    asked.refresh_from_db()
    assert (asked.state, codes(asked)) == ("failed", ["freeze_abandoned"])
    assert (again.state, again.controls, again.asked_by, again.asked_at) == (
        "waiting",
        {"debits": SALE},
        checker.user,
        checker.at,
    )
    assert take_up() == []
    assert carry_out(again, checker) == Seal.objects.get()


def test_after_three_it_is_left_to_people_and_one_who_asks_again_has_three_more(asked, ledger, checker):
    for _time in range(2):
        for attempt in freezing.waiting():
            killed(attempt)
        assert len(take_up()) == 1
    killed(freezing.waiting()[0])
    assert take_up() == []
    assert set(FreezeAttempt.objects.values_list("state", flat=True)) == {"failed"}
    later = replace(checker, at=checker.at + MINUTE)
    killed(freezing.ask(period_id=ledger.periods["2017-01"].pk, controls={"debits": SALE}, caller=later))
    assert len(take_up()) == 1


def test_one_that_was_only_silent_seals_nothing_once_it_is_begun_anew(asked, checker, monkeypatch):
    differing = proving.differing_balances

    def and_meanwhile_somebody_looks(book_id):
        FreezeAttempt.objects.filter(pk=asked.pk).update(seen_at=NOW)
        assert len(take_up()) == 1
        return differing(book_id)

    monkeypatch.setattr(proving, "differing_balances", and_meanwhile_somebody_looks)
    with pytest.raises(errors.Refused) as refused:
        carry_out(asked, checker)
    assert [reason.code for reason in refused.value.reasons] == ["freeze_superseded"]
    assert (asked.state, Seal.objects.count()) == ("failed", 0)


def test_one_that_sealed_and_died_before_it_said_so_is_told_as_sealed(asked, checker):
    carry_out(asked, checker)
    FreezeAttempt.objects.filter(pk=asked.pk).update(state="running", seen_at=NOW, ended_at=None)
    assert take_up() == []
    asked.refresh_from_db()
    assert (asked.state, asked.reasons) == ("sealed", [])


def test_a_sign_of_life_keeps_it_from_being_begun_anew(asked):
    killed(asked)
    freezing.beat(attempt_id=asked.pk, at=NOW + MINUTE)
    assert take_up() == []
