"""What became of points: issued, used, expired, taken back, adjusted and moved between members, and what is outstanding, by kind and by age.

Everything is told twice, and compared with each other: what is outstanding by the lots, and what the lines of their accounts come to.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Case, CharField, Exists, F, IntegerField, Model, OuterRef, Q, QuerySet, Value, When

from ledger_app.base.queries.totals import Total
from ledger_app.explain.queries import book_spans, trial_balances
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.explain.rules import AGES, age_bounds
from ledger_app.models import Balance, Book, Line, Lot, LotRule, LotUse, OpenLot, Posting
from ledger_app.posting.queries.spans import FIRST_DAY
from ledger_app.values.sides import DEBIT_CATEGORIES, natural

ISSUED, USED, EXPIRED, REVERSED, ADJUSTED, MOVED = "issued", "used", "expired", "reversed", "adjusted", "moved"
WAYS: Final = (ISSUED, USED, EXPIRED, REVERSED, ADJUSTED, MOVED)
WITHOUT_LOTS: Final = "without_lots"
ALL: Final = "all"
_DAY: Final = timedelta(days=1)

NONE: Final = (0,) * (len(AGES) + 2)

Kind = tuple[str, str]  # role, kind of lot
Ages = Mapping[Kind, Sequence[int]]
Dated = Callable[[str], Q]  # from the path to a line to the condition of its entry


class Movements(NamedTuple):
    """What became of the points of one kind in a span, in their own direction: what members have is positive, what they owe is negative.

    ``ways`` is signed, by ``WAYS``; ``ages`` parts what is outstanding at the end by ``AGES``, the youngest first, and last what has no age. ``difference`` is
    what the lots at the end have beside opening and movements. ``ledger`` is what the lines of the accounts come to, of all kinds of a role together, and
    ``ledger_difference`` what that has beside the lots.
    """

    role: str
    kind: str
    opening: int
    ways: tuple[int, ...]
    closing: int
    ages: tuple[int, ...]
    ledger: int | None = None

    @property
    def difference(self) -> int:
        """What is outstanding by the lots, beyond opening and movements: zero, or something is wrong."""
        return self.closing - self.opening - sum(self.ways)

    @property
    def ledger_difference(self) -> int | None:
        """What the lines come to beyond the lots: zero, or something is wrong."""
        return None if self.ledger is None else self.ledger - self.closing

    @property
    def ties(self) -> bool:
        """Whether opening, movements, lots and lines agree."""
        return not self.difference and not self.ledger_difference


def roles(book: Book) -> list[str]:
    """Return the roles of a book's accounts that keep lots."""
    return sorted(LotRule.objects.filter(book=book).values_list("role", flat=True))


def has_more(book: Book, most: int) -> bool:
    """Whether more lots than ``most`` are open."""
    return OpenLot.objects.filter(book=book)[most : most + 1].exists()


def of(span: BookSpan, among: Iterable[str]) -> list[Movements]:
    """Return what became of the points of the roles ``among`` in a span: a row for each kind, and one of all kinds of a role.

    :raises errors.Refused: seal_differs
    """
    wanted = sorted(among)
    openings = _outstanding(span._replace(last_on=span.first_on - _DAY), wanted)
    closings = _outstanding(span, wanted)
    moved = _moved(span, wanted)
    ledger = trial_balances.of(span)
    found = []
    for role in wanted:
        kinds = sorted({kind for at, kind in (*openings, *closings, *moved) if at == role})
        rows = [_row((role, kind), openings, moved, closings) for kind in kinds]
        lines = sum(natural(key.category, sums.closing or 0) for key, sums in ledger.items() if key.role == role)
        found += [*rows, _all(role, rows, lines)]
    return found


def _row(key: Kind, openings: Ages, moved: Mapping[Kind, Mapping[str, int]], closings: Ages) -> Movements:
    ways = tuple(moved.get(key, {}).get(way, 0) for way in WAYS)
    ages = closings.get(key, NONE)
    return Movements(*key, sum(openings.get(key, NONE)), ways, sum(ages), tuple(ages))


def _all(role: str, rows: Sequence[Movements], ledger: int) -> Movements:
    ways = tuple(sum(row.ways[place] for row in rows) for place in range(len(WAYS)))
    ages = tuple(sum(row.ages[place] for row in rows) for place in range(len(NONE)))
    return Movements(role, ALL, sum(row.opening for row in rows), ways, sum(row.closing for row in rows), ages, ledger)


