"""An entry is reversed on its own date while that is possible, else openly in the first period that takes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_app.posting.rules import forms
from ledger_app.posting.rules.reversal_dates import Outcome, description, outcome
from ledger_app.values.locked import LockedPeriod

SPANS = (
    ("2017-01", date(2017, 1, 1), date(2017, 1, 31)),
    ("2017-02", date(2017, 2, 1), date(2017, 2, 28)),
    ("2017-03", date(2017, 3, 1), date(2017, 3, 31)),
)
STATES = ("open", "provisional", "frozen")


def periods(*states: str) -> list[LockedPeriod]:
    return [LockedPeriod(*span, state) for span, state in zip(SPANS, states, strict=True)]


@pytest.mark.parametrize(
    ("on", "states", "expected"),
    [
        (date(2017, 1, 31), ("open", "open", "open"), Outcome("2017-01", None)),
        (date(2017, 2, 28), ("frozen", "open", "open"), Outcome("2017-02", None)),
        (date(2017, 1, 31), ("frozen", "open", "open"), Outcome("2017-01", date(2017, 2, 1))),
        (date(2017, 1, 1), ("provisional", "open", "open"), Outcome("2017-01", date(2017, 2, 1))),
        (date(2017, 1, 1), ("frozen", "provisional", "open"), Outcome("2017-01", date(2017, 3, 1))),
        (date(2017, 3, 1), ("open", "open", "frozen"), None),
        (date(2017, 2, 1), ("open", "provisional", "provisional"), None),
        (date(2016, 12, 31), ("open", "open", "open"), None),
    ],
)
def test_an_entry_is_reversed(on: date, states: tuple[str, ...], expected: Outcome | None) -> None:
    held = periods(*states)
    assert outcome(on, held) == outcome(on, held[::-1]) == expected


@given(st.dates(date(2017, 1, 1), date(2017, 3, 31)), st.tuples(*[st.sampled_from(STATES)] * 3))
def test_it_is_never_dated_earlier_nor_into_a_period_that_is_not_open(on: date, states: tuple[str, ...]) -> None:
    found = outcome(on, periods(*states))
    if found is None:
        return
    day = found.moved_to or on
    assert day >= on
    (into,) = [period for period in periods(*states) if period.starts_on <= day <= period.ends_on]
    assert into.state == "open"
    assert (found.moved_to is None) == (into.name == found.period)


def test_what_is_moved_says_which_period_it_corrects() -> None:
    assert description("till:s1") == "Reversal of till:s1"
    assert description("till:s1", prior_period="2017-01") == "Reversal of till:s1, prior period 2017-01"


def test_the_longest_names_make_a_description_that_is_kept() -> None:
    assert forms.DESCRIPTION.fullmatch(description("r" * 100, prior_period="p" * 20))
