"""What of a merge is dated on later days, and what came with a merge and is still there when it is undone: by the lots themselves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter

from django.db.models import Q, QuerySet

from ledger_app import errors, sql
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import members
from ledger_app.members.rules.merges import CarriedLot, MemberAccount, Move, Part, merge_reference, parts_by_day
from ledger_app.models import Account, Balance, Line, Lot, LotUse, Merge, OpenLot, Posting
from ledger_app.posting.queries import days
from ledger_app.posting.rules.lots import DEFICIT
from ledger_app.values.most import CHAIN_MOST
from ledger_app.values.sides import natural
from ledger_app.values.sides import sign as sign_of


def with_days(moves: Iterable[Move], on: Mapping[str, date]) -> tuple[Move, ...]:
    """Return moves of whole balances with what of each is dated later than its book's day: points granted from a later day, for one."""
    found = list(moves)
    ids = [move.source.id for move in found if move.amount]
    latest = dict(
        Balance.objects.filter(account__in=ids, last_on__isnull=False).order_by("last_on").values_list("account_id", "last_on")
    )
    keeping = set(Account.objects.filter(id__in=ids, keeps_lots=True).values_list("id", flat=True))
    for place, move in enumerate(found):
        day, source = on[move.source.book], move.source
        if source.id in latest and (latest[source.id] or day) > day:
            if source.id in keeping:
                found[place] = move._replace(later=_lots_of_later(source, day))
            elif source.floor is not None:
                later = days.after({source.id: day}).get(source.id, {})
                sign = sign_of(source.category)
                found[place] = move._replace(later=parts_by_day(balance=source.amount, later=later, sign=sign))
    return tuple(found)


def overdue(merge: Merge, giving: Iterable[MemberAccount], on: Mapping[str, date]) -> list[errors.LedgerError]:
    """Return the accounts whose balance cannot move, as posting would say it: lots were due before the day of the move, and are not expired yet."""
    # Of one who owes, too: what is due could never expire on an account that takes no entry.
    moving = {each.id: each for each in giving if each.amount}
    rows = OpenLot.objects.filter(account__in=moving, remaining__gt=0).order_by("account_id", "due_on")
    first: dict[int, date] = {}
    for account_id, due_on in rows.exclude(lot__kind=DEFICIT).values_list("account_id", "due_on"):
        if due_on is not None:
            first.setdefault(account_id, due_on)
    return [
        lot_errors.LotsDue(
            account=moving[key].code, due=due_on.isoformat(), reference=merge_reference(merge.pk, moving[key].role)
        )
        for key, due_on in first.items()
        if due_on < on[moving[key].book]
    ]


def owing_later(giving: Iterable[MemberAccount], on: Mapping[str, date]) -> list[errors.LedgerError]:
    """Return the accounts that owe from a day on which is later than the merge: what is moved earlier does not set it off, and would stay behind."""
    there = {each.id: each for each in giving}
    rows = OpenLot.objects.filter(account__in=there, lot__kind=DEFICIT).order_by("account_id", "-lot__granted_on")
    last: dict[int, date] = {}
    for account_id, granted_on in rows.values_list("account_id", "lot__granted_on"):
        last.setdefault(account_id, granted_on)
    return [
        members.OwesFromLaterDay(account=there[key].code, date=owed_on.isoformat())
        for key, owed_on in last.items()
        if owed_on > on[there[key].book]
    ]


def given_back(
    merge: Merge, giving: Mapping[tuple[str, str], MemberAccount], on: Mapping[str, date]
) -> dict[tuple[str, str], Move]:
    """Return what an undoing gives back by default, by (book, role): the part that came with the merge and is still there.

    Of an account that keeps lots, the lots that came, as far as they are left; of another, as much as came, as far as there is as much.
    """
    keeping = set(
        Account.objects.filter(id__in=[each.id for each in giving.values()], keeps_lots=True).values_list("id", flat=True)
    )
    own = _own_lots(merge, keeping) if keeping else {}
    found = {}
    for each in (merge.decided_preview or {}).get("moves", []):
        place = (each["book"], each["role"])
        account = giving.get(place)
        if account is None:
            continue
        moved = natural(account.category, each["amount"])
        day = on[account.book]
        if account.id in keeping:
            found[place] = _of_lots(account, own.get(account.id, []), day)._replace(moved=moved)
        else:
            there = max(0, min(each["amount"], _free(account, day)))
            found[place] = Move(account, None, natural(account.category, there), moved=moved)
    return found


