"""Months are opened within the calendar, and as many as were asked for."""

from datetime import date

import pytest

from ledger_app import errors
from ledger_app.members.operations import opening
from ledger_app.models import Period
from tests.support.samples import machine_caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("first", "months"),
    [(date(9998, 12, 31), 13), (date(2030, 1, 1), opening.MONTHS_MOST + 1), (date(2030, 1, 1), 0)],
)
def test_months_that_cannot_be_opened_are_refused_and_none_is_opened(ledger, maker, first, months):
    before = Period.objects.count()
    with pytest.raises(errors.Refused) as refused:
        opening.open_months(book=ledger.book, first=first, months=months, caller=maker)
    assert [reason.code for reason in refused.value.reasons] == ["number_out_of_range"]
    assert Period.objects.count() == before


def test_where_no_month_is_left_that_is_said_and_which_is_the_last(ledger, maker):
    with pytest.raises(errors.Refused) as refused:
        opening.open_months(book=ledger.book, first=date(9999, 12, 1), months=1, caller=maker)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.facts) == ("no_month_left", {"first": "9999-12", "last": "9999-11"})


def test_the_last_month_but_one_and_early_years_are_months(ledger):
    assert opening.open_months(book=ledger.book, first=date(9999, 11, 5), months=1, caller=machine_caller()).opened == ["9999-11"]
    assert opening.open_months(book=ledger.book, first=date(987, 1, 1), months=1, caller=machine_caller()).opened == ["0987-01"]
