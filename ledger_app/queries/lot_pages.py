"""Lots as they are shown: of an account, a page at a time, and of an entry."""

from django.db.models import F, Prefetch, Q, QuerySet

from ledger_app.models import Account, Entry, Lot, LotUse, OpenLot


def of_account(account: Account, *, is_open: bool | None = None) -> QuerySet[Lot]:
    """Return the lots of an account with what used them: the newest first, or, of those that are open, those due first first."""
    uses = LotUse.objects.select_related("line__entry").order_by("id")
    rows = Lot.objects.filter(account=account).select_related("line__entry", "remainder").prefetch_related(Prefetch("uses", uses))
    if is_open is None:
        return rows.order_by("-id")
    return rows.filter(remainder__isnull=not is_open).order_by(*(("remainder__due_on", "id") if is_open else ("-id",)))


def open_of(account: Account, most: int) -> list[OpenLot]:
    """Return what is open of an account's lots, due first first, those that never are last."""
    rows = OpenLot.objects.filter(account=account).select_related("lot__line__entry")
    return list(rows.order_by(F("due_on").asc(nulls_last=True), "lot_id")[:most])


def made_by(entry: Entry) -> list[Lot]:
    """Return the lots that an entry granted."""
    return list(Lot.objects.filter(line__entry=entry).select_related("account", "line").order_by("id"))


def used_by(entry: Entry) -> list[LotUse]:
    """Return what an entry took of lots, in the order in which it did."""
    return list(LotUse.objects.filter(line__entry=entry).select_related("lot__account", "lot__line__entry").order_by("id"))


def sums(account: Account) -> tuple[int, int]:
    """Return what of an account's balance is held, and what is due on some day."""
    held = due = 0
    for row in OpenLot.objects.filter(account=account).filter(Q(held__gt=0) | Q(due_on__isnull=False)).iterator():
        held += row.held
        due += row.remaining if row.due_on else 0
    return held, due
