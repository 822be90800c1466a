"""Reads reversals of single entries: what one would do, what objects to it, and what the close and the explanations ask about them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger_app import errors, sql
from ledger_app.adjustments.queries import weights
from ledger_app.base.queries import clock
from ledger_app.base.queries.totals import Total
from ledger_app.books.rules.periods import DECIDE, DECIDERS, Unfinished
from ledger_app.errors import LedgerError, reversing
from ledger_app.models import Balance, Entry, Period, Reversal, User
from ledger_app.points.queries import shown_lots
from ledger_app.posting.queries import bases, postings
from ledger_app.posting.queries.origins import Came, Fact, Provenance
from ledger_app.posting.rules import posting, reversal_dates
from ledger_app.posting.rules.drafts import Basis, Draft, Reversed
from ledger_app.posting.rules.lots import ShownLot
from ledger_app.reversals import rules as reversals
from ledger_app.reversals.rules import ReversalFacts, ShownBalance
from ledger_app.rights.queries.rights import rights_of, secret_known_to
from ledger_app.values import instants
from ledger_app.values.locked import LockedPeriod

# What other applications have against the reversal of an entry: a batch that is being reversed as a whole, for one.
Objection = Callable[[Entry], Iterable[LedgerError]]
_objections: list[Objection] = []
NEVER = (errors.AlreadyReversed, errors.ReversalOfReversal)


def register(objection: Objection) -> None:
    """Have every reversal of an entry ask ``objection`` too. Called by applications above the ledger when they start."""
    if objection not in _objections:
        _objections.append(objection)


class Preview(NamedTuple):
    """What a reversal would do now. ``draft`` is None where no day takes it; ``prior_period`` is the earlier period that it corrects."""

    draft: Draft | None
    prior_period: str
    balances: tuple[ShownBalance, ...]
    lots: tuple[ShownLot, ...]
    refusals: tuple[LedgerError, ...]
    digest: str


def find(pk: int) -> Reversal:
    """Return a proposal with all that showing it names.

    :raises errors.Refused: not_found
    """
    related = ("entry__book", "entry__posting", "proposed_by", "decided_by", "reversal")
    row = Reversal.objects.select_related(*related).filter(pk=pk).first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=gettext_lazy("reversal"), name=pk)])
    return row


def current(entry: Entry) -> Reversal | None:
    """Return the proposal that holds an entry: undecided, or posted."""
    return Reversal.objects.filter(entry=entry, holds_entry=True).select_related("proposed_by", "decided_by").first()


def standing(entry: Entry) -> list[LedgerError]:
    """Return why an entry is not to be proposed again: a proposal stands undecided."""
    there = current(entry)
    if there is None or there.state != Reversal.State.PROPOSED:
        return []
    return [reversing.EntryReversalOpen(reversal=there.pk, reference=entry.reference)]


def day(entry: Entry) -> reversal_dates.Outcome | None:
    """Return when an entry would be reversed by hand; None where there is no day for it."""
    rows = Period.objects.filter(book=entry.book_id).order_by("starts_on")
    periods = [LockedPeriod(*row) for row in rows.values_list("name", "starts_on", "ends_on", "state")]
    return reversal_dates.outcome(entry.effective_on, periods, by_hand=True)


def preview(entry: Entry, *, at: datetime | None = None) -> Preview:
    """Return what proposing to reverse ``entry`` would come to, on the day that the rule gives."""
    outcome = day(entry)
    if outcome is None:
        none = reversing.NoReversalDay(reference=entry.reference, date=entry.effective_on.isoformat(), book=entry.book.code)
        return Preview(None, "", (), (), (none, *objections(entry)), "")
    prior_period = outcome.period if outcome.moved_to else ""
    return preview_on(entry, outcome.moved_to or entry.effective_on, prior_period, at=at)


def preview_on(entry: Entry, effective_on: date, prior_period: str, *, at: datetime | None = None) -> Preview:
    """Return what reversing ``entry`` on a day would come to, with every rule that would refuse it, in a bounded number of statements.

    It is asked at an instant, or now: holds that are over then hold nothing.
    """
    draft = draft_of(entry, effective_on, prior_period)
    # What is reversed already is to be said so, and not to be taken for the same again.
    basis = bases.unlocked([draft], are_new=True, at=at or clock.now())
    decided, plan = posting.decide([draft], basis=basis, lane=0, by_hand=True)
    # For what can never be reversed, it does not matter which floor would break.
    decided = [each for each in decided if isinstance(each, NEVER)] or decided
    balances = _balances(draft, basis)
    codes = {key: account.code for key, account in basis.accounts.items()}
    lots = () if decided else shown_lots.of_plan(plan, codes)
    digest = reversals.digest(
        entry=bytes(entry.digest), effective_on=effective_on.isoformat(), prior_period=prior_period, balances=balances, lots=lots
    )
    return Preview(draft, prior_period, balances, lots, (*decided, *objections(entry)), digest)


def draft_of(entry: Entry, effective_on: date, prior_period: str) -> Draft:
    """Return the draft that reverses ``entry``: its lines with their signs turned, under a reference of its own."""
    return Draft(
        book_id=entry.book_id,
        effective_on=effective_on,
        reference=f"reversal:{entry.pk}",
        description=reversal_dates.description(entry.reference, prior_period=prior_period),
        lines=tuple((account_id, -amount) for _entry_id, account_id, amount in postings.lines_of([entry.pk])),
        reverses=Reversed(entry.pk, entry.reference),
    )


def facts(row: Reversal, *, user: User, digest_shown: str | None = None, at: datetime | None = None) -> ReversalFacts:
    """Return what the guards of a proposal are asked with; once it is decided, the ledger is not asked any more.

    ``at`` is when it is decided; now, where nothing is yet.
    """
    is_open = row.state == Reversal.State.PROPOSED
    beyond = weights.beyond(row.entry, user, at=at or clock.now()) if is_open and user.pk != row.proposed_by_id else []
    shown = preview_on(row.entry, row.effective_on, row.prior_period, at=at) if is_open else None
    return ReversalFacts(
        state=row.state,
        user_name=user.username,
        rights=rights_of(user),
        user_id=user.pk,
        proposer=row.proposed_by.username,
        proposer_id=row.proposed_by_id,
        reference=row.entry.reference,
        digest=shown.digest if shown else "",
        secret_known_to=secret_known_to(user, [row.proposed_by]),
        digest_shown=digest_shown,
        refused=shown.refusals if shown else (),
        is_proposer_away=reversals.PROPOSE not in rights_of(row.proposed_by),
        beyond_limits=tuple(beyond),
    )


def objections(entry: Entry) -> list[LedgerError]:
    """Return what other applications have against the reversal of an entry by itself."""
    return [error for objection in _objections for error in objection(entry)]


def unfinished(period: Period) -> Iterator[Unfinished]:
    """Yield each undecided proposal that is dated in ``period``."""
    rows = Reversal.objects.filter(sql.dated_in(period), state=Reversal.State.PROPOSED, entry__book=period.book_id)
    for row in rows.select_related("entry").order_by("id"):
        said = (gettext_lazy("Reversal"), str(row), Reversal.State(row.state).label, DECIDE, DECIDERS)
        yield Unfinished(*said, row._meta.label_lower, row.pk, row.state)  # noqa: SLF001 - Django's public API


def describe(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the origins call it
    """Tell of entries that reverse another by hand: which one, who proposed it, who decided it, when and why."""
    del whole
    rows = Reversal.objects.filter(reversal__in=[came.entry_id for came in entries]).select_related("proposed_by", "decided_by")
    decided = {row.reversal_id: row for row in rows}
    return {came.entry_id: _told(came, decided.get(came.entry_id)) for came in entries if came.reverses}


def _told(came: Came, row: Reversal | None) -> Provenance:
    assert came.reverses is not None  # noqa: S101 - the caller asks for those alone
    key, reference = came.reverses
    shown = [Fact(_("Reverses"), reference, ("ledger_app.entry", key))]
    facts = {"reverses": reference, "reverses_entry": key, "reason": came.reason}
    if row is None or row.decided_by is None or row.decided_at is None:
        sentence = _("Reversal of {reference}, posted by {user}").format(reference=reference, user=came.posted_by)
        return Provenance(came.kind, sentence, facts, shown, [sentence], ("ledger_app.entry", key))
    sentence = _("Reversal of {reference}: proposed by {proposer}, decided by {decider}: {reason}").format(
        reference=reference, proposer=row.proposed_by.username, decider=row.decided_by.username, reason=row.reason
    )
    facts |= {
        "reversal": row.pk,
        "reason": row.reason,
        "ticket": row.ticket,
        "prior_period": row.prior_period,
        "proposed_by": row.proposed_by.username,
        "proposed_at": instants.stamp(row.proposed_at),
        "decided_by": row.decided_by.username,
        "decided_at": instants.stamp(row.decided_at),
    }
    shown += [
        Fact(_("Decision"), f"↶ {row.pk}", ("ledger_app.reversal", row.pk)),
        Fact(_("Proposed by"), row.proposed_by.username),
        Fact(_("Decided by"), row.decided_by.username),
        Fact(_("Reason"), row.reason),
        *([Fact(_("Ticket"), row.ticket)] if row.ticket else []),
        *([Fact(_("Corrects the prior period"), row.prior_period)] if row.prior_period else []),
    ]
    return Provenance(came.kind, sentence, facts, shown, [sentence], ("ledger_app.reversal", row.pk))


def _balances(draft: Draft, basis: Basis) -> tuple[ShownBalance, ...]:
    amounts: Counter[int] = Counter()
    for account_id, amount in draft.lines:
        amounts[account_id] += amount
    before: dict[int, int] = {}
    for part in sql.parts(sorted(amounts)):
        totals = Balance.objects.filter(account__in=part).order_by().values("account").annotate(total=Total("amount"))
        before |= {row["account"]: row["total"] for row in totals}
    return tuple(
        ShownBalance(
            key,
            basis.accounts[key].code,
            basis.accounts[key].category,
            amount,
            before.get(key, 0),
            basis.accounts[key].floor is not None,
        )
        for key, amount in amounts.items()
        if key in basis.accounts
    )
