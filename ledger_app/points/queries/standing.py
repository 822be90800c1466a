"""The standing of a balance: what is held, what was due and has not expired yet, what cannot be used before its day, and what can be spent now."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q, QuerySet

from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.models import Account, Balance, OpenLot
from ledger_app.posting.queries import days
from ledger_app.posting.queries.lots import over_at
from ledger_app.posting.rules import floors
from ledger_app.values import sides


class Standing(NamedTuple):
    """A balance and its parts, in minor units in the natural direction of the account. What was due and is held too counts as held.

    A hold whose time is over holds nothing, though nobody has ended it yet: a posting ends it first.

    ``spendable`` is what posting would take now at most; None where nothing bounds it.
    """

    balance: int
    held: int
    overdue: int
    upcoming: int
    spendable: int | None

    def parts(self) -> dict[str, int | None]:
        """Return what stands beside the balance, by name."""
        return {"held": self.held, "overdue": self.overdue, "upcoming": self.upcoming, "spendable": self.spendable}


OF_HELD = ("hold__account", "amount", "lot__granted_on", "lot__remainder__due_on")
NAMES = ("held", "overdue", "upcoming", "spendable")


def of(accounts: Iterable[Account], *, at: datetime) -> dict[int, Standing]:
    """Return how accounts stand at an instant, which is a day of each book, by account; their books are read beforehand.

    In a number of statements that depends on the books and, by nine hundreds, on the accounts, and on nothing else.
    """
    wanted = {account.pk: account for account in accounts}
    balances: dict[int, int] = {}
    lowest: dict[int, int] = {}
    lots: dict[int, dict[str, Any]] = {}
    for book_id in sorted({account.book_id for account in wanted.values()}):
        of_book = {key: account for key, account in wanted.items() if account.book_id == book_id}
        today = at.astimezone(ZoneInfo(next(iter(of_book.values())).book.time_zone)).date()
        for part in sql.parts(sorted(of_book)):
            rows = (
                Balance.objects.filter(account__in=part)
                .order_by()
                .values("account")
                .annotate(total=Total("amount"), last=Max("last_on"))
            )
            found = {row["account"]: (row["total"], row["last"]) for row in rows}
            balances.update((key, total) for key, (total, _last) in found.items())
            late = [key for key, (_total, last) in found.items() if last is not None and last > today]
            lowest.update(_lowest([of_book[key] for key in late if of_book[key].floor is not None], balances, today))
        of_lots: dict[int, dict[str, Any]] = {}
        for part in sql.parts(sorted(key for key, account in of_book.items() if account.keeps_lots)):
            of_lots.update((row["account"], row) for row in _lots(part, today))
        _let_go_of_over(of_lots, today, at)
        lots |= of_lots
    return {key: _standing(account, balances.get(key, 0), lots.get(key, {}), lowest.get(key)) for key, account in wanted.items()}


def of_member(holder_id: int, *, at: datetime) -> dict[int, Standing]:
    """Return how the accounts of a member stand."""
    return of(Account.objects.filter(holder=holder_id).select_related("book"), at=at)


def of_members(holder_ids: Sequence[int], *, at: datetime) -> dict[int, list[dict[str, Any]]]:
    """Return what each of these members has on accounts and how it stands, ready for JSON, by member."""
    rows: list[Account] = []
    for part in sql.parts(holder_ids):
        rows += Account.objects.filter(holder__in=part).select_related("book").order_by("book__code", "code")
    found = of(rows, at=at)
    told: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        of_row = found[row.pk]
        book = {"book": row.book.code, "unit": row.book.unit, "exponent": row.book.exponent}
        named = {**book, "account": row.code, "balance": of_row.balance, **of_row.parts()}
        told.setdefault(row.holder_id or 0, []).append(named)
    return told


def as_dict(account: Account, *, at: datetime) -> dict[str, Any]:
    """Return how one account stands at an instant, ready for JSON: the balance, its parts, and what expires next and when, where lots are kept."""
    found = of([account], at=at)[account.pk]
    today = at.astimezone(ZoneInfo(account.book.time_zone)).date()
    ahead = OpenLot.objects.filter(account=account, due_on__gte=today, remaining__gt=0).order_by()
    first = ahead.values("due_on").annotate(left=Total("remaining")).order_by("due_on").first()
    due = (
        {"next_due_on": None, "next_due": None}
        if first is None
        else {"next_due_on": str(first["due_on"]), "next_due": first["left"]}
    )
    return {"on": today.isoformat(), "balance": found.balance, **found.parts(), **due}


def _lots(account_ids: Any, today: Any) -> "QuerySet[Any, Any]":
    free = F("remaining") - F("held")
    is_due, is_ahead = Q(due_on__lt=today), Q(lot__granted_on__gt=today)
    return (
        OpenLot.objects.filter(account__in=account_ids)
        .order_by()
        .values("account")
        .annotate(
            of_holds=Total("held"),
            owed=Total("remaining", filter=Q(remaining__lt=0)),
            overdue=Total(free, filter=is_due & Q(remaining__gt=0)),
            upcoming=Total(free, filter=is_ahead & ~is_due & Q(remaining__gt=0)),
            # Without a last day a lot is due on no day.
            usable=Total(
                free,
                filter=Q(remaining__gt=0) & Q(lot__granted_on__lte=today) & (Q(due_on__isnull=True) | Q(due_on__gte=today)),
            ),
        )
    )


def _let_go_of_over(lots: dict[int, dict[str, Any]], today: date, at: datetime) -> None:
    """Count what is held by holds that are over at an instant with the rest of its lots: due, of a later day, or usable."""
    for of_part in sql.parts(sorted(key for key, found in lots.items() if found["of_holds"])):
        rows = over_at(at).filter(hold__account__in=of_part)
        for account_id, amount, granted_on, due_on in rows.values_list(*OF_HELD):
            part = "overdue" if due_on is not None and due_on < today else "upcoming" if granted_on > today else "usable"
            lots[account_id]["of_holds"] -= amount
            lots[account_id][part] += amount


def _lowest(accounts: Sequence[Account], balances: dict[int, int], today: date) -> dict[int, int]:
    """Return the least that accounts with lines of later days close with from today on, natural: a floor is asked of each of those days."""
    added = days.after({account.pk: today for account in accounts})
    found: dict[int, int] = {}
    for account in accounts:
        sign = sides.sign(account.category)
        of_days = floors.Days(added.get(account.pk, {}))
        found[account.pk] = of_days.lowest(today, after=balances[account.pk], sign=sign)[0]
    return found


def _standing(account: Account, amount: int, lots: dict[str, Any], lowest: int | None = None) -> Standing:
    balance = sides.natural(account.category, amount)
    bounds = []
    if account.floor is not None:
        bounds.append(max(0, (balance if lowest is None else lowest) - account.floor))
        if account.keeps_lots:
            # What is short becomes a debt, as far as the floor lets the balance fall when all that is due or held has gone.
            bounds.append(int(lots.get("usable") or 0) + max(0, int(lots.get("owed") or 0) - account.floor))
    spendable = min(bounds) if bounds else None
    if account.state != Account.State.OPEN:
        spendable = 0
    return Standing(balance, int(lots.get("of_holds", 0)), int(lots.get("overdue", 0)), int(lots.get("upcoming", 0)), spendable)
