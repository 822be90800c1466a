"""What the close asks: is the work ended, do the entries sum, do the balances recompute, what are the control totals."""

from collections.abc import Callable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, Sum

from ledger_app.models import Entry, Line, Period, User
from ledger_app.queries import expiry, seals
from ledger_app.queries.rights import rights_of
from ledger_app.rules.periods import PeriodFacts, gap_between

# What other applications say has not ended in a period: (what, name, state), in the active language.
Unfinished = Callable[[Period], Iterable[tuple[str, str, str]]]
_unfinished: list[Unfinished] = []


def register(unfinished: Unfinished) -> None:
    """Have the close ask ``unfinished`` too. Called by applications above the ledger when they start."""
    if unfinished not in _unfinished:
        _unfinished.append(unfinished)


def facts(period: Period, *, user: User, at: datetime, controls: dict[str, int] | None, proofs: bool) -> PeriodFacts:
    """Return what the guards of a period are asked with.

    ``proofs`` asks for the recomputations too, which read every line of the book: for the freeze itself and for its confirmation page, not
    for lists. ``controls`` is None where none have been typed in yet.
    """
    earlier = (
        Period.objects.filter(book=period.book_id, starts_on__lt=period.starts_on).exclude(state="frozen").order_by("starts_on")
    )
    before = Period.objects.filter(book=period.book_id, ends_on__lt=period.starts_on).order_by("-ends_on").first()
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
        due=expiry.due_in_period(period),
        proof=seals.prove(period) if proofs else None,
        balances_differing=tuple(differing_balances(period.book_id)) if proofs else (),
        controls_known=control_totals(period),
        controls_given=controls,
    )


def control_totals(period: Period) -> dict[str, int]:
    """Return the totals of a period that finance may hold from elsewhere, in minor units.

    ``entries``: how many; ``debits``: the sum of all debits; and, for each role of accounts, the role's change: debits less credits.
    """
    lines = Line.objects.filter(
        entry__book=period.book_id, entry__effective_on__gte=period.starts_on, entry__effective_on__lte=period.ends_on
    )
    totals = {
        "entries": Entry.objects.filter(
            book=period.book_id, effective_on__gte=period.starts_on, effective_on__lte=period.ends_on
        ).count(),
        "debits": lines.aggregate(total=Sum("amount", filter=Q(amount__gt=0)))["total"] or 0,
    }
    by_role = lines.values("account__role").annotate(total=Sum("amount"), lines=Count("id")).order_by("account__role")
    totals.update((row["account__role"], int(row["total"])) for row in by_role)
    return totals


DIFFERING_BALANCES = """
    SELECT account.code
      FROM ledger_app_balance AS balance
      JOIN ledger_app_account AS account ON account.id = balance.account_id
      LEFT JOIN (
           SELECT account_id, stripe, SUM(amount) AS amount, MAX(sequence) AS sequence, COUNT(*) AS line_count
             FROM ledger_app_line GROUP BY account_id, stripe
           ) AS summed ON summed.account_id = balance.account_id AND summed.stripe = balance.stripe
     WHERE account.book_id = %s
       AND (balance.amount <> COALESCE(summed.amount, 0)
            OR balance.sequence <> COALESCE(summed.sequence, 0)
            OR balance.sequence <> COALESCE(summed.line_count, 0))
     ORDER BY account.code
     LIMIT 100
"""


def differing_balances(book_id: int) -> list[str]:
    """Return the codes of the first hundred accounts of a book whose balance is not what its lines say."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING_BALANCES, [book_id])
        return [code for (code,) in cursor.fetchall()]