def _outstanding(span: BookSpan, among: Sequence[str]) -> Ages:
    """Return what is left of lots at the end of a span, by age; and what accounts have that keep none.

    It is what is left now, without what came since; as known at an instant it is all that came, since nothing says what was left then.
    """
    found: dict[Kind, list[int]] = {}
    is_now = span.known_at is None
    if is_now:
        there = OpenLot.objects.filter(book=span.book, account__role__in=among)
        _add(found, _by_age(there, "lot__", span.last_on, "remaining"), 1)
        balances = Balance.objects.filter(account__book=span.book, account__role__in=among, account__keeps_lots=False)
        _add(found, _without_lots(balances, "amount"), 1)
    wanted = _after(span) if is_now else _until(span)
    sign = -1 if is_now else 1
    _add(found, _by_age(_of(Lot, "line__", wanted, among), "", span.last_on, "amount"), sign)
    _add(found, _by_age(_of(LotUse, "line__", wanted, among), "lot__", span.last_on, "amount"), -sign)
    _add(found, _without_lots(_of(Line, "", wanted, among).filter(account__keeps_lots=False), "amount"), sign)
    return {kind: ages for kind, ages in found.items() if any(ages)}


def _after(span: BookSpan) -> Dated:
    return lambda prefix: Q(**{f"{prefix}entry__book": span.book, f"{prefix}entry__effective_on__gt": span.last_on})


def _until(span: BookSpan) -> Dated:
    return lambda prefix: book_spans.entries(span, FIRST_DAY, f"{prefix}entry__")


def _of(model: type[Model], prefix: str, wanted: Dated, among: Sequence[str]) -> QuerySet[Any, Any]:
    return model._default_manager.filter(wanted(prefix), **{f"{prefix}account__role__in": among}).order_by()  # noqa: SLF001 - Django's public API


def _by_age(rows: QuerySet[Any, Any], lot: str, on: date, column: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield role, kind, place of the age, and sum."""
    places = [When(**{f"{lot}granted_on__gt": bound, "then": Value(place)}) for place, bound in enumerate(age_bounds(on))]
    age = Case(*places, default=Value(len(places)), output_field=IntegerField())
    named = rows.order_by().annotate(age=age, kind_of=F(f"{lot}kind"), role_of=F(f"{lot}account__role"))
    yield from named.values_list("role_of", "kind_of", "age").annotate(total=Total(column))


def _without_lots(rows: QuerySet[Any, Any], column: str) -> Iterator[tuple[str, str, int, int]]:
    summed = rows.order_by().values_list("account__role", "account__category").annotate(total=Total(column))
    for role, category, total in summed:
        yield role, WITHOUT_LOTS, len(NONE) - 1, natural(category, total)


def _add(found: dict[Kind, list[int]], rows: Iterable[tuple[str, str, int, int]], sign: int) -> None:
    for role, kind, place, amount in rows:
        found.setdefault((role, kind), list(NONE))[place] += sign * amount


def _moved(span: BookSpan, among: Sequence[str]) -> Mapping[Kind, Mapping[str, int]]:
    found: dict[Kind, dict[str, int]] = {}

    def add(role: str, kind: str, way: str, amount: int) -> None:
        of_kind = found.setdefault((role, kind), {})
        of_kind[way] = of_kind.get(way, 0) + amount

    wanted: Dated = lambda prefix: book_spans.entries(span, span.first_on, f"{prefix}entry__")  # noqa: E731 - as those beside it
    for model, lot, sign in ((Lot, "", 1), (LotUse, "lot__", -1)):
        rows = _of(model, "line__", wanted, among).annotate(way=_way("line__", among), kind_of=F(f"{lot}kind"))
        for role, kind, way, amount in rows.values_list("line__account__role", "kind_of", "way").annotate(total=Total("amount")):
            add(role, kind, way, sign * amount)
    lines = _of(Line, "", wanted, among).filter(account__keeps_lots=False).annotate(way=_way("", among))
    for role, category, way, amount in lines.values_list("account__role", "account__category", "way").annotate(
        total=Total("amount")
    ):
        add(role, WITHOUT_LOTS, way, natural(category, amount))
    return found


def _way(line: str, among: Sequence[str]) -> Case:
    """Return what a line did to points.

    Where an entry has no line beside points, they went from one member to another, by a merge or otherwise: nothing was issued, used or earned by it, and nothing
    is by its reversal.
    """
    others = Line.objects.filter(entry=OuterRef(f"{line}entry_id")).exclude(account__role__in=among)
    origin = f"{line}entry__posting__origin_kind"
    is_gain = Q(**{f"{line}account__category__in": DEBIT_CATEGORIES, f"{line}amount__gt": 0}) | (
        ~Q(**{f"{line}account__category__in": DEBIT_CATEGORIES}) & Q(**{f"{line}amount__lt": 0})
    )
    return Case(
        When(~Exists(others), then=Value(MOVED)),
        When(**{f"{line}entry__reverses__isnull": False}, then=Value(REVERSED)),
        When(**{origin: Posting.Origin.EXPIRY}, then=Value(EXPIRED)),
        When(**{origin: Posting.Origin.ADJUSTMENT}, then=Value(ADJUSTED)),
        When(is_gain, then=Value(ISSUED)),
        default=Value(USED),
        output_field=CharField(),
    )
