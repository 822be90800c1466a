"""What can be spent now is what posting takes now, whatever is dated on later days."""

from datetime import UTC, date, datetime

import pytest

from ledger_app import errors
from ledger_app.models import Account
from ledger_app.points.queries import standing

pytestmark = pytest.mark.django_db
TODAY = date(2017, 1, 10)
NOON = datetime(2017, 1, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dated", "spendable"),
    [
        ([(5, 30), (20, 100)], 30),  # what comes later is not there today
        ([(5, 100), (20, -60)], 40),  # what is taken later is not there twice
        ([(20, 100)], 0),
        ([(5, 100), (20, -60), (25, 60)], 40),
    ],
)
def test_what_can_be_spent_now_counts_every_day_from_today_on(ledger, dated, spendable):
    for number, (day, amount) in enumerate(dated):
        ledger.post(ledger.draft(f"r-{number}", ("purse", amount), ("sales", -amount), on=date(2017, 1, day)))
    purse = Account.objects.select_related("book").get(pk=ledger.accounts["purse"].pk)
    assert standing.of([purse], at=NOON)[purse.pk].spendable == spendable
    with pytest.raises(errors.Refused):
        ledger.post(ledger.draft("more", ("purse", -spendable - 1), ("sales", spendable + 1), on=TODAY))
    if spendable:
        ledger.post(ledger.draft("as-much", ("purse", -spendable), ("sales", spendable), on=TODAY))
