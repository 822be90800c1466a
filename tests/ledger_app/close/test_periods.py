"""Provisional, open again, frozen for ever: each guard, the chain of seals, and a row for every attempt."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import translation

from ledger_app import errors
from ledger_app.books.operations import books
from ledger_app.books.rules.periods import Unfinished
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing, seals
from ledger_app.models import AuditRow, Book, Period, Seal
from tests.support import ledger_clocks as clocks
from tests.support import samples

SALE = 700


def freeze(ledger, name, caller, **controls):
    return periods.freeze(
        period_id=ledger.periods[name].pk, controls=controls or {"debits": SALE}, caller=caller, code_version="test"
    )


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def refuse(ledger, name, caller, **controls):
    with pytest.raises(errors.Refused) as refused:
        freeze(ledger, name, caller, **controls)
    ledger.periods[name].refresh_from_db()
    assert ledger.periods[name].state != "frozen"
    assert not Seal.objects.filter(period=ledger.periods[name]).exists()
    row = AuditRow.objects.filter(outcome="refused", subject_id=ledger.periods[name].pk).latest("id")
    assert [reason["code"] for reason in row.reasons] == codes(refused)
    assert (row.action, row.actor, row.from_state, row.to_state) == ("freeze", caller.user, ledger.periods[name].state, "")
    return codes(refused)


def test_a_freeze_writes_a_seal_the_state_and_one_audit_row(ledger, checker):
    ledger.sell("r-1", SALE)
    written_at = checker.at + timedelta(seconds=9)  # it waited for a lock
    with clocks.stands_at(written_at):
        seal = freeze(ledger, "2017-01", checker, debits=SALE, entries=1, cash=SALE, sales=-SALE)
    period = Period.objects.get(pk=ledger.periods["2017-01"].pk)
    assert (period.state, period.version) == ("frozen", 2)
    assert (seal.number, seal.previous, seal.entry_count, seal.line_count, seal.debit_total) == (1, None, 1, 2, SALE)
    assert (seal.sealed_by, seal.sealed_at, seal.code_version, seal.form) == (checker.user, written_at, "test", seals.FORM)
    assert seal.controls == {"debits": SALE, "entries": 1, "cash": SALE, "sales": -SALE}
    assert seal.trial_balance == [
        {"category": "asset", "role": "cash", "opening": 0, "debit": SALE, "credit": 0, "closing": SALE},
        {"category": "income", "role": "sales", "opening": 0, "debit": 0, "credit": SALE, "closing": -SALE},
    ]
    (row,) = AuditRow.objects.filter(subject_type="period")
    assert (row.outcome, row.action, row.from_state, row.to_state, row.at) == ("done", "freeze", "open", "frozen", checker.at)
    assert row.facts["seal"] == bytes(seal.digest).hex()
    assert period.history.latest().history_user == checker.user


def test_an_empty_period_can_be_frozen(ledger, checker):
    assert freeze(ledger, "2017-01", checker, entries=0).entry_count == 0


def test_seals_are_chained_and_openings_carried_on(ledger, checker, caller_of, finance):
    ledger.sell("r-1", SALE)
    ledger.sell("r-2", 30, on=date(2017, 2, 3))
    first = freeze(ledger, "2017-01", checker)
    second = freeze(ledger, "2017-02", caller_of(finance, at=datetime(2017, 3, 1, tzinfo=UTC)), debits=30)
    assert (second.number, second.previous) == (2, first)
    assert {(row["role"], row["opening"], row["closing"]) for row in second.trial_balance} == {
        ("cash", SALE, SALE + 30),
        ("sales", -SALE, -SALE - 30),
    }


def test_books_have_chains_of_their_own(ledger, checker):
    other = samples.open_ledger(ledger.caller, code="POINTS")
    assert freeze(ledger, "2017-01", checker, entries=0).number == 1
    assert freeze(other, "2017-01", checker, entries=0).number == 1


@pytest.mark.parametrize(
    ("zone", "at", "is_free"),
    [
        ("UTC", datetime(2017, 1, 31, 23, 59, 59, tzinfo=UTC), False),
        ("UTC", datetime(2017, 2, 1, tzinfo=UTC), True),
        ("Asia/Tokyo", datetime(2017, 1, 31, 14, 59, 59, tzinfo=UTC), False),
        ("Asia/Tokyo", datetime(2017, 1, 31, 15, tzinfo=UTC), True),
        ("America/New_York", datetime(2017, 2, 1, 4, 59, tzinfo=UTC), False),
        ("America/New_York", datetime(2017, 2, 1, 5, tzinfo=UTC), True),
    ],
)
def test_a_period_freezes_when_its_last_day_has_passed_where_the_book_lives(db, finance, caller_of, zone, at, is_free):
    ledger = samples.open_ledger(samples.machine_caller(), time_zone=zone)
    if is_free:
        assert freeze(ledger, "2017-01", caller_of(finance, at=at), entries=0).number == 1
    else:
        assert refuse(ledger, "2017-01", caller_of(finance, at=at), entries=0) == ["period_not_ended"]


def test_periods_freeze_in_their_order(ledger, finance, caller_of):
    in_april = caller_of(finance, at=datetime(2017, 4, 1, tzinfo=UTC))
    assert refuse(ledger, "2017-03", in_april, entries=0) == ["earlier_period_open", "earlier_period_open"]


def test_a_period_that_comes_first_is_told_with_its_state_in_the_language_of_the_reader(ledger, finance, caller_of):
    in_march = caller_of(finance, at=datetime(2017, 3, 1, tzinfo=UTC))
    with pytest.raises(errors.Refused) as refused:
        freeze(ledger, "2017-02", in_march, entries=0)
    assert "2017-01 comes before this one and is Open" in refused.value.sentence
    with translation.override("ja"):
        assert "2017-01 が 受付中 です" in refused.value.sentence


@pytest.mark.parametrize("role", ["engineer", "support", "auditor", "outsider"])
def test_only_finance_freezes(ledger, caller_of, request, role):
    user = request.getfixturevalue(role)
    assert refuse(ledger, "2017-01", caller_of(user, at=samples.AFTER_JANUARY), entries=0) == ["not_permitted"]


def test_the_system_freezes_nothing(ledger):
    assert refuse(ledger, "2017-01", ledger.caller, entries=0) == ["not_permitted"]


def test_unfinished_work_holds_a_freeze_up(ledger, checker, monkeypatch):
    monkeypatch.setattr(
        closing, "_unfinished", [lambda period: [Unfinished("Batch", f"card {period.name}", "applying", "", "", "", 0, "")]]
    )
    assert refuse(ledger, "2017-01", checker, entries=0) == ["work_unfinished"]


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ({"debits": SALE - 1}, ["control_differs"]),
        ({"debits": SALE + 1, "cash": SALE}, ["control_differs"]),
        ({"debts": SALE}, ["control_unknown"]),
        ({"nothing": 0, "sales": SALE}, ["control_unknown", "control_differs"]),
    ],
)
def test_control_totals_match_to_the_last_unit(ledger, checker, controls, expected):
    ledger.sell("r-1", SALE)
    assert refuse(ledger, "2017-01", checker, **controls) == expected


def test_a_freeze_without_a_control_total_is_refused(ledger, checker):
    with pytest.raises(errors.Refused) as refused:
        periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={}, caller=checker, code_version="test")
    assert codes(refused) == ["control_missing"]


def test_a_balance_that_is_not_its_lines_holds_a_freeze_up(ledger, checker):
    ledger.sell("r-1", SALE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_app_balance SET amount = amount + 1 WHERE amount > 0")
    assert refuse(ledger, "2017-01", checker) == ["balances_differ"]


def test_all_reasons_come_at_once(ledger, engineer, caller_of):
    early = caller_of(engineer, at=datetime(2017, 1, 5, tzinfo=UTC))
    assert refuse(ledger, "2017-02", early, debits=1) == [
        "not_permitted",
        "period_not_ended",
        "earlier_period_open",
        "control_differs",
    ]


def test_a_frozen_period_is_not_frozen_again(ledger, checker):
    seal = freeze(ledger, "2017-01", checker, entries=0)
    with pytest.raises(errors.Refused) as refused:
        freeze(ledger, "2017-01", checker, entries=0)
    assert codes(refused) == ["wrong_state"]
    assert list(Seal.objects.all()) == [seal]
    assert AuditRow.objects.filter(outcome="refused", action="freeze", from_state="frozen").count() == 1


def test_a_frozen_period_takes_no_entry_and_later_ones_do(ledger, checker):
    freeze(ledger, "2017-01", checker, entries=0)
    with pytest.raises(errors.Refused) as refused:
        ledger.sell("r-1", SALE, on=date(2017, 1, 31))
    assert codes(refused) == ["period_frozen"]
    assert ledger.sell("r-1", SALE, on=date(2017, 2, 1)).entry_count == 1


def change(ledger, name, caller, *, reason="", version=None):
    return periods.change(period_id=ledger.periods["2017-01"].pk, name=name, caller=caller, reason=reason, version=version)


def test_a_period_becomes_provisional_and_open_again_with_a_reason(ledger, checker):
    assert change(ledger, "provisional", checker).state == "provisional"
    with pytest.raises(errors.Refused) as refused:
        change(ledger, "reopen", checker, reason="  ")
    assert codes(refused) == ["reason_required"]
    assert change(ledger, "reopen", checker, reason="A late file").version == 3
    rows = AuditRow.objects.filter(subject_type="period").order_by("id")
    assert list(rows.values_list("action", "outcome", "from_state", "to_state", "reason")) == [
        ("provisional", "done", "open", "provisional", ""),
        ("reopen", "refused", "provisional", "", "  "),
        ("reopen", "done", "provisional", "open", "A late file"),
    ]


def test_a_provisional_period_can_be_frozen_and_not_reopened_after(ledger, checker):
    change(ledger, "provisional", checker)
    freeze(ledger, "2017-01", checker, entries=0)
    for name in ("reopen", "provisional"):
        with pytest.raises(errors.Refused) as refused:
            change(ledger, name, checker, reason="Please")
        assert codes(refused) == ["wrong_state"]


def test_what_changed_since_it_was_shown_is_stale(ledger, checker):
    change(ledger, "provisional", checker, version=1)
    with pytest.raises(errors.Refused) as refused:
        change(ledger, "reopen", checker, reason="x", version=1)
    assert codes(refused) == ["stale"]


def test_a_reason_that_does_not_fit_is_refused_and_cut_in_the_row(ledger, checker):
    with pytest.raises(errors.Refused) as refused:
        change(ledger, "provisional", checker, reason="x" * 501)
    assert codes(refused) == ["reason_too_long"]
    assert len(AuditRow.objects.get(outcome="refused").reason) == 500


@pytest.mark.parametrize("name", ["freeze", "frozen", "thaw", ""])
def test_a_change_is_provisional_or_reopen_and_never_a_freeze_without_its_proofs(ledger, checker, name):
    with pytest.raises(errors.Refused) as refused:
        change(ledger, name, checker, reason="x")
    assert codes(refused) == ["not_found"]
    assert Period.objects.get(pk=ledger.periods["2017-01"].pk).state == "open"


def open_period(book, name, starts_on, ends_on, caller):
    return books.open_period(book=book, name=name, starts_on=starts_on, ends_on=ends_on, caller=caller)


@pytest.mark.parametrize(
    ("name", "starts_on", "ends_on", "code"),
    [
        ("2017-04", date(2017, 4, 30), date(2017, 4, 1), "period_span_invalid"),
        ("2017-Q1", date(2017, 3, 31), date(2017, 4, 30), "period_overlaps"),
        ("2017-01", date(2017, 1, 1), date(2017, 1, 30), "definition_conflict"),
        ("2017-04\nfrozen", date(2017, 4, 1), date(2017, 4, 30), "code_invalid"),
        ("x" * 21, date(2017, 4, 1), date(2017, 4, 30), "code_invalid"),
    ],
)
def test_a_period_that_cannot_be_is_refused(ledger, name, starts_on, ends_on, code):
    with pytest.raises(errors.Refused) as refused:
        open_period(ledger.book, name, starts_on, ends_on, ledger.caller)
    assert codes(refused) == [code]


def test_periods_are_opened_from_either_end_and_the_first_lies_anywhere(ledger):
    assert open_period(ledger.book, "2016-12", date(2016, 12, 5), date(2016, 12, 31), ledger.caller).state == "open"
    assert open_period(ledger.book, "2017-04", date(2017, 4, 1), date(2017, 6, 3), ledger.caller).state == "open"
    other = books.open_book(code="OTHER", name="x", unit="JPY", exponent=0, time_zone="UTC", caller=ledger.caller)
    assert open_period(other, "2001-07", date(2001, 7, 3), date(2001, 7, 3), ledger.caller).state == "open"


def frozen_to_march(ledger, finance, caller_of):
    for number, name in enumerate(("2017-01", "2017-02", "2017-03"), 2):
        freeze(ledger, name, caller_of(finance, at=datetime(2017, number, 1, tzinfo=UTC)), entries=0)


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2017, 5, 1), date(2017, 5, 31)),
        (date(2017, 4, 2), date(2017, 4, 30)),
        (date(9999, 12, 1), date.max),
    ],
)
def test_no_period_opens_away_from_a_frozen_one(ledger, finance, caller_of, starts_on, ends_on):
    frozen_to_march(ledger, finance, caller_of)
    with pytest.raises(errors.Refused) as refused:
        open_period(ledger.book, "x", starts_on, ends_on, ledger.caller)
    assert codes(refused) == ["period_gap"]
    assert "2017-04-01 to " in refused.value.sentence
    open_period(ledger.book, "2017-04", date(2017, 4, 1), date(2017, 4, 30), ledger.caller)
    open_period(ledger.book, "2017-06", date(2017, 6, 1), date(2017, 6, 30), ledger.caller)


@pytest.fixture
def gap(transactional_db, ledger):
    """May after March, while both are open."""
    open_period(ledger.book, "2017-05", date(2017, 5, 1), date(2017, 5, 31), ledger.caller)
    return ledger


def test_days_that_were_left_out_are_not_frozen_over_and_are_filled_from_either_side(gap, finance, caller_of):
    frozen_to_march(gap, finance, caller_of)
    in_june = caller_of(finance, at=datetime(2017, 6, 1, tzinfo=UTC))
    may = Period.objects.get(name="2017-05")
    gap.periods["2017-05"] = may
    assert refuse(gap, "2017-05", in_june, entries=0) == ["period_gap"]
    open_period(gap.book, "2017-04-2", date(2017, 4, 15), date(2017, 4, 30), gap.caller)
    assert refuse(gap, "2017-05", in_june, entries=0) == ["earlier_period_open"]
    open_period(gap.book, "2017-04-1", date(2017, 4, 1), date(2017, 4, 14), gap.caller)
    for name in ("2017-04-1", "2017-04-2", "2017-05"):
        gap.periods[name] = Period.objects.get(name=name)
        freeze(gap, name, in_june, entries=0)


def test_no_period_opens_before_a_frozen_one(ledger, checker):
    freeze(ledger, "2017-01", checker, entries=0)
    with pytest.raises(errors.Refused) as refused:
        open_period(ledger.book, "2016-12", date(2016, 12, 1), date(2016, 12, 31), ledger.caller)
    assert codes(refused) == ["period_before_seal"]
    assert open_period(ledger.book, "2017-04", date(2017, 4, 1), date(2017, 4, 30), ledger.caller).state == "open"


def test_opening_again_what_is_there_changes_nothing(ledger):
    before = Period.objects.count(), Book.objects.count()
    again = samples.open_ledger(ledger.caller)
    assert again.periods == ledger.periods
    assert (Period.objects.count(), Book.objects.count()) == before


@pytest.mark.parametrize(
    ("opening", "code"),
    [
        (books.AccountOpening("purse", "purse", "asset", floor=5), "definition_conflict"),
        (books.AccountOpening("purse", "purse", "asset"), "definition_conflict"),
        (books.AccountOpening("cash", "cash", "expense"), "definition_conflict"),
        (books.AccountOpening("cash", "cash", "asset", stripes=2), "definition_conflict"),
        (books.AccountOpening("a b", "cash", "asset"), "code_invalid"),
        (books.AccountOpening("x\n", "cash", "asset"), "code_invalid"),
    ],
)
def test_an_account_is_not_opened_as_something_else(ledger, opening, code):
    with pytest.raises(errors.Refused) as refused:
        books.open_accounts(book=ledger.book, openings=[opening], caller=ledger.caller)
    assert codes(refused) == [code]


def test_a_book_is_not_opened_as_something_else(ledger):
    properties = {"name": "x", "unit": "JPY", "exponent": 0, "time_zone": "UTC", "caller": ledger.caller}
    for changed, code in (
        ({"exponent": 2}, "definition_conflict"),
        ({"code": "x" * 21}, "code_invalid"),
        ({"code": ""}, "code_invalid"),
    ):
        with pytest.raises(errors.Refused) as refused:
            books.open_book(**({"code": "CARD"} | properties | changed))
        assert codes(refused) == [code]
