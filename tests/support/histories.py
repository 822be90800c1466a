"""A book of points and its model, step by step: the ground of random histories, with the steps that need no second person."""

import copy
import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger_app import errors
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Account, Balance, Entry, Hold, OpenLot
from ledger_app.points.operations import expiry, holds
from ledger_app.posting.rules.lots import Grant, Named
from tests.support import lot_samples, lots_model, samples
from tests.support.lots_model import Model, No
from tests.support.reversing import reverse_entry

BOOKS = itertools.count(1)
ALONE, MOST = 40, 60  # finance decides as much alone, and as much with a second
NEW = "new"  # an entry whose number is not known before it is posted
picks = st.integers(0, 999)
amounts = st.integers(1, 60)
dated = st.sampled_from([0, 0, 0, -25, -10, -3, -1, 1, 4, 15, 40])  # days from today: entries come in any order


STEPS_A_PROOF = 8


class PointsHistories(RuleBasedStateMachine):
    """Each step is taken in the ledger and in the model: both take it, or both refuse it."""

    def __init__(self, people):
        super().__init__()
        self.people = people
        self.today = date(2017, 1, 3)
        self.proposals = {}  # adjustment → (account, amount, date, whether it waives the floor, what was shown)
        self.reversals = {}  # proposed reversal → (reference, date)
        self.merged = []  # merges that can be undone
        self.numbers = itertools.count(1)
        self.steps = itertools.count(1)

    @initialize(floor=st.sampled_from([0, None, -40]))
    def a_book_is_opened(self, floor):
        number = next(BOOKS)
        self.points = lot_samples.open_points(samples.machine_caller(), code=f"S{number}", floor=floor)
        self.programme = self.points.accounts["programme"].pk
        self.reason = f"mistake-{number}"
        reason_codes.keep(
            code=self.reason,
            name="Mistake",
            contra_accounts={self.points.book.code: "programme"},
            may_waive_floor=True,
            caller=self.by("finance-1"),
        )
        reason_codes.set_limit(
            group="finance",
            book=self.points.book.code,
            amount_most=MOST,
            two_deciders_above=ALONE,
            caller=self.by("administrator-1"),
        )
        rows = [self.points.accounts[name] for name in ("M1", "M2")]
        self.holders: dict[int, int] = {row.holder_id: row.pk for row in rows if row.holder_id is not None}
        self.model = Model({row.pk: lots_model.Account(row.code, row.floor) for row in rows}, 20, date(2016, 12, 31))
        for key in sorted(self.model.accounts):
            self.change(key, 50)

    @property
    def now(self):
        return datetime(self.today.year, self.today.month, self.today.day, 3, tzinfo=UTC)

    def by(self, name):
        return Caller(self.people[name], self.now, "command")

    def attempt(self, work, change, *, but=()):
        """Take a step in both. ``but`` names refusals that the model does not foresee; where one comes, nothing has happened."""
        after = copy.deepcopy(self.model)
        try:
            change(after)
            takes = True
        except No:
            takes = False
        refused: errors.Refused | None = None
        result = None
        try:
            result = work()
        except errors.Refused as error:
            refused = error
        if refused is not None:
            codes = {reason.code for reason in refused.reasons}
            assert not takes or codes <= set(but), f"the model takes what is refused: {refused}"
            return None
        assert takes, "the model refuses what is taken"
        for account in after.accounts.values():
            for lot in account.lots:
                if not lot.remaining:
                    lot.due_on = lot.last_on
        self.model = after
        return result

    def named(self, name):
        for there in [each for each in self.model.entries if each == NEW or each.startswith(f"{NEW}:")]:
            self.model.entries[name + there.removeprefix(NEW)] = self.model.entries.pop(there)

    def busy(self, *keys):
        """Return what may refuse where something that concerns the accounts is open."""
        wanted = {id(self.model.accounts[key]) for key in keys}
        held = any(hold.state == "open" and id(hold.account) in wanted for hold in self.model.holds.values())
        proposed = any(proposal[0] in keys for proposal in self.proposals.values())
        taken_back = any(
            id(line.account) in wanted for name, _on in self.reversals.values() for line in self.model.entries[name].lines
        )
        return ("open_work",) if held or proposed or taken_back else ()

    def account(self, pick):
        keys = sorted(self.model.accounts)
        return keys[pick % len(keys)]

    def day(self, days):
        """Return a day before or after today, in a period that takes entries as far as it can be."""
        return min(max(self.today + timedelta(days=days), date(2017, 1, 1)), date(2017, 12, 31))

    def draft(self, name, key, gains, on, lots=None):
        code = self.model.accounts[key].code
        self.points.accounts.setdefault(code, Account.objects.get(pk=key))
        return self.points.draft(name, gains, on=on, who=code, lots=lots)

    def change(self, key, gains, days=0):
        name, on, now = f"c-{next(self.numbers)}", self.day(days), self.now
        draft = self.draft(name, key, gains, on)
        self.attempt(lambda: self.points.post(draft, at=now), lambda model: model.change(name, on, now, key, gains))

    @rule(days=st.integers(1, 20))
    def time_passes(self, days):
        self.today = min(self.today + timedelta(days=days), date(2017, 12, 20))

    @rule(pick=picks, amount=amounts, last=st.sampled_from([None, None, 0, 5, 60]), days=dated)
    def grant(self, pick, amount, last, days):
        key, name, on, now = self.account(pick), f"g-{next(self.numbers)}", self.day(days), self.now
        if last is None:
            self.change(key, amount, days)
            return
        last_on = on + timedelta(days=last)
        draft = self.draft(name, key, amount, on, Named(grants=(Grant("paid", amount, last_on),)))
        self.attempt(lambda: self.points.post(draft, at=now), lambda model: model.grant(name, on, now, key, amount, last_on))

    @rule(pick=picks, amount=amounts, days=dated)
    def spend(self, pick, amount, days):
        self.change(self.account(pick), -amount, days)

    @rule(pick=picks, amount=amounts, hours=st.sampled_from([1, 100, 2000]))
    def hold(self, pick, amount, hours):
        key, on, now = self.account(pick), self.today, self.now
        ends_at = now + timedelta(hours=hours)
        wanted = holds.Wanted(key, self.programme, amount, f"h-{next(self.numbers)}", ends_at)
        placed = []
        done = self.attempt(
            lambda: holds.place(wanted=wanted, caller=self.by("till-1")),
            lambda model: placed.append(model.place(key, now, on, amount, ends_at)),
        )
        if done:
            self.model.holds[done[0].pk] = placed[0]

    @precondition(lambda self: self.open_holds())
    @rule(pick=picks, share=amounts, days=st.sampled_from([None, None, -9, -2, 1]))
    def settle(self, pick, share, days):
        number = self.open_holds()[pick % len(self.open_holds())]
        row, today, now = Hold.objects.get(pk=number), self.today, self.now
        amount = min(share, row.amount)
        # A till says no day; finance may.
        who, on = ("till-1", None) if days is None else ("finance-1", self.day(days))
        self.attempt(
            lambda: holds.settle(hold_id=number, amount=amount, effective_on=on, caller=self.by(who)),
            lambda model: model.settle(number, now, today, row.account_id, amount, on),
        )

    @precondition(lambda self: self.open_holds())
    @rule(pick=picks)
    def release(self, pick):
        number = self.open_holds()[pick % len(self.open_holds())]
        self.attempt(
            lambda: holds.release(hold_id=number, reason="Not bought.", caller=self.by("till-1")),
            lambda model: model.holds[number].end("released"),
        )

    def open_holds(self):
        return [number for number, hold in sorted(self.model.holds.items()) if hold.state == "open"]

    @precondition(lambda self: self.open_holds())
    @rule()
    def end_what_is_over(self):
        now = self.now
        self.attempt(lambda: holds.sweep(caller=self.by("system")), lambda model: model.end_holds(now))

    @rule()
    def expire(self):
        through, now = self.today - timedelta(days=1), self.now

        def work():
            return expiry.expire(book=self.points.book, through=through, caller=self.by("system"))

        done = self.attempt(work, lambda model: model.expire(through, now))
        assert not done.refused
        again = self.attempt(work, lambda model: model.expire(through, now))
        assert again.entry_count == 0

    @rule(pick=picks, days=dated)
    def reverse(self, pick, days):
        """Take an entry back, whatever its own day, as the reversal of a batch may."""
        # The same again would be found done.
        names = sorted(name for name, entry in self.model.entries.items() if not entry.is_reversed)
        name = names[pick % len(names)]
        entry, on, now = Entry.objects.get(book=self.points.book, reference=name), self.day(days), self.now
        self.attempt(
            lambda: reverse_entry(entry_id=entry.pk, effective_on=on, reason="It was wrong.", caller=self.by("system")),
            lambda model: model.reverse(f"reversal:{entry.pk}", name, on, now),
        )

    @invariant()
    def all_invariants_hold_now_and_then(self):
        # They read everything, of the books before too: once in a while, and at the end.
        if next(self.steps) % STEPS_A_PROOF == 0:
            self.ask_all()

    def teardown(self):
        if hasattr(self, "points"):
            self.ask_all()

    def ask_all(self):
        breaches = self.points.breaches()
        assert breaches == [], breaches

    @invariant()
    def all_is_as_in_the_model(self):
        book, model = self.points.book, self.model
        balances = dict(Balance.objects.filter(account__in=model.accounts).values_list("account_id", "amount"))
        assert {key: -amount for key, amount in balances.items()} == {key: each.balance for key, each in model.accounts.items()}
        rows = OpenLot.objects.filter(book=book).values_list(
            "account_id", "lot__kind", "lot__granted_on", "due_on", "remaining", "held"
        )
        lots: dict[int, list[tuple[Any, ...]]] = {key: [] for key in model.accounts}
        for key, *row in rows:
            lots[key].append(tuple(row))
        for key, account in model.accounts.items():
            assert in_order(lots[key]) == account.open_lots


def in_order(lots: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the lots in an order of their own, so that two lists of them can be compared."""
    return sorted(lots, key=lambda row: (row[1], row[2] or date.max, row))
