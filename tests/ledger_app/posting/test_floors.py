"""Days of an account that has a floor: what each closes with, and which is the lowest."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger_app.members.rules.merges import parts_by_day
from ledger_app.posting.rules.floors import Days

FIRST = date(2017, 1, 1)
days = st.integers(0, 12).map(lambda number: FIRST + timedelta(days=number))
added = st.dictionaries(days, st.integers(-9, 9), max_size=6)


def closings(there, on, sign):
    """What each day from ``on`` closes with, counted one by one."""
    found = {}
    day = on
    while day <= max([on, *there]):
        found[day] = sign * sum(amount for other, amount in there.items() if other <= day)
        day += timedelta(days=1)
    return found


@given(there=added, on=days, sign=st.sampled_from([1, -1]))
def test_the_lowest_day_is_the_lowest_of_all_that_come(there, on, sign):
    one_by_one = closings(there, on, sign)
    lowest, lowest_on = Days(there).lowest(on, after=sum(there.values()), sign=sign)
    assert lowest == min(one_by_one.values())
    assert lowest_on == min(day for day, closing in one_by_one.items() if closing == lowest)


@given(there=added, on=days, due=st.dictionaries(days, st.integers(0, 9), max_size=4))
def test_what_is_due_by_a_day_is_left_out_of_what_it_has(there, on, due):
    left = {
        day: closing - sum(amount for due_on, amount in due.items() if due_on <= day)
        for day, closing in closings(there, on, 1).items()
    }
    # After the last day that has lines, all goes that is due at all.
    left[date.max] = sum(there.values()) - sum(due.values())
    assert Days(there).lowest_left(on, after=sum(there.values()), sign=1, due=due)[0] == min(left.values())


@given(there=added, on=days, sign=st.sampled_from([1, -1]))
def test_what_moves_on_later_days_leaves_no_day_below_zero_that_was_not(there, on, sign):
    later = {day: amount for day, amount in there.items() if day > on}
    balance = sum(there.values())
    parts = parts_by_day(balance=balance, later=later, sign=sign)
    first = balance - sum(part.amount for part in parts)
    assert all(part.amount * sign > 0 and part.on > on for part in parts)
    before = closings(there, on, sign)
    for day, closing in before.items():
        left = closing - sign * (first + sum(part.amount for part in parts if part.on <= day))
        assert left >= 0
