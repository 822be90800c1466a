"""Random histories of all that moves points, and of all that stops them: the twelve statements hold after each step, and all is as in a model in memory.

``KAKUTEI_HISTORIES`` sets how many histories are tried; a night has time for thousands.
"""

import calendar
import copy
import itertools
import os
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from ledger_app import errors
from ledger_app.models import Account, Adjustment, Balance, Entry, Hold, Merge, OpenLot
from ledger_app.operations import accounts, adjustments, expiry, holds, merges, periods, reason_codes, reversals
from ledger_app.operations.audit import Caller
from ledger_app.queries import adjustments as adjustment_rows
from ledger_app.queries import merges as merge_rows
from ledger_app.queries import reversals as reversal_rows
from ledger_app.rules.adjustments import Proposal
from ledger_app.rules.lots import Grant, Named
from ledger_app.rules.merges import digest
from tests.ledger_app import adjusting, lot_samples, lots_model, samples
from tests.ledger_app.lots_model import Model, No, agree

BOOKS = itertools.count(1)
ALONE, MOST = 40, 60  # finance decides as much alone, and as much with a second
NEW = "new"  # an entry whose number is not known before it is posted
picks = st.integers(0, 999)
amounts = st.integers(1, 60)


class Histories(RuleBasedStateMachine):
    """Each step is taken in the ledger and in the model: both take it, or both refuse it."""

    def __init__(self, people):
        super().__init__()
        self.people = people
        self.today = date(2017, 1, 3)
        self.proposals = {}  # adjustment → (account, amount, date, whether it waives the floor, what was shown)
        self.reversals = {}  # proposed reversal → (reference, date)
        self.merged = []  # merges that can be undone
        self.numbers = itertools.count(1)

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
        self.holders = {row.holder_id: row.pk for row in rows}
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
        try:
            result = work()
        except errors.Refused as error:
            refused = error
        else:
            refused = None
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
        self.model.entries[name] = self.model.entries.pop(NEW)

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

    def draft(self, name, key, gains, lots=None):
        code = self.model.accounts[key].code
        self.points.accounts.setdefault(code, Account.objects.get(pk=key))
        return self.points.draft(name, gains, on=self.today, who=code, lots=lots)

    def change(self, key, gains):
        name, on, now = f"c-{next(self.numbers)}", self.today, self.now
        draft = self.draft(name, key, gains)
        self.attempt(lambda: self.points.post(draft, at=now), lambda model: model.change(name, on, now, key, gains))

    @rule(days=st.integers(1, 20))
    def time_passes(self, days):
        self.today = min(self.today + timedelta(days=days), date(2017, 12, 20))

    @rule(pick=picks, amount=amounts, last=st.sampled_from([None, None, 0, 5, 60]))
    def grant(self, pick, amount, last):
        key, name, on, now = self.account(pick), f"g-{next(self.numbers)}", self.today, self.now
        if last is None:
            self.change(key, amount)
            return
        last_on = on + timedelta(days=last)
        draft = self.draft(name, key, amount, Named(grants=(Grant("paid", amount, last_on),)))
        self.attempt(lambda: self.points.post(draft, at=now), lambda model: model.grant(name, on, now, key, amount, last_on))

    @rule(pick=picks, amount=amounts)
    def spend(self, pick, amount):
        self.change(self.account(pick), -amount)

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
    @rule(pick=picks, share=amounts)
    def settle(self, pick, share):
        number = self.open_holds()[pick % len(self.open_holds())]
        row, on, now = Hold.objects.get(pk=number), self.today, self.now
        amount = min(share, row.amount)
        self.attempt(
            lambda: holds.settle(hold_id=number, amount=amount, effective_on=None, caller=self.by("till-1")),
            lambda model: model.settle(number, now, on, row.account_id, amount),
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

        refused = []
        done = self.attempt(work, lambda model: refused.extend(model.expire(through, now)))
        assert len(done.refused) == len(refused)
        again = self.attempt(work, lambda model: model.expire(through, now))
        assert again.entry_count == 0

    @rule(pick=picks, tidies=st.booleans())
    def merge(self, pick, tidies):
        holders = sorted(self.holders)
        # Now and then a member into itself; and merged ones, who are among them.
        pairs = [*itertools.permutations(holders, 2), (holders[0], holders[0])]
        gone, stays = pairs[pick % len(pairs)]
        if tidies:
            self.expire()
        source, target, on, now = self.holders[gone], self.holders[stays], self.today, self.now

        def change(model):
            agree(source != target, *(not model.accounts[key].is_merged for key in (source, target)))
            agree(*(model.accounts[key].state != "suspended" for key in (source, target)))
            account = model.accounts[source]
            agree(account.state == "closed" or model.accounts[target].state != "closed")
            if account.balance:
                model.move(NEW, on, now, source, target, account.balance)
            agree(not account.open_lots)
            account.is_merged = True

        row = self.attempt(
            lambda: self.decided_merge(merges.propose, holder_id=gone, survivor_id=stays), change, but=self.busy(source, target)
        )
        if row:
            self.merged.append(row.pk)
            if NEW in self.model.entries:
                self.named(f"merge:{row.pk}:points")

    def decided_merge(self, propose, **wanted):
        row = propose(reason="One person.", caller=self.by("support-1"), **wanted)
        finance = self.by("finance-1")
        plan = merge_rows.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=self.now).plan
        try:
            return merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)
        except errors.Refused:
            merges.end(merge_id=row.pk, name="reject", reason="It cannot be.", caller=finance)
            raise

    @precondition(lambda self: self.merged)
    @rule(pick=picks)
    def undo_merge(self, pick):
        number = self.merged[pick % len(self.merged)]
        undone = Merge.objects.get(pk=number)
        (giver,) = merge_rows.survivors([undone.survivor_id]).values()
        source, on, now = self.holders[giver], self.today, self.now
        amount = sum(each for _book, _role, each in merge_rows.moved_amounts(undone))
        stays_empty = self.model.accounts[source].state == "closed" or not undone.decided_preview["moves"]

        def change(model):
            account = model.accounts[source]
            agree(account.state != "suspended", not (account.state == "closed" and amount))
            if not stays_empty:
                model.accounts[0] = lots_model.Account(NEW, account.floor)
            if amount:
                model.move(NEW, on, now, source, 0, amount)

        row = self.attempt(lambda: self.decided_merge(merges.propose_undoing, merge_id=number), change, but=self.busy(source))
        if row:
            self.merged.remove(number)
            if NEW in self.model.entries:
                self.named(f"merge:{row.pk}:points")
            if not stays_empty:
                opened = Account.objects.get(holder=row.survivor_id)
                self.model.accounts[opened.pk] = self.model.accounts.pop(0)
                self.model.accounts[opened.pk].code = opened.code
                self.holders[row.survivor_id] = opened.pk

    @rule(pick=picks, amount=st.integers(-MOST, MOST).filter(bool), waives=st.booleans())
    def propose_adjustment(self, pick, amount, waives):
        key, on, now = self.account(pick), self.today, self.now
        proposal = Proposal(
            key=f"{self.points.book.code}-{next(self.numbers)}",
            book=self.points.book.code,
            account=self.model.accounts[key].code,
            amount=amount,
            effective_on=on,
            reason=self.reason,
            text="It was wrong.",
            waives_floor=waives,
        )
        row = self.attempt(
            lambda: adjustments.propose(proposal=proposal, caller=self.by("support-1"), expires_at=adjusting.NEVER),
            lambda model: copy.deepcopy(model).change(NEW, on, now, key, amount, waives=waives),
        )
        if row:
            self.proposals[row.pk] = (key, amount, on, waives, self.shown(row))

    def shown(self, row):
        return adjustment_rows.preview(adjustment_rows.terms_of(row)).digest

    @precondition(lambda self: self.proposals)
    @rule(pick=picks, who=st.sampled_from(["finance-1", "finance-2"]), looks_again=st.booleans())
    def approve_adjustment(self, pick, who, looks_again):
        number = sorted(self.proposals)[pick % len(self.proposals)]
        key, amount, on, waives, first_shown = self.proposals[number]
        row = Adjustment.objects.get(pk=number)
        shown, now = self.shown(row), self.now
        said = shown if looks_again else first_shown
        name = adjustment_rows.approval_of(row, self.people[who])
        has_decided = row.decisions.filter(decided_by=self.people[who]).exists()

        def change(model):
            agree(said == shown, not has_decided)
            (model if name == "approve" else copy.deepcopy(model)).change(
                f"adjustment:{number}", on, now, key, amount, waives=waives
            )

        done = self.attempt(
            lambda: adjustments.decide(adjustment_id=number, name=name, caller=self.by(who), digest_shown=said), change
        )
        if done and name == "approve":
            del self.proposals[number]
        elif done:
            self.proposals[number] = (key, amount, on, waives, self.shown(done))

    @precondition(lambda self: self.proposals)
    @rule(pick=picks, takes_back=st.booleans())
    def end_adjustment(self, pick, takes_back):
        number = sorted(self.proposals)[pick % len(self.proposals)]
        name, who = ("withdraw", "support-1") if takes_back else ("reject", "finance-3")
        adjustments.decide(adjustment_id=number, name=name, caller=self.by(who), reason="It was right.")
        del self.proposals[number]

    @precondition(lambda self: self.model.entries)
    @rule(pick=picks)
    def propose_reversal(self, pick):
        name = sorted(self.model.entries)[pick % len(self.model.entries)]
        entry, now = Entry.objects.get(book=self.points.book, reference=name), self.now
        frozen = self.model.frozen_through
        on = entry.effective_on if entry.effective_on > frozen else frozen + timedelta(days=1)

        def change(model):
            agree(name not in {each for each, _on in self.reversals.values()})
            copy.deepcopy(model).reverse(NEW, name, on, now)

        row = self.attempt(
            lambda: reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=self.by("support-1")), change
        )
        if row:
            assert row.effective_on == on
            self.reversals[row.pk] = (name, on)

    @precondition(lambda self: self.reversals)
    @rule(pick=picks, approves=st.sampled_from([True, True, False]))
    def decide_reversal(self, pick, approves):
        number = sorted(self.reversals)[pick % len(self.reversals)]
        name, on = self.reversals[number]
        row, finance, now = reversal_rows.find(number), self.by("finance-1"), self.now
        if approves:
            shown = reversal_rows.preview_on(row.entry, row.effective_on, row.prior_period).digest
            work = lambda: reversals.approve(reversal_id=number, digest_shown=shown, caller=finance)  # noqa: E731
            done = self.attempt(work, lambda model: model.reverse(f"reversal:{row.entry_id}", name, on, now))
        else:
            done = reversals.reject(reversal_id=number, reason="It was right.", caller=finance)
        if done:
            del self.reversals[number]

    @rule(pick=picks, closes=st.booleans(), empties=st.booleans())
    def change_account(self, pick, closes, empties):
        key = self.account(pick)
        name = "close" if closes else {"open": "suspend"}.get(self.model.accounts[key].state, "reopen")
        if name == "close" and empties and self.model.accounts[key].balance > 0:
            self.change(key, -self.model.accounts[key].balance)
        sources = {"suspend": {"open"}, "reopen": {"suspended"}, "close": {"open", "suspended"}}

        def change(model):
            account = model.accounts[key]
            agree(account.state in sources[name])
            if name == "close":
                agree(not account.balance, not account.open_lots)
            account.state = {"suspend": "suspended", "reopen": "open", "close": "closed"}[name]

        self.attempt(
            lambda: accounts.change(account_id=key, name=name, reason="Asked for.", caller=self.by("finance-1")),
            change,
            but=self.busy(key),
        )

    @rule(waits=st.booleans())
    def freeze(self, waits):
        first = self.model.frozen_through + timedelta(days=1)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        if waits and last < date(2017, 12, 1):
            self.today = max(self.today, last + timedelta(days=1))
            self.expire()
        count = sum(first <= entry.on <= last for entry in self.model.entries.values())
        undecided = [on for _key, _amount, on, *_rest in self.proposals.values()] + [on for _name, on in self.reversals.values()]
        today = self.today

        def change(model):
            lots = [lot for account in model.accounts.values() for lot in account.lots if lot.remaining and lot.due_on]
            agree(today > last, not any(on <= last for on in undecided), not any(lot.due_on <= last for lot in lots))
            model.frozen_through = last

        period = self.points.book.periods.get(starts_on=first)
        self.attempt(
            lambda: periods.freeze(
                period_id=period.pk, controls={"entries": count}, caller=self.by("finance-1"), code_version="test"
            ),
            change,
        )

    @invariant()
    def all_statements_hold(self):
        assert self.points.breaches() == []

    @invariant()
    def all_is_as_in_the_model(self):
        book, model = self.points.book, self.model
        balances = dict(Balance.objects.filter(account__in=model.accounts).values_list("account_id", "amount"))
        assert {key: -amount for key, amount in balances.items()} == {key: each.balance for key, each in model.accounts.items()}
        rows = OpenLot.objects.filter(book=book).values_list(
            "account_id", "lot__kind", "lot__granted_on", "due_on", "remaining", "held"
        )
        lots = {key: [] for key in model.accounts}
        for key, *row in rows:
            lots[key].append(tuple(row))
        for key, account in model.accounts.items():
            assert sorted(lots[key], key=lambda row: (row[1], row[2] or date.max, row)) == account.open_lots
            assert sum(row[3] for row in account.open_lots) == account.balance
        entries = Entry.objects.filter(book=book).values_list("reference", "effective_on")
        assert dict(entries) == {name: entry.on for name, entry in model.entries.items()}
        reversed_here = Entry.objects.filter(book=book, reverses__isnull=False).values_list("reverses__reference", flat=True)
        assert set(reversed_here) == {name for name, entry in model.entries.items() if entry.is_reversed}
        states = Hold.objects.filter(book=book).values_list("id", "state")
        assert dict(states) == {number: hold.state for number, hold in model.holds.items()}


def test_random_histories_of_all_that_support_does_keep_what_must_always_hold(make_user):
    people = {f"finance-{number}": make_user(f"finance-{number}", "finance") for number in (1, 2, 3)}
    people |= {"support-1": make_user("support-1", "support"), "till-1": make_user("till-1", "till")}
    people |= {"administrator-1": make_user("administrator-1", None, is_superuser=True), "system": samples.machine_caller().user}
    run_state_machine_as_test(
        lambda: Histories(people),  # type: ignore[arg-type]  # it takes whatever makes a machine
        settings=settings(
            max_examples=int(os.environ.get("KAKUTEI_HISTORIES", "8")),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
