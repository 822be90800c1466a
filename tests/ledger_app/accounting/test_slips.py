"""Whatever an entry has on its sides, its rows come to just that: no yen more, none less, none moved from one account to another."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_app.accounting.rules.profiles import AccountRule, Side
from ledger_app.accounting.rules.slips import pairs

pytestmark = pytest.mark.anywhere
RULES = [AccountRule((("role", name),), Side(name, tax_class="対象外")) for name in "abcd"]


@st.composite
def balanced(draw: st.DrawFn) -> list[tuple[AccountRule, int]]:
    amounts = draw(st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=12))
    if total := sum(amounts):
        amounts.append(-total)
    return [(draw(st.sampled_from(RULES)), amount) for amount in amounts]


@given(balanced())
def test_the_rows_of_an_entry_come_to_its_lines(sides: list[tuple[AccountRule, int]]) -> None:
    debits, credits_, wanted_debits, wanted_credits = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    made = list(pairs(sides))
    for debit, credit, amount in made:
        assert amount > 0
        debits[debit.side.account] += amount
        credits_[credit.side.account] += amount
    for rule, amount in sides:
        (wanted_debits if amount > 0 else wanted_credits)[rule.side.account] += abs(amount)
    assert (debits, credits_) == (wanted_debits, wanted_credits)
    assert len(made) < len(sides), "no more rows than lines"
