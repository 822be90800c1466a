"""What the ledger says of a period that is handed to accounting, summed by the database alone, and which slips have been used."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Max, Q

from ledger_app import sql
from ledger_app.accounting.rules.profiles import Charts, Definition, spans
from ledger_app.base.queries.totals import Total
from ledger_app.models import Export, Line, Period, Profile, Seal

ROWS_A_READ = 2000


class Moved(NamedTuple):
    """What an account moved in a span of days: debits and credits in minor units, both without a sign."""

    code: str
    role: str
    category: str
    first_on: date
    debit: int
    credit: int


def moved(period: Period, definition: Definition) -> Iterator[Moved]:
    """Yield what each account moved in a period, in each span of it in which the profile calls accounts alike."""
    for first, last in spans(period.starts_on, period.ends_on, definition.boundaries):
        rows = (
            Line.objects.filter(entry__book=period.book_id, entry__effective_on__gte=first, entry__effective_on__lte=last)
            .values_list("account__code", "account__role", "account__category")
            .annotate(debit=Total("amount", filter=Q(amount__gt=0)), credit=Total("amount", filter=Q(amount__lt=0)))
            .order_by()
        )
        for code, role, category, debit, credit in rows.iterator(chunk_size=ROWS_A_READ):
            yield Moved(code, role, category, first, int(debit or 0), -int(credit or 0))


def totals(
    period: Period, definition: Definition
) -> tuple[dict[tuple[str, str, str], tuple[int, int]], dict[tuple[str, str], tuple[int, int]]]:
    """Return debits and credits: in yen by account, sub-account and department of the accounting program; in minor units by category and role."""
    charts, yen = Charts(definition), definition.yen_a_unit or 1
    there: dict[tuple[str, str, str], tuple[int, int]] = {}
    here: dict[tuple[str, str], tuple[int, int]] = {}
    for row in moved(period, definition):
        debit, credit = here.get((row.category, row.role), (0, 0))
        here[row.category, row.role] = (debit + row.debit, credit + row.credit)
        rule = charts.rule(row.code, row.role, row.category, row.first_on)
        if rule is not None:
            key = (rule.side.account, rule.side.sub_account, rule.side.department)
            debit, credit = there.get(key, (0, 0))
            there[key] = (debit + row.debit * yen, credit + row.credit * yen)
    return there, here


def sealed(seal: Seal) -> dict[tuple[str, str], tuple[int, int]]:
    """Return debits and credits by category and role as a seal has them."""
    rows: Sequence[Mapping[str, Any]] = seal.trial_balance
    return {(row["category"], row["role"]): (row["debit"], row["credit"]) for row in rows if row["debit"] or row["credit"]}


def of_period(profile: Profile, period: Period) -> Export | None:
    """Return what was handed over of a period by a profile; None where nothing was."""
    rows = Export.objects.select_related("version__profile__book", "profile__book", "period__book", "seal", "handed_over_by")
    return rows.filter(profile=profile, period=period).first()


def next_slip(profile: Profile, year: tuple[date, date]) -> int:
    """Return the number of the first slip that nothing of a fiscal year, from its first day to its last, has had.

    By the days, and not by the year that was kept: the profile may say since that fiscal years begin in another month.
    """
    first, last = year
    of_year = Export.objects.filter(sql.meeting(first, last, "period__"), profile=profile)
    return of_year.aggregate(last=Max("next_slip"))["last"] or 1
