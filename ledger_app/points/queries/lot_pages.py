"""Lots as they are shown: of an account, a page at a time, and of an entry."""

from datetime import datetime

from django.db.models import F, Prefetch, QuerySet

from ledger_app.models import Account, Entry, Hold, HoldLot, Lot, LotUse, OpenLot

SHOWN_MOST = 200


def of_account(account: Account, *, at: datetime, is_open: bool | None = None) -> QuerySet[Lot]:
    """Return the lots of an account with their uses, newest first: all lots, or only open ones, or only closed ones.

    ``held_parts`` of each is what holds keep of it at ``at``.
    """
    uses = LotUse.objects.select_related("line__entry").order_by("id")
    held = HoldLot.objects.filter(hold__state=Hold.State.OPEN, hold__expires_at__gt=at)
    parts = (Prefetch("uses", uses), Prefetch("held_by", held, to_attr="held_parts"))
    rows = Lot.objects.filter(account=account).select_related("line__entry", "remainder").prefetch_related(*parts)
    return (rows if is_open is None else rows.filter(remainder__isnull=not is_open)).order_by("-id")


def open_of(account: Account, most: int) -> list[OpenLot]:
    """Return what is open of an account's lots, due first first, those that never are last."""
    rows = OpenLot.objects.filter(account=account).select_related("lot__line__entry")
    return list(rows.order_by(F("due_on").asc(nulls_last=True), "lot_id")[:most])


def made_by(entry: Entry) -> list[Lot]:
    """Return the lots that an entry granted, the first two hundred."""
    return list(Lot.objects.filter(line__entry=entry).select_related("account", "line").order_by("id")[:SHOWN_MOST])


def used_by(entry: Entry) -> list[LotUse]:
    """Return what an entry took of lots, in the order in which it did, the first two hundred."""
    rows = LotUse.objects.filter(line__entry=entry).select_related("lot__account", "lot__line__entry")
    return list(rows.order_by("id")[:SHOWN_MOST])
