"""Random histories in, the invariants out: the ledger against a model of it in memory."""

import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.models import Balance, Entry, Seal
from tests.support import samples
from tests.support.histories import STEPS_A_PROOF
from tests.support.reversing import reverse_entry

MONTHS = sorted(samples.MONTHS)
FLOORED = {"purse": 1, "wallet": -1}  # natural direction of the accounts with a floor of zero
CODES = ("cash", "purse", "wallet", "sales", "settlement", "M1-receivable")
BOOKS = itertools.count(1)

references = st.integers(1, 9).map(lambda number: f"r-{number}")
dates = st.sampled_from([date(2017, month, day) for month in (1, 2, 3, 4) for day in (1, 28)])
amounts = st.integers(-50, 50)
sides = st.lists(st.tuples(st.sampled_from(CODES), amounts), min_size=1, max_size=3)


def balanced(lines):
    """Return the lines with one that balances them, which may be zero."""
    return (*lines, ("cash", -sum(amount for _, amount in lines)))


def closings(dated, code, on):
    """Return what each day from ``on`` closes with that has lines of the account."""
    days = {day for each, day, _amount in dated if each == code and day >= on}
    return [sum(amount for each, other, amount in dated if each == code and other <= day) for day in days]


contents = st.tuples(dates, st.one_of(sides.map(balanced), sides.map(tuple)))


class Histories(RuleBasedStateMachine):
    """Posts, repeats, contradicts, reverses and freezes, and knows what should come of it."""

    def __init__(self, finance):
        super().__init__()
        self.ledger = samples.open_ledger(samples.machine_caller(), code=f"BOOK-{next(BOOKS)}")
        self.checker = Caller(user=finance, at=datetime(2017, 5, 1, tzinfo=UTC), door="command")
        self.entries = {}  # reference → (date, lines)
        self.reversed = {}  # reference of the reversed → date of the reversal
        self.balances = dict.fromkeys(CODES, 0)
        self.dated = []  # (code, date, amount) of every line
        self.frozen = 0
        self.steps = itertools.count(1)

    def is_free(self, on, lines):
        """Whether the model takes an entry that is not there yet."""
        month = f"{on:%Y-%m}"
        if month not in MONTHS or MONTHS.index(month) < self.frozen or len(lines) < 2:
            return False
        if any(amount == 0 for _, amount in lines) or sum(amount for _, amount in lines) != 0:
            return False
        after = [*self.dated]
        for code, amount in lines:
            after.append((code, on, amount))
            sign = FLOORED.get(code)
            if sign is not None and sign * amount < 0 and any(sign * closing < 0 for closing in closings(after, code, on)):
                return False
        return True

    def keep(self, reference, on, lines):
        self.entries[reference] = (on, lines)
        self.move(on, lines)

    def move(self, on, lines):
        for code, amount in lines:
            self.balances[code] += amount
            self.dated.append((code, on, amount))

    @rule(wanted=st.dictionaries(references, contents, min_size=1, max_size=3), lane=st.integers(0, 5))
    def post(self, wanted, lane):
        self.call(wanted, lane)

    @rule(data=st.data(), lane=st.integers(0, 5))
    def repeat_or_contradict(self, data, lane):
        standing = sorted(self.entries.keys() - self.reversed.keys())
        if not standing:
            return
        reference = data.draw(st.sampled_from(standing))
        on, lines = self.entries[reference]
        self.call({reference: data.draw(st.sampled_from([(on, lines), (on, lines[::-1]), (date(2017, 3, 9), lines)]))}, lane)

    def call(self, wanted, lane):
        before = dict(self.entries), dict(self.balances), [*self.dated]
        new, free = 0, True
        for reference, (on, lines) in wanted.items():
            there = self.entries.get(reference)
            if there is not None:
                free = free and there == (on, lines)
            elif self.is_free(on, lines):
                self.keep(reference, on, lines)
                new += 1
            else:
                free = False
        drafts = [self.ledger.draft(reference, *lines, on=on) for reference, (on, lines) in wanted.items()]
        if free:
            posted = self.ledger.post(*drafts, lane=lane)
            assert (posted.entry_count, posted.replayed_count) == (new, len(wanted) - new)
        else:
            self.entries, self.balances, self.dated = before
            with pytest.raises(errors.Refused):
                self.ledger.post(*drafts, lane=lane)

    @rule(data=st.data(), on=dates)
    def reverse(self, data, on):
        if not self.entries:
            return
        reference = data.draw(st.sampled_from(sorted(self.entries)))
        name, _, turn = reference.partition("~")
        earlier = sum(1 for each in self.reversed if each.startswith(f"{name}~"))
        entry = Entry.objects.get(book=self.ledger.book, reference=name, turn=int(turn) if turn else earlier)

        def work():
            return reverse_entry(entry_id=entry.pk, effective_on=on, reason="wrong", caller=self.ledger.caller)

        lines = tuple((code, -amount) for code, amount in self.entries[reference][1])
        if self.reversed.get(reference) == on:
            assert work().replayed_count == 1
        elif reference in self.reversed or not self.is_free(on, lines):
            with pytest.raises(errors.Refused):
                work()
        else:
            assert work().entry_count == 1
            # The reference is free for another from now on.
            self.entries[f"{reference}~{entry.turn}"] = self.entries.pop(reference)
            self.reversed[f"{reference}~{entry.turn}"] = on
            self.move(on, lines)

    @rule(month=st.sampled_from(MONTHS), off=st.sampled_from([0, 0, 0, 1]))
    def freeze(self, month, off):
        debits = sum(
            amount
            for on, lines in [
                *self.entries.values(),
                *((on, [(c, -a) for c, a in self.entries[key][1]]) for key, on in self.reversed.items()),
            ]
            for _, amount in lines
            if amount > 0 and f"{on:%Y-%m}" == month
        )

        def work():
            return periods.freeze(
                period_id=self.ledger.periods[month].pk,
                controls={"debits": debits + off},
                caller=self.checker,
                code_version="test",
            )

        if MONTHS.index(month) == self.frozen and not off:
            assert work().number == self.frozen + 1
            self.frozen += 1
        else:
            with pytest.raises(errors.Refused):
                work()

    @invariant()
    def nothing_is_breached_now_and_then(self):
        if next(self.steps) % STEPS_A_PROOF == 0:
            self.nothing_is_breached()

    def teardown(self):
        if hasattr(self, "ledger"):
            self.nothing_is_breached()

    def nothing_is_breached(self):
        found = [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([self.ledger.book]))]
        assert found == []

    @invariant()
    def the_ledger_is_as_the_model(self):
        held = dict.fromkeys(CODES, 0)
        for code, amount in Balance.objects.filter(account__book=self.ledger.book).values_list("account__code", "amount"):
            if code in held:
                held[code] += amount
        assert held == self.balances
        assert Entry.objects.filter(book=self.ledger.book).count() == len(self.entries) + len(self.reversed)
        assert Seal.objects.filter(book=self.ledger.book).count() == self.frozen


def test_random_histories_keep_what_must_always_hold(finance):
    run_state_machine_as_test(
        lambda: Histories(finance),  # type: ignore[arg-type]  # it takes whatever makes a machine
        settings=settings(max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]),
    )
