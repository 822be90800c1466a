"""Random histories of grants, spends, holds, expiries, moves and reversals: the statements hold after each step, and balances are as a model says."""

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ledger_app import errors
from ledger_app.models import Entry, Hold
from ledger_app.operations import entries, expiry, holds
from ledger_app.operations.audit import Caller
from ledger_app.rules.lots import Grant, Named
from ledger_app.rules.posting import Draft
from tests.ledger_app import lot_samples, samples

BOOKS = itertools.count(1)
FLOORS = itertools.cycle([0, None, -40])
MEMBERS = ("M1", "M2")
members = st.sampled_from(MEMBERS)
amounts = st.integers(1, 60)


class Histories(RuleBasedStateMachine):
    """Time passes from step to step; what each step comes to is asked of the ledger, and added up here."""

    def __init__(self, till):
        super().__init__()
        self.floor = next(FLOORS)
        self.points = lot_samples.open_points(samples.machine_caller(), code=f"P{next(BOOKS)}", floor=self.floor)
        self.till = till
        self.today = date(2017, 1, 3)
        self.balances = dict.fromkeys(MEMBERS, 0)
        self.posted = []
        self.numbers = itertools.count(1)

    @property
    def now(self):
        return datetime(self.today.year, self.today.month, self.today.day, 3, tzinfo=UTC)

    def machine(self):
        return Caller(self.points.caller.user, self.now, "task")

    def attempt(self, work, who, change, reference=None):
        """Do it; where it passes, the balance changes by as much, and an entry may be reversed later."""
        try:
            work()
        except errors.Refused:
            return False
        self.balances[who] += change
        if reference:
            self.posted.append((reference, {who: change}))
        return True

    @rule(days=st.integers(1, 20))
    def time_passes(self, days):
        self.today = min(self.today + timedelta(days=days), date(2017, 12, 20))

    @rule(who=members, amount=amounts, last=st.sampled_from([None, 0, 5, 60]))
    def grant(self, who, amount, last):
        name = f"g-{next(self.numbers)}"
        named = Named(grants=(Grant("paid", amount, self.today + timedelta(days=last)),)) if last is not None else None
        draft = self.points.draft(name, amount, on=self.today, who=who, lots=named)
        assert self.attempt(lambda: self.points.post(draft, at=self.now), who, amount, name)

    @rule(who=members, amount=amounts)
    def spend(self, who, amount):
        name = f"s-{next(self.numbers)}"
        draft = self.points.draft(name, -amount, on=self.today, who=who)
        passed = self.attempt(lambda: self.points.post(draft, at=self.now), who, -amount, name)
        assert passed or self.floor is not None

    @rule(who=members, amount=amounts, hours=st.sampled_from([1, 100, 2000]))
    def hold(self, who, amount, hours):
        ends = self.now + timedelta(hours=hours)
        to = self.points.accounts["programme"].pk
        wanted = holds.Wanted(self.points.accounts[who].pk, to, amount, f"h-{next(self.numbers)}", ends)
        self.attempt(lambda: holds.place(wanted=wanted, caller=Caller(self.till, self.now, "api")), who, 0)

    @rule(data=st.data(), share=st.integers(1, 60), lets_go=st.booleans())
    def resolve(self, data, share, lets_go):
        found = list(Hold.objects.filter(book=self.points.book, state="open").select_related("account").order_by("id"))
        if not found:
            return
        hold = data.draw(st.sampled_from(found))
        caller = Caller(self.till, self.now, "api")
        if lets_go:
            holds.release(hold_id=hold.pk, reason="Not bought.", caller=caller)
            return
        amount = min(share, hold.amount)
        passed = self.attempt(
            lambda: holds.settle(hold_id=hold.pk, amount=amount, effective_on=None, caller=caller),
            hold.account.code,
            -amount,
            f"hold:{hold.pk}",
        )
        # Good until its time is over, whatever has become of its lots meanwhile.
        assert passed == (self.now < hold.expires_at)

    @rule()
    def expire(self):
        before = set(Entry.objects.filter(book=self.points.book, reference__startswith="expiry:").values_list("id", flat=True))
        done = expiry.expire(book=self.points.book, through=self.today - timedelta(days=1), caller=self.machine())
        assert done.refused == []
        new = Entry.objects.filter(book=self.points.book, reference__startswith="expiry:").exclude(id__in=before)
        for who, amount in new.filter(lines__account__code__in=MEMBERS).values_list("lines__account__code", "lines__amount"):
            self.balances[who] -= amount
        again = expiry.expire(book=self.points.book, through=self.today - timedelta(days=1), caller=self.machine())
        assert again.entry_count == 0

    @rule(amount=amounts, back=st.booleans())
    def move(self, amount, back):
        loses, gains = MEMBERS[::-1] if back else MEMBERS
        name = f"m-{next(self.numbers)}"
        lines = (self.points.accounts[loses].pk, amount), (self.points.accounts[gains].pk, -amount)
        draft = Draft(self.points.book.pk, self.today, name, "", lines, moves_lots=True)
        if self.attempt(lambda: self.points.post(draft, at=self.now), loses, -amount):
            self.balances[gains] += amount
            self.posted.append((name, {loses: -amount, gains: amount}))

    @rule(data=st.data())
    def reverse(self, data):
        if not self.posted:
            return
        reference, changes = data.draw(st.sampled_from(self.posted))
        entry = Entry.objects.get(book=self.points.book, reference=reference)
        try:
            entries.reverse(entry_id=entry.pk, effective_on=self.today, reason="It was wrong.", caller=self.machine())
        except errors.Refused:
            return
        self.posted.remove((reference, changes))
        for who, change in changes.items():
            self.balances[who] -= change

    @invariant()
    def all_statements_hold_and_balances_are_as_the_model_says(self):
        assert self.points.breaches() == []
        assert {who: self.points.balance(who) for who in MEMBERS} == self.balances


def test_random_histories_of_points_keep_what_must_always_hold(make_user):
    till = make_user("till-1", "till")
    run_state_machine_as_test(
        lambda: Histories(till),  # type: ignore[arg-type]  # it takes whatever makes a machine
        settings=settings(max_examples=15, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]),
    )