def stated(move: Move, amount: int) -> Move:
    """Return what an undoing gives back where ``amount`` is stated, signed: the lots that came first, and beyond them in the order of spending."""
    left = abs(amount)
    first, left = _cut(move.lots, left)
    later = []
    for part in move.later:
        lots, left = _cut(part.lots, left)
        if lots:
            later.append(Part(part.on, natural(move.source.category, sum(lot.amount for lot in lots)), lots))
    return move._replace(amount=amount, lots=first, later=tuple(later))


def _cut(lots: Iterable[CarriedLot], left: int) -> tuple[tuple[CarriedLot, ...], int]:
    found = []
    for lot in lots:
        part = min(lot.amount, left)
        left -= part
        if part:
            found.append(lot._replace(amount=part))
    return tuple(found), left


def _of_lots(account: MemberAccount, lots: Sequence[CarriedLot], day: date) -> Move:
    """Return the move of lots: those that can be used on the day, and each that is granted later on its own."""
    said = day.isoformat()
    first = tuple(lot for lot in lots if lot.granted_on <= said <= (lot.expires_on or said))
    ahead = sorted((lot for lot in lots if lot.granted_on > said), key=itemgetter(2, 0))
    later = tuple(
        Part(date.fromisoformat(granted_on), natural(account.category, sum(lot.amount for lot in part)), part)
        for granted_on, part in ((granted_on, tuple(group)) for granted_on, group in groupby(ahead, key=itemgetter(2)))
    )
    amount = natural(account.category, sum(lot.amount for lot in first)) + sum(part.amount for part in later)
    return Move(account, None, amount, later=later, lots=first)


def _lots_of_later(source: MemberAccount, day: date) -> tuple[Part, ...]:
    rows = OpenLot.objects.filter(account=source.id, lot__granted_on__gt=day).exclude(lot__kind=DEFICIT)
    return _of_lots(source, _carried(rows), day).later


def _carried(rows: QuerySet[OpenLot]) -> list[CarriedLot]:
    """Return what is left of lots, oldest first. Holds are not looked at: an open hold refuses the merge, and one whose time is over ends with it."""
    columns = ("lot_id", "lot__kind", "lot__granted_on", "due_on", "remaining")
    return [
        CarriedLot(lot_id, kind, granted_on.isoformat(), due_on.isoformat() if due_on else "", remaining)
        for lot_id, kind, granted_on, due_on, remaining in rows.order_by("lot_id").values_list(*columns)
        if remaining > 0
    ]


def _free(account: MemberAccount, day: date) -> int:
    """Return what can be taken of an account without lots on a day: the lowest that a day from it on closes with, above the floor."""
    if account.floor is None:
        return natural(account.category, account.amount)
    sign = sign_of(account.category)
    later = days.after({account.id: day}).get(account.id, {})
    not_yet = sum(part.amount for part in parts_by_day(balance=account.amount, later=later, sign=sign))
    return natural(account.category, account.amount - not_yet) - account.floor


def _own_lots(merge: Merge, account_ids: Collection[int]) -> dict[int, list[CarriedLot]]:
    """Return, by account, what is free of the lots that a merge made, followed through the merges that carried them on."""
    of_merge = Q(line__entry__posting__origin_kind=Posting.Origin.MERGE)
    made = Lot.objects.filter(of_merge, line__entry__posting__origin_id=merge.pk).exclude(kind=DEFICIT)
    here = dict(made.values_list("id", "account_id"))
    there: dict[int, list[int]] = {}
    for _step in range(CHAIN_MOST):
        for lot_id, account_id in here.items():
            if account_id in account_ids:
                there.setdefault(account_id, []).append(lot_id)
        here = _carried_on([lot_id for lot_id, account_id in here.items() if account_id not in account_ids])
        if not here:
            break
    return {
        account_id: [lot for part in sql.parts(sorted(ids)) for lot in _carried(OpenLot.objects.filter(lot_id__in=part))]
        for account_id, ids in there.items()
    }


def _carried_on(lot_ids: Sequence[int]) -> dict[int, int]:
    """Return the lots, with their accounts, that merges made out of these: the one that was made beside each use (rules/lot_decisions.py)."""
    found: dict[int, int] = {}
    for part in sql.parts(sorted(lot_ids)):
        lines = Line.objects.filter(lot_uses__lot_id__in=part, lot_uses__amount__gt=0)
        for line in lines.filter(entry__posting__origin_kind=Posting.Origin.MERGE).distinct():
            uses = LotUse.objects.filter(line=line, amount__gt=0).exclude(lot__kind=DEFICIT).order_by("id")
            made = Lot.objects.filter(line__entry=line.entry_id).exclude(line=line).exclude(kind=DEFICIT).order_by("id")
            pairs = zip(uses.values_list("lot_id", flat=True), made.values_list("id", "account_id"), strict=False)
            found.update(new for old, new in pairs if old in part)
    return found
