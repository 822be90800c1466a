"""The rules of lots, over whatever comes: what is granted, taken, given back and owed always comes to the balance."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_app.posting.rules.lot_decisions import Line, LotDecision
from ledger_app.posting.rules.lots import Done, Grant, LockedLot, LockedLots, Named, Rule, allocate, expires_on

DAY = date(2017, 1, 10)
RULE = Rule("days", 10, None, "free_first", "free")


@pytest.mark.parametrize(
    ("rule", "on", "last"),
    [
        (Rule("never", None, None, "free_first", "free"), DAY, None),
        (Rule("days", 20, None, "free_first", "free"), DAY, date(2017, 1, 30)),
        (Rule("months", 1, None, "free_first", "free"), date(2017, 1, 31), date(2017, 2, 28)),
        (Rule("months", 24, None, "free_first", "free"), date(2017, 12, 1), date(2019, 12, 31)),
        (Rule("months", 11, None, "free_first", "free"), date(2017, 1, 1), date(2017, 12, 31)),
        (Rule("fixed", None, date(2018, 3, 31), "free_first", "free"), DAY, date(2018, 3, 31)),
    ],
)
def test_the_last_day_is_what_the_rule_says(rule, on, last):
    assert expires_on(rule, on) == last


@pytest.mark.parametrize(
    ("order", "first_three"),
    [("free_first", [3, 2, 4]), ("paid_first", [2, 3, 4]), ("oldest_first", [1, 4, 3])],
)
def test_lots_are_taken_in_the_order_of_the_rule(order, first_three):
    there = [
        LockedLot(1, "free", date(2016, 1, 1), None, 10, 0),
        LockedLot(2, "paid", date(2016, 12, 1), date(2017, 1, 10), 10, 0),
        LockedLot(3, "free", date(2016, 11, 1), date(2017, 1, 10), 10, 0),
        LockedLot(4, "free", date(2016, 2, 1), date(2017, 1, 11), 10, 0),
        LockedLot(5, "free", date(2015, 2, 1), date(2017, 1, 9), 10, 0),
        LockedLot(6, "free", date(2015, 2, 1), date(2017, 1, 10), 10, 10),
    ]
    takings, short = allocate(there, order=order, on=DAY, amount=25)
    assert [lot for lot, _amount in takings] == first_three
    assert (sum(amount for _lot, amount in takings), short) == (25, 0)
    assert allocate(there, order=order, on=DAY, amount=45)[1] == 5


amounts = st.integers(-60, 60).filter(bool)
steps = st.lists(st.tuples(amounts, st.integers(0, 30), st.sampled_from([None, 3, 15])), min_size=1, max_size=25)


def whole(decision: LotDecision) -> int:
    return sum(left.remaining for left in decision.remainders().values())


@given(steps=steps, floor=st.sampled_from([None, 0, -50]))
def test_what_is_left_of_lots_is_the_sum_of_the_lines_that_passed(steps, floor):
    decision = LotDecision({1: LockedLots("M1", 1, 1, floor, RULE, ())}, {})
    balance, on = 0, DAY
    for place, (amount, days, last) in enumerate(steps):
        on += timedelta(days=days)
        named = Named(grants=(Grant("paid", amount, on + timedelta(days=last)),)) if last and amount > 0 else None
        if floor is not None and amount < 0 and balance + amount < floor:
            continue  # what post refuses before it asks about lots
        refusals = decision.ask([Line(place, 1, amount, on, f"e-{place}")], named=named, moves_lots=False, reverses=None)
        if refusals:
            # Post would plan nothing of the whole call; what was decided so far is what counts.
            return
        balance += amount
        assert whole(decision) == balance
        uses = sum(use.amount for use in decision.uses if use.line == place)
        made = sum(lot.amount for lot in decision.lots if lot.line == place)
        assert made - uses == amount
        owed = -sum(left.remaining for left in decision.remainders().values() if left.remaining < 0)
        assert floor is None or owed <= -floor


kept = st.lists(
    st.tuples(st.sampled_from(["free", "paid", "deficit"]), st.integers(-9, 9), st.integers(1, 9), st.sampled_from([None, 12])),
    min_size=2,
    max_size=8,
)


@given(rows=kept, data=st.data(), amount=amounts, order=st.sampled_from(["free_first", "paid_first", "oldest_first"]))
def test_what_is_decided_does_not_depend_on_the_order_in_which_lots_were_read(rows, data, amount, order):
    def decided(lots):
        decision = LotDecision({1: LockedLots("M1", 1, 1, None, RULE._replace(order=order), tuple(lots))}, {})
        refusals = decision.ask([Line(0, 1, amount, DAY, "e")], named=None, moves_lots=False, reverses=None)
        return refusals, decision.uses, decision.lots

    there = [
        LockedLot(
            number,
            kind,
            DAY + timedelta(days=since),
            DAY + timedelta(days=last) if last and kind != "deficit" else None,
            -left if kind == "deficit" else left,
            0,
        )
        for number, (kind, since, left, last) in enumerate(rows, start=1)
    ]
    assert decided(there) == decided(data.draw(st.permutations(there)))


def test_what_is_owed_longest_is_paid_first_whatever_was_written_when():
    owed = LockedLot(1, "deficit", DAY, None, -22, 0), LockedLot(2, "deficit", DAY - timedelta(days=5), None, -20, 0)
    decision = LotDecision({1: LockedLots("M1", 1, 1, None, RULE, owed)}, {})
    assert decision.ask([Line(0, 1, 30, DAY, "e")], named=None, moves_lots=False, reverses=None) == []
    assert {number: left.remaining for number, left in decision.remainders().items() if number > 0} == {1: -12, 2: 0}


@given(granted=st.lists(st.integers(1, 50), min_size=1, max_size=6), spent=st.integers(1, 300))
def test_a_spend_and_its_reversal_leave_every_lot_as_it_was(granted, spent):
    there = tuple(
        LockedLot(number, "free", DAY, DAY + timedelta(days=number), amount, 0) for number, amount in enumerate(granted, 1)
    )
    spending = LotDecision({1: LockedLots("M1", 1, 1, None, RULE, there)}, {})
    assert spending.ask([Line(0, 1, -spent, DAY, "s")], named=None, moves_lots=False, reverses=None) == []
    # As they are written: a lot that is planned gets a number, one that is used up has no remainder.
    number = {-1 - place: 100 + place for place in range(len(spending.lots))}
    left = {number.get(ref, ref): each for ref, each in spending.remainders().items()}
    after = [
        LockedLot(lot.id, lot.kind, lot.granted_on, lot.due_on, *((left[lot.id][3], 0) if lot.id in left else (lot.remaining, 0)))
        for lot in there
    ]
    after += [
        LockedLot(number[-1 - place], lot.kind, lot.granted_on, None, lot.amount, 0) for place, lot in enumerate(spending.lots)
    ]
    after = [lot._replace(is_open=bool(lot.remaining)) for lot in after]
    uses = tuple((use.lot, use.amount) for use in spending.uses)
    made = tuple((number[-1 - place], lot.amount) for place, lot in enumerate(spending.lots))
    back = LotDecision({1: LockedLots("M1", 1, 1, None, RULE, tuple(after))}, {7: [Done(1, -spent, uses, made)]})
    assert back.ask([Line(0, 1, spent, DAY, "r")], named=None, moves_lots=False, reverses=7) == []
    rest = {lot.id: lot.remaining for lot in after} | {ref: each.remaining for ref, each in back.remainders().items()}
    assert {lot.id: rest[lot.id] for lot in there} == {lot.id: lot.remaining for lot in there}
    assert sum(rest.values()) == sum(granted)
    assert back.lots == []


def test_points_move_with_kind_and_days_and_held_ones_do_not():
    there = (LockedLot(1, "paid", DAY, date(2017, 5, 1), 30, 0), LockedLot(2, "free", DAY, None, 10, 4))
    held = {1: LockedLots("M1", 1, 1, 0, RULE, there), 2: LockedLots("M2", 1, 1, 0, RULE, ())}
    decision = LotDecision(held, {})
    lines = [Line(0, 1, -36, DAY, "m"), Line(1, 2, 36, DAY, "m")]
    assert decision.ask(lines, named=None, moves_lots=True, reverses=None) == []
    assert [(lot.kind, lot.expires_on, lot.amount) for lot in decision.lots] == [
        ("paid", date(2017, 5, 1), 30),
        ("free", None, 6),
    ]
    again = LotDecision(held, {})
    lines = [Line(0, 1, -40, DAY, "m"), Line(1, 2, 40, DAY, "m")]
    assert [reason.code for reason in again.ask(lines, named=None, moves_lots=True, reverses=None)] == ["lots_short"]
