"""The lots that an entry makes and takes, as its decider sees them: from the plan, and from the rows once it is posted."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from ledger_app import sql
from ledger_app.models import Entry, Line, Lot, LotUse
from ledger_app.posting.rules.drafts import Plan
from ledger_app.posting.rules.lots import ShownLot


def of_plan(plan: Plan, codes: Mapping[int, str]) -> tuple[ShownLot, ...]:
    """Return the lots that a plan makes and takes, in one statement. ``codes`` are those of its accounts, by number."""
    made = [
        ShownLot(codes[each.account_id], 0, each.kind, each.amount, each.granted_on.isoformat(), _day(each.expires_on))
        for each in plan.lots
    ]
    there = {
        lot.pk: lot
        for part in sql.parts(sorted({each.lot for each in plan.uses if each.lot >= 0}))
        for lot in Lot.objects.filter(id__in=part)
    }
    used = []
    for use in plan.uses:
        lot = there[use.lot] if use.lot >= 0 else plan.lots[-1 - use.lot]
        code, number = codes[plan.lines[use.line].account_id], max(use.lot, 0)
        used.append(ShownLot(code, number, lot.kind, -use.amount, lot.granted_on.isoformat(), _day(lot.expires_on)))
    return tuple(sorted(made + used))


def of_lines(lines: Iterable[Line]) -> tuple[ShownLot, ...]:
    """Return the same from the rows, of lines that are written, in two statements for each nine hundred lines."""
    made: list[Lot] = []
    used: list[LotUse] = []
    for part in sql.parts([line.pk for line in lines]):
        made += Lot.objects.filter(line__in=part).select_related("account")
        used += LotUse.objects.filter(line__in=part).select_related("lot", "line__account")
    return _shown(made, used)


def of_entry(entry: Entry, most: int) -> tuple[ShownLot, ...]:
    """Return the same of an entry: the first that it made, and the first that it took of, in two statements."""
    made = Lot.objects.filter(line__entry=entry).select_related("account").order_by("id")[:most]
    used = LotUse.objects.filter(line__entry=entry).select_related("lot", "line__account").order_by("id")[:most]
    return _shown(list(made), list(used))


def _shown(made: Sequence[Lot], used: Sequence[LotUse]) -> tuple[ShownLot, ...]:
    shown = [
        ShownLot(lot.account.code, 0, lot.kind, lot.amount, lot.granted_on.isoformat(), _day(lot.expires_on)) for lot in made
    ]
    own = {lot.pk for lot in made}
    for use in used:
        # What the entry made itself had no number when it was shown.
        number = 0 if use.lot_id in own else use.lot_id
        lot = use.lot
        shown.append(
            ShownLot(use.line.account.code, number, lot.kind, -use.amount, lot.granted_on.isoformat(), _day(lot.expires_on))
        )
    return tuple(sorted(shown))


def text_of(lots: Iterable[ShownLot]) -> str:
    """Say the lots in one line, in the active language."""
    return ", ".join(map(str, lots))


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
