"""Random histories of all that moves points, and of all that stops them: the twelve invariants hold after each step, and all is as in a model in memory.

``KAKUTEI_HISTORIES`` sets how many histories are tried; a night has time for thousands.
"""

import calendar
import copy
import itertools
import os
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.books.operations import accounts
from ledger_app.close.operations import periods
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Adjustment, Entry, Merge
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_rows
from tests.support import adjusting, lots_model, samples
from tests.support.histories import MOST, NEW, PointsHistories, dated, picks
from tests.support.lots_model import agree


class Histories(PointsHistories):
    """The steps that one person proposes and another decides, and those that stop accounts and periods."""

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
            there = {id(lot) for lot in model.accounts[target].lots}
            model.move_all(NEW, on, now, source, target)
            agree(not account.open_lots)
            model.merges[0] = [lot for lot in model.accounts[target].lots if lot.kind != "deficit" and id(lot) not in there]
            account.is_merged = True

        row = self.attempt(
            lambda: self.decided_merge(merge_rows.proposal, holder_id=gone, survivor_id=stays),
            change,
            but=self.busy(source, target),
        )
        if row:
            self.merged.append(row.pk)
            self.model.merges[row.pk] = self.model.merges.pop(0)
            self.named(f"merge:{row.pk}:points")

    def decided_merge(self, wanted, **given):
        row = merges.propose(wanted(reason="One person.", **given), caller=self.by("support-1"))
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
        assert undone.survivor_id is not None
        (giver,) = merge_rows.survivors([undone.survivor_id]).values()
        source, on, now = self.holders[giver], self.today, self.now
        stays_empty = self.model.accounts[source].state == "closed" or not (undone.decided_preview or {})["moves"]

        def change(model):
            account = model.accounts[source]
            agree(account.state != "suspended")
            if stays_empty:
                return
            model.accounts[0] = lots_model.Account(NEW, account.floor)
            came = [lot for lot in account.lots if lot.kind != "deficit" and lot.is_of_merge(model.merges[number])]
            ahead = [lot for lot in came if lot.remaining and (lot.is_of(on) or lot.granted_on > on)]
            model.move_lots(NEW, on, now, source, 0, ahead)

        row = self.attempt(lambda: self.decided_merge(merge_rows.undoing, merge_id=number), change, but=self.busy(source))
        if row:
            self.merged.remove(number)
            self.named(f"merge:{row.pk}:points")
            if not stays_empty:
                opened = Account.objects.get(holder=row.survivor_id)
                self.model.accounts[opened.pk] = self.model.accounts.pop(0)
                self.model.accounts[opened.pk].code = opened.code
                self.holders[row.survivor_id] = opened.pk

    @rule(pick=picks, amount=st.integers(-MOST, MOST).filter(bool), waives=st.booleans(), days=dated)
    def propose_adjustment(self, pick, amount, waives, days):
        key, on, now = self.account(pick), self.day(days), self.now
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
        return adjustment_rows.preview(adjustment_rows.terms_of(row), at=self.now).digest

    @precondition(lambda self: self.proposals)
    @rule(pick=picks, who=st.sampled_from(["finance-1", "finance-2"]), looks_again=st.booleans())
    def approve_adjustment(self, pick, who, looks_again):
        number = sorted(self.proposals)[pick % len(self.proposals)]
        key, amount, on, waives, first_shown = self.proposals[number]
        row = Adjustment.objects.get(pk=number)
        shown, now = self.shown(row), self.now
        said = shown if looks_again else first_shown
        name = adjustment_rows.approval_of(row, self.people[who], at=self.now)
        has_decided = row.decisions.filter(decided_by=self.people[who]).exists()

        def change(model):
            agree(said == shown, not has_decided)
            (model if name == "approve" else copy.deepcopy(model)).change(
                f"adjustment:{number}", on, now, key, amount, waives=waives
            )

        done = self.attempt(
            lambda: adjustments.decide(adjustment_id=number, name=name, caller=self.by(who), digest_shown=said),
            change,
            but=["over_limit_in_sum"],
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
            shown = reversal_rows.preview_on(row.entry, row.effective_on, row.prior_period, at=now).digest
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


def test_random_histories_of_all_that_support_does_keep_what_must_always_hold(make_user):
    people = {f"finance-{number}": make_user(f"finance-{number}", "finance") for number in (1, 2, 3)}
    people |= {"support-1": make_user("support-1", "support"), "till-1": make_user("till-1", "till")}
    people |= {"administrator-1": make_user("administrator-1", None, is_superuser=True), "system": samples.machine_caller().user}
    run_state_machine_as_test(
        lambda: Histories(people),  # type: ignore[arg-type]  # it takes whatever makes a machine
        settings=settings(
            max_examples=int(os.environ.get("KAKUTEI_HISTORIES", "6")),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
