"""What is asked of holds."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.base.queries.totals import Total
from ledger_app.errors.words import phrase
from ledger_app.models import Account, Book, Hold, HoldRule, OpenLot, User
from ledger_app.posting.rules.holds import HoldFacts, Terms
from ledger_app.posting.rules.lots import Taking
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.openings import CODE_MOST, is_code


def facts(row: Hold, *, user: User, at: datetime, amount: int | None = None, on: date | None = None) -> HoldFacts:
    """Return what the guards of a hold are asked with; ``amount`` is what is to be settled, and ``on`` the day, where that is said."""
    return HoldFacts(
        state=row.state,
        user_name=user.username,
        rights=rights_of(user),
        reference=row.reference,
        held=row.amount,
        expires_at=row.expires_at,
        at=at,
        amount=amount,
        placed_by=row.placed_by.username,
        is_own=row.placed_by_id == user.pk,
        placed_on=day(row.book, row.placed_at),
        today=day(row.book, at),
        last_on=None if amount is None else _last_on(row, amount),
        asked_on=on,
    )


def takings(row: Hold, amount: int) -> list[Taking]:
    """Return what a settlement of ``amount`` takes of the lots that are held, in the order in which they were."""
    found = []
    for lot_id, held in row.parts.order_by("id").values_list("lot_id", "amount"):
        part = min(amount, held)
        amount -= part
        if part > 0:
            found.append(Taking(lot_id, part))
    return found


def _last_on(row: Hold, amount: int) -> date | None:
    """Return the first last day of the lots that a settlement takes. What is held of a lot keeps its remainder, and so its day."""
    lots = [lot_id for lot_id, _part in takings(row, amount)]
    days = OpenLot.objects.filter(lot__in=lots, due_on__isnull=False).order_by("due_on")
    return days.values_list("due_on", flat=True).first()


def day(book: Book, at: datetime) -> date:
    """Return the day at an instant in the zone of a book."""
    return at.astimezone(ZoneInfo(book.time_zone)).date()


def terms(book: Book) -> Terms:
    """Return what a book says of holds."""
    rule = HoldRule.objects.filter(book=book).first()
    if rule is None:
        return Terms()
    targets = frozenset(rule.targets.values_list("account_id", flat=True))
    return Terms(rule.amount_most, rule.amount_a_day, rule.hours_most, targets or None)


def of_day(accounts: Iterable[Account], at: datetime) -> dict[int, int]:
    """Return, by account, the sum of the holds placed on the day of an instant: open ones whole, of settled ones the settled part."""
    kept = Case(When(state=Hold.State.SETTLED, then=F("settled_amount")), default=F("amount"))
    by_zone: dict[str, list[int]] = {}
    for account in accounts:
        by_zone.setdefault(account.book.time_zone, []).append(account.pk)
    found: dict[int, int] = {}
    for zone, keys in by_zone.items():
        on = at.astimezone(ZoneInfo(zone)).date()
        first, last = (datetime.combine(each, time(), ZoneInfo(zone)).astimezone(UTC) for each in (on, on + timedelta(days=1)))
        placed = Hold.objects.filter(
            state__in=(Hold.State.OPEN, Hold.State.SETTLED), placed_at__gte=first, placed_at__lt=last
        ).order_by()
        for part in sql.parts(sorted(keys)):
            found |= dict(placed.filter(account__in=part).values_list("account").annotate(total=Total(kept)))
    return {key: int(total) for key, total in found.items()}


def known(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Hold]:
    """Return the holds that stand under these (book id, reference)."""
    references: dict[int, list[str]] = {}
    for book_id, reference in sorted(wanted):
        references.setdefault(book_id, []).append(reference)
    rows = Hold.objects.select_related("account", "target", "placed_by")
    return {
        (book_id, row.reference): row
        for book_id, names in references.items()
        for part in sql.parts(names)
        for row in rows.filter(book=book_id, reference__in=part)
    }


def accounts(keys: Collection[int]) -> dict[int, Account]:
    """Return accounts by number, with their books."""
    rows = Account.objects.select_related("book")
    return {row.pk: row for part in sql.parts(sorted(keys)) for row in rows.filter(pk__in=part)}


def find(book: Book, reference: str) -> Hold:
    """Return a hold by its reference.

    :raises errors.Refused: not_found
    """
    found = Hold.objects.filter(book=book, reference=reference).first()
    if found is None:
        raise errors.Refused([errors.NotFound(what=phrase(_("hold of {book}"), book=book.code), name=reference)])
    return found


def find_account(book: str, code: str) -> Account:
    """Return an account by its book's code and its own.

    :raises errors.Refused: not_found
    """
    is_named = is_code(book, CODE_MOST) and is_code(code, CODE_MOST)
    found = Account.objects.filter(book__code=book, code=code).first() if is_named else None
    if found is None:
        raise errors.Refused([errors.NotFound(what=phrase(_("account of {book}"), book=book), name=code)])
    return found
