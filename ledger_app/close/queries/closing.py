"""What the close asks: is the work ended, do the entries sum, do the balances recompute, what are the control totals."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.books.rules.periods import PeriodFacts, Proof, Unfinished, gap_between
from ledger_app.close.queries import policies, proving
from ledger_app.models import Account, Entry, Line, Period, User
from ledger_app.points.queries import expiry
from ledger_app.rights.queries.rights import rights_of

CONTROLS_MOST = 200  # names of totals

# What other applications say has not ended in a period.
Ask = Callable[[Period], Iterable[Unfinished]]
_unfinished: list[Ask] = []


def register(unfinished: Ask) -> None:
    """Have the close ask ``unfinished`` too. Called by applications above the ledger when they start."""
    if unfinished not in _unfinished:
        _unfinished.append(unfinished)


def facts(
    period: Period,
    *,
    user: User,
    at: datetime,
    controls: dict[str, int] | None,
    proofs: proving.Proved | Literal[False],
    amount_required: bool = False,
) -> PeriodFacts:
    """Return what the guards of a period are asked with, by reads that do not grow with its entries.

    ``proofs`` is what was proved of the period already, for the freeze itself: only what came since is proved here, under the lock of the
    period's row. ``controls`` is None where none have been typed in yet.

    :raises errors.Refused: period_moves, where too much came since
    """
    proof = proofs.under_lock() if proofs else None
    names = control_names(period.book_id)
    earlier = (
        Period.objects.filter(book=period.book_id, starts_on__lt=period.starts_on).exclude(state="frozen").order_by("starts_on")
    )
    before = Period.objects.filter(book=period.book_id, ends_on__lt=period.starts_on).order_by("-ends_on").first()
    said = policies.times(period)
    return PeriodFacts(
        state=period.state,
        user_name=user.username,
        rights=rights_of(user),
        period=period.name,
        ends_on=period.ends_on,
        today=at.astimezone(ZoneInfo(period.book.time_zone)).date(),
        zone=period.book.time_zone,
        earlier_open=tuple(earlier.values_list("name", "state")),
        gap=gap_between(before.ends_on if before else None, period.starts_on),
        unfinished=tuple(row for unfinished in _unfinished for row in unfinished(period)),
        book=period.book.code,
        due=expiry.due_in_period(period, at=at),
        proof=proof,
        balances_differing=tuple(proofs.balances_differing) if proofs else (),
        control_names=names,
        controls_known=totals(proof, names) if proof else None,
        controls_given=controls,
        amount_required=amount_required,
        unit=period.book.unit,
        at=at,
        provisional_from=said.provisional if said.is_said else None,
        freeze_from=said.freeze if said.is_said else None,
        controls_needed=said.controls,
    )


def control_names(book_id: int) -> tuple[str, ...]:
    """Return the names of the totals that finance may hold from elsewhere: ``entries``, ``debits``, and each role of the book's accounts.

    One look into the index for each role: the accounts are not read.
    """
    found = ["entries", "debits"]
    rows = Account.objects.filter(book=book_id).order_by("role").values_list("role", flat=True)
    role = rows.first()
    while role is not None and len(found) < CONTROLS_MOST:
        found.append(role)
        role = rows.filter(role__gt=role).first()
    return tuple(found)


def totals(proof: Proof, names: Iterable[str]) -> dict[str, int]:
    """Return the control totals of a period that was proved, by name, in minor units.

    ``entries``: how many; ``debits``: the sum of all debits; and, for each role of accounts, the role's change: debits less credits.
    """
    found = dict.fromkeys(names, 0)
    for (_category, role), (debit, credit) in proof.moved.items():
        found[role] = found.get(role, 0) + debit - credit
    return {**found, "entries": proof.entry_count, "debits": proof.debit_total}


def control_totals(period: Period) -> dict[str, int]:
    """Return the totals of a period, as ``totals`` does, added up by the database: every line of the period is read."""
    lines = Line.objects.filter(sql.dated_in(period, "entry__effective_on"), entry__book=period.book_id)
    totals = {
        "entries": Entry.objects.filter(sql.dated_in(period), book=period.book_id).count(),
        "debits": lines.aggregate(total=Total("amount", filter=Q(amount__gt=0)))["total"],
    }
    by_role = lines.values("account__role").annotate(total=Total("amount"), lines=Count("id")).order_by("account__role")
    totals.update((row["account__role"], row["total"]) for row in by_role)
    return totals
