"""Trial balances of any span of a book's days, by role, by source or by store: added up by the database, from the seal before the span on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.fields import BigIntegerField, CharField

from ledger_app import errors, sql
from ledger_app.base.queries.totals import Total
from ledger_app.explain.queries import book_spans
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.explain.rules import ROLE, SOURCE
from ledger_app.models import Balance, Line, Seal
from ledger_app.posting.queries.spans import FIRST_DAY
from ledger_app.values.instants import LAST_DAY

ROWS_A_READ = 2000
DEBIT = "debit"

# From the numbers of origins of one kind to the sources whose work they are. Of the other kinds the kind alone is told.
Sources = Callable[[Sequence[int]], Mapping[int, str]]
_sources: dict[str, Sources] = {}


class Key(NamedTuple):
    """The subject of a row: a category and a role, and within them one source or one account without a member; empty for all of them."""

    category: str
    role: str
    origin: str = ""
    part: str = ""


class Sums(NamedTuple):
    """Signed, debit positive; ``credit`` is a sum of negative amounts. What a source had before the span is nowhere kept: ``opening`` is None."""

    opening: int | None
    debit: int
    credit: int

    @property
    def change(self) -> int:
        """What the span moved."""
        return self.debit + self.credit

    @property
    def closing(self) -> int | None:
        """The balance after the last day."""
        return None if self.opening is None else self.opening + self.change


NOTHING: Final = Sums(0, 0, 0)


def register(kind: str, sources: Sources) -> None:
    """Have the sources of postings of the origin ``kind`` told. Called by applications when they start."""
    _sources[kind] = sources


def of(span: BookSpan, by: str = ROLE) -> dict[Key, Sums]:
    """Return the rows of a trial balance, in their order.

    :raises errors.Refused: seal_differs, where the span ends with a seal, and its rows do not come to what that says
    """
    by_role = _by_role(span)
    _hold_against_seal(span, by_role)
    if by == ROLE:
        found = by_role
    elif by == SOURCE:
        found = _by_source(span)
    else:
        found = _by_store(span, by_role)
    return dict(sorted(found.items()))


def total(rows: Mapping[Key, Sums]) -> Sums:
    """Return what the rows come to. Opening and closing of a whole book are zero."""
    found = list(rows.values())
    openings = [row.opening for row in found]
    opening = None if None in openings else sum(each for each in openings if each is not None)
    return Sums(opening, sum(row.debit for row in found), sum(row.credit for row in found))


def of_role(span: BookSpan, role: str) -> tuple[str, Sums] | None:
    """Return the category of a role and what it comes to; None where it has no line up to the end of the span."""
    found = [(key.category, sums) for key, sums in of(span).items() if key.role == role]
    if not found:
        return None
    return found[0][0], total({Key(category, role): sums for category, sums in found})


def _lines(span: BookSpan, first: date) -> QuerySet[Any, Any]:
    return Line.objects.filter(book_spans.entries(span, first, "entry__")).order_by()


def _within(first: date, sign: str) -> Total:
    return Total("amount", filter=Q(**{f"amount__{sign}": 0, "entry__effective_on__gte": first}))


def _moved(first: date) -> dict[str, Total]:
    return {DEBIT: _within(first, "gt"), "credit": _within(first, "lt")}


def _by_role(span: BookSpan) -> dict[Key, Sums]:
    seal = book_spans.base(span)
    openings = {Key(row["category"], row["role"]): int(row["closing"]) for row in seal.trial_balance} if seal else {}
    rows = (
        _lines(span, book_spans.read_from(span))
        .values("account__category", "account__role")
        .annotate(opening=Total("amount", filter=Q(entry__effective_on__lt=span.first_on)), **_moved(span.first_on))
    )
    found = {key: Sums(opening, 0, 0) for key, opening in openings.items()}
    for row in rows:
        key = Key(row["account__category"], row["account__role"])
        found[key] = Sums(openings.get(key, 0) + row["opening"], row["debit"], row["credit"])
    return found


def _hold_against_seal(span: BookSpan, found: Mapping[Key, Sums]) -> None:
    """Refuse what does not come to what the seal of the span's last day says.

    :raises errors.Refused: seal_differs
    """
    seal = book_spans.seal_of(span)
    if seal is None or seal.period.ends_on != span.last_on:
        return
    is_whole = seal.period.starts_on == span.first_on
    differs = [
        f"{key.category} {key.role}"
        for key, stands in _sealed(seal).items()
        if not _agrees(found.get(key, NOTHING), stands, is_whole=is_whole)
    ]
    differs += [f"{key.category} {key.role}" for key in found.keys() - _sealed(seal).keys() if found[key] != NOTHING]
    if differs:
        raise errors.Refused([errors.SealDiffers(period=str(seal.period), what=", ".join(sorted(differs)))])


def _sealed(seal: Seal) -> dict[Key, Sums]:
    return {Key(row["category"], row["role"]): Sums(row["opening"], row["debit"], -row["credit"]) for row in seal.trial_balance}


def _agrees(found: Sums, sealed: Sums, *, is_whole: bool) -> bool:
    return found == sealed if is_whole else found.closing == sealed.closing


def _by_source(span: BookSpan) -> dict[Key, Sums]:
    kind, number = "entry__posting__origin_kind", F("entry__posting__origin_id")
    told = When(**{f"{kind}__in": sorted(_sources)}, then=number)
    rows = (
        _lines(span, span.first_on)
        .annotate(number=Case(told, default=Value(0), output_field=BigIntegerField()))
        .values_list("account__category", "account__role", kind, "number")
        .annotate(**_moved(span.first_on))
    )
    found: dict[Key, Sums] = {}
    waiting: list[tuple[Any, ...]] = []
    for row in rows.iterator(chunk_size=ROWS_A_READ):
        waiting.append(row)
        if len(waiting) == ROWS_A_READ:
            _add_by_source(found, waiting)
            waiting = []
    _add_by_source(found, waiting)
    return found


def _add_by_source(found: dict[Key, Sums], rows: Sequence[tuple[Any, ...]]) -> None:
    named: dict[tuple[str, int], str] = {}
    for kind, sources in _sources.items():
        numbers = sorted({row[3] for row in rows if row[2] == kind})
        for part in sql.parts(numbers):
            named.update(((kind, number), name) for number, name in sources(part).items())
    for category, role, kind, number, debit, credit in rows:
        key = Key(category, role, kind, named.get((kind, number), ""))
        there = found.get(key, NOTHING)
        found[key] = Sums(None, there.debit + debit, there.credit + credit)


def _by_store(span: BookSpan, by_role: Mapping[Key, Sums]) -> dict[Key, Sums]:
    """Return the accounts that no member holds by their codes, and of each role what its members have together."""
    store = Case(When(account__holder__isnull=True, then=F("account__code")), default=Value(""), output_field=CharField())
    moved = {
        Key(category, role, "", code): (debit, credit)
        for category, role, code, debit, credit in _lines(span, span.first_on)
        .annotate(store=store)
        .values_list("account__category", "account__role", "store")
        .annotate(**_moved(span.first_on))
    }
    openings = {key: sums.opening or 0 for key, sums in by_role.items()}
    for key, opening in _openings_of_stores(span).items():
        role = Key(key.category, key.role)
        openings[key], openings[role] = opening, openings.get(role, 0) - opening
    found = {key: Sums(openings.get(key, 0), *moved.get(key, (0, 0))) for key in openings.keys() | moved.keys()}
    return {key: sums for key, sums in found.items() if sums != NOTHING}


def _openings_of_stores(span: BookSpan) -> dict[Key, int]:
    """Return the opening of each account without a member: its balance of now less what came since, or the sum of its lines as known at an instant."""
    of_store = {"account__book": span.book, "account__holder__isnull": True}
    columns = ("account__category", "account__role", "account__code")
    if span.known_at is not None:
        before = _lines(span._replace(last_on=LAST_DAY), FIRST_DAY).filter(**of_store, entry__effective_on__lt=span.first_on)
        known = before.values_list(*columns).annotate(total=Total("amount"))
        there = Balance.objects.filter(**of_store).order_by().values_list(*columns).distinct()
        return dict.fromkeys((Key(category, role, "", code) for category, role, code in there), 0) | {
            Key(category, role, "", code): amount for category, role, code, amount in known
        }
    claimed = Balance.objects.filter(**of_store).order_by().values_list(*columns).annotate(total=Total("amount"))
    since = Line.objects.filter(**of_store, effective_on__gte=span.first_on).order_by()
    later = dict(since.values_list("account__code").annotate(total=Total("amount")))
    return {Key(category, role, "", code): amount - later.get(code, 0) for category, role, code, amount in claimed}
