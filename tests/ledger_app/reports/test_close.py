"""Whatever was posted: the balances at the end of a period come to the closing of its seal."""

from datetime import date, timedelta

from django.contrib.auth.models import Group
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.explain.queries import balances
from ledger_app.models import Account, User
from tests.support import samples

FREE = ("cash", "sales", "settlement", "M1-receivable", "M2-receivable")
SALES = st.tuples(st.integers(0, 89), st.sampled_from(FREE), st.sampled_from(FREE), st.integers(1, 10**12), st.integers(0, 7))


class CloseTest(TestCase):
    """One history an example."""

    @given(history=st.lists(SALES, max_size=25))
    @settings(max_examples=25, deadline=None)
    def test_balances_at_the_end_of_a_period_are_the_closing_of_its_seal(
        self, history: list[tuple[int, str, str, int, int]]
    ) -> None:
        ledger = samples.open_ledger(samples.machine_caller())
        for number, (day, debit, credit, amount, lane) in enumerate(history):
            on = date(2017, 1, 1) + timedelta(days=day)
            ledger.post(ledger.draft(f"h-{number}", (debit, amount), (credit, -amount), on=on), lane=lane)
        finance = User.objects.create_user(username="closer", password="-")
        finance.groups.add(Group.objects.get(name="finance"))
        kinds = {account.code: (account.category, account.role) for account in Account.objects.filter(book=ledger.book)}
        for name, (_, ends_on) in samples.MONTHS.items():
            caller = Caller(finance, samples.AFTER_JANUARY.replace(year=2018), "command")
            debits = sum(amount for day, *_, amount, _lane in history if month_of(day) == name)
            seal = periods.freeze(
                period_id=ledger.periods[name].pk, controls={"debits": debits}, caller=caller, code_version="test"
            )
            summed: dict[tuple[str, str], int] = {}
            for row in balances.of_book(ledger.book, at=ends_on):
                summed[kinds[row.code]] = summed.get(kinds[row.code], 0) + row.amount
            closing = {(row["category"], row["role"]): row["closing"] for row in seal.trial_balance}
            assert {kind: total for kind, total in summed.items() if total} == {
                kind: total for kind, total in closing.items() if total
            }


def month_of(day: int) -> str:
    return f"{date(2017, 1, 1) + timedelta(days=day):%Y-%m}"
