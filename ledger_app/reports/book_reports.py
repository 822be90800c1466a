"""Reports of a book for finance and auditors: trial balance, general ledger, movements of points. What each says, whatever it is written as."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import knowing
from ledger_app.errors import reporting, reversing
from ledger_app.errors.words import phrase
from ledger_app.explain import rules
from ledger_app.explain.queries import book_spans, explain, general_ledgers, point_movements, trial_balances
from ledger_app.explain.queries import rights as report_rights
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.explain.queries.general_ledgers import Ledger, LedgerLine
from ledger_app.explain.queries.trial_balances import Key, Sums
from ledger_app.explain.rules import COMPARED, GENERAL_LEDGER, POINTS, ROLE, SOURCE, STORE, TRIAL_BALANCE
from ledger_app.models import Account, Book, Period, Seal, User
from ledger_app.values import instants
from ledger_app.values.sides import natural

DRAFT: Final = "draft-"
TOTAL: Final = "total"
ENTRIES_MOST: Final = 100_000  # that are added up while somebody waits
NOT_TIED: Final = "not final: does not tie out"

Row = dict[str, Any]


class Column(NamedTuple):
    """A column by its name; an amount is in minor units here, and written with the decimals of the unit."""

    name: str
    is_amount: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. ``account`` and ``role`` are of a general ledger, of which one is given; the rest of the options of a trial balance."""

    span: BookSpan
    kind: str
    by: str = ROLE
    compare: tuple[str, ...] = ()
    account: Account | None = None
    role: str = ""

    @property
    def book(self) -> Book:
        """The book."""
        return self.span.book


@dataclass(frozen=True, slots=True)
class Report:
    """A report: what was asked, the seal by which it is final, and its rows by column. ``differences`` names what does not tie out; the report is then not final."""

    asked: Asked
    seal: Seal | None
    columns: tuple[Column, ...]
    rows: Iterator[Row]
    differences: Sequence[str] = field(default_factory=tuple)

    @property
    def is_final(self) -> bool:
        """Whether all of its days are frozen, and everything ties out."""
        return self.seal is not None and not self.differences

    @property
    def sealed(self) -> str:
        """The seal that it agrees with, or that it is not final."""
        return NOT_TIED if self.differences else book_spans.named(self.seal)

    @property
    def name(self) -> str:
        """What its file is called, without an ending: a draft says so."""
        span = self.asked.span
        name = f"{span.book.code}-{self.asked.kind}-{span.first_on.isoformat()}-{span.last_on.isoformat()}"
        return name if self.is_final else f"{DRAFT}{name}"

    @property
    def head(self) -> dict[str, Any]:
        """What it says beside its rows, ready for JSON."""
        asked, span = self.asked, self.asked.span
        return {
            "report": asked.kind,
            "book": span.book.code,
            "unit": span.book.unit,
            "exponent": span.book.exponent,
            "from": span.first_on.isoformat(),
            "to": span.last_on.isoformat(),
            "known_at": instants.stamp(span.known_at) if span.known_at else None,
            "by": asked.by,
            "compare": list(asked.compare),
            "account": asked.account.code if asked.account else None,
            "role": asked.role or None,
            "final": self.is_final,
            "seal": self.sealed,
            "differences": list(self.differences),
        }


def span_of(
    book: Book, period: Period | None, first: date | None, last: date | None, known_at: datetime | None
) -> BookSpan | None:
    """Return the span that is asked for, by a period or by its two days; None where neither is given."""
    if period is not None:
        return BookSpan(book, period.starts_on, period.ends_on, known_at)
    return None if first is None or last is None else BookSpan(book, first, last, known_at)


def find_account(book: Book, code: str | None) -> Account | None:
    """Return the account whose general ledger is asked for; None where none is.

    :raises errors.Refused: not_found
    """
    if not code:
        return None
    account = explain.find_account(book.code, code)
    if account is None:
        raise errors.Refused([errors.NotFound(what=phrase(_("account of {book}"), book=book.code), name=code)])
    return account


def check(asked: Asked, user: User | None = None, *, is_waited_for: bool = False) -> None:
    """Check that a report exists, that the user may read it, and that what was known is known for good. To be called before a snapshot begins.

    Without a user it is asked for by a command: anyone who runs those reads the database itself.

    :raises errors.Refused: not_permitted, report_of_open_days, span_invalid, report_option_unfit, report_months_too_many, no_lots_kept, not_found, known_at_ahead;
        report_too_large where it ``is_waited_for``
    :raises errors.TryAgain: as ``knowing.settle``
    """
    span = asked.span
    if user is not None:
        report_rights.check(user, span, adds_up=asked.account is None)
    days = {"first": span.first_on.isoformat(), "last": span.last_on.isoformat()}
    if span.first_on > span.last_on:
        raise errors.Refused([reversing.SpanInvalid(**days)])
    _check_options(asked)
    if asked.kind == POINTS and not point_movements.roles(span.book):
        raise errors.Refused([reporting.NoLotsKept(book=span.book.code)])
    is_by_months = asked.kind == POINTS or bool(asked.compare)
    if is_by_months and rules.month_count(span.first_on, span.last_on) > rules.MONTHS_MOST:
        raise errors.Refused([reporting.ReportMonthsTooMany(**days, most=rules.MONTHS_MOST)])
    if is_waited_for and _is_large(asked):
        raise errors.Refused([reporting.ReportTooLarge(book=span.book.code, **days, most=ENTRIES_MOST)])
    knowing.settle(book=span.book, known_at=span.known_at)


def of(asked: Asked) -> Report:
    """Return a report; to be called, and its rows to be taken, within one snapshot.

    :raises errors.Refused: seal_differs; statement_differs while rows are taken
    """
    return {TRIAL_BALANCE: _trial_balance, GENERAL_LEDGER: _general_ledger, POINTS: _points}[asked.kind](asked)


def _check_options(asked: Asked) -> None:
    is_ledger = asked.kind == GENERAL_LEDGER
    wrong = [
        (asked.kind != TRIAL_BALANCE and asked.by != ROLE, "by", _("a trial balance alone is parted")),
        (asked.kind != TRIAL_BALANCE and bool(asked.compare), "compare", _("a trial balance alone is held beside another")),
        (is_ledger and (asked.account is None) == (not asked.role), "account, role", _("a general ledger is of one of the two")),
        (
            not is_ledger and (asked.account is not None or bool(asked.role)),
            "account, role",
            _("a general ledger alone is of one"),
        ),
    ]
    found = [reporting.ReportOptionUnfit(kind=asked.kind, option=option, why=why) for is_wrong, option, why in wrong if is_wrong]
    if found:
        raise errors.Refused(found)
    if asked.role and not Account.objects.filter(book=asked.book, role=asked.role).exists():
        raise errors.Refused([errors.NotFound(what=phrase(_("role of {book}"), book=asked.book.code), name=asked.role)])


def _is_large(asked: Asked) -> bool:
    span = asked.span
    if asked.account is not None:
        return general_ledgers.has_more(span, asked.account, ENTRIES_MOST)
    # Lots are told by what is left of them now, without what came since, and so is what stores had before.
    reads_later = asked.kind == POINTS or asked.by == STORE
    spans = [span, *(span._replace(first_on=first, last_on=last) for first, last in _compared(asked).values())]
    if asked.kind == POINTS and point_movements.has_more(span.book, ENTRIES_MOST):
        return True
    return any(book_spans.has_more(each, ENTRIES_MOST, reads_later=reads_later) for each in spans)


def _compared(asked: Asked) -> dict[str, tuple[date, date]]:
    return {to: rules.compared(asked.span.first_on, asked.span.last_on, to) for to in COMPARED if to in asked.compare}


def _trial_balance(asked: Asked) -> Report:
    span = asked.span
    rows = trial_balances.of(span, asked.by)
    beside: dict[str, tuple[Mapping[Key, Sums] | None, str]] = {}
    for to, (first, last) in _compared(asked).items():
        other = span._replace(first_on=first, last_on=last)
        is_before = book_spans.is_before_books(other)
        found = None if is_before else trial_balances.of(other, asked.by)
        beside[to.replace("-", "_")] = (found, "" if is_before else book_spans.named(book_spans.seal_of(other)))
    parts = {ROLE: (), SOURCE: ("origin", "source"), STORE: ("account",)}[asked.by]
    has_opening = asked.by != SOURCE
    amounts = ("opening", "debit", "credit", "change", "closing", "balance") if has_opening else ("debit", "credit", "change")
    own = [*(Column(name) for name in ("category", "role", *parts)), *(Column(name, is_amount=True) for name in amounts)]
    for name in beside:
        told = ("change", "closing", "difference") if has_opening else ("change", "difference")
        own += [*(Column(f"{name}_{each}", is_amount=True) for each in told), Column(f"{name}_seal")]
    seal = book_spans.seal_of(span)
    columns = (*own, Column("unit"), Column("seal"))
    told_rows = _trial_rows(asked, rows, beside, book_spans.named(seal))
    return Report(asked, seal, columns, ({each.name: row[each.name] for each in columns} for row in told_rows))


def _trial_rows(
    asked: Asked, rows: Mapping[Key, Sums], beside: Mapping[str, tuple[Mapping[Key, Sums] | None, str]], sealed: str
) -> Iterator[Row]:
    nothing = trial_balances.NOTHING if asked.by != SOURCE else Sums(None, 0, 0)
    keys = {*rows, *(key for found, _seal in beside.values() for key in found or ())}
    for key in (*sorted(keys), None):
        sums = trial_balances.total(rows) if key is None else rows.get(key, nothing)
        row: Row = {"category": TOTAL, "role": ""} if key is None else {"category": key.category, "role": key.role}
        if asked.by == SOURCE:
            row |= {"origin": key.origin if key else "", "source": key.part if key else ""}
        elif asked.by == STORE:
            row["account"] = key.part if key else ""
        row |= _amounts(key, sums)
        for name, (found, seal) in beside.items():
            other = None if found is None else trial_balances.total(found) if key is None else found.get(key, nothing)
            row |= {
                f"{name}_change": other.change if other else None,
                f"{name}_closing": other.closing if other else None,
                f"{name}_difference": sums.change - other.change if other else None,
                f"{name}_seal": seal,
            }
        yield row | {"unit": asked.book.unit, "seal": sealed}


def _amounts(key: Key | None, sums: Sums) -> Row:
    closing = sums.closing
    in_direction = None if key is None or closing is None else natural(key.category, closing)
    said = {"opening": sums.opening, "debit": sums.debit, "credit": -sums.credit, "change": sums.change, "closing": closing}
    return said | {"balance": in_direction}


LEDGER_COLUMNS: Final = (
    *(Column(name) for name in ("kind", "date", "account", "reference", "description", "contra")),
    *(Column(name, is_amount=True) for name in ("debit", "credit", "balance", "running")),
    *(Column(name) for name in ("reverses", "reverses_date", "prior_period", "posted_at", "posted_by", "origin")),
    *(Column("unit"), Column("seal")),
)


def _general_ledger(asked: Asked) -> Report:
    seal = book_spans.seal_of(asked.span)
    if asked.account is not None:
        ledger = general_ledgers.of_account(asked.span, asked.account)
        lines = general_ledgers.lines_of_account(asked.span, asked.account, ledger.opening)
    else:
        ledger = general_ledgers.of_role(asked.span, asked.role)
        lines = general_ledgers.lines_of_role(asked.span, asked.role, ledger.opening)
    return Report(asked, seal, LEDGER_COLUMNS, _ledger_rows(asked, ledger, lines, book_spans.named(seal)))


def _ledger_rows(asked: Asked, ledger: Ledger, lines: Iterator[LedgerLine], sealed: str) -> Iterator[Row]:
    """Yield opening, each line and closing; the balance that runs along comes to what the lines sum to, or nothing is given out.

    :raises errors.Refused: statement_differs, instead of the closing
    """
    name = asked.account.code if asked.account else asked.role
    empty: Row = dict.fromkeys((column.name for column in LEDGER_COLUMNS), "") | {"debit": None, "credit": None}
    empty |= {"unit": asked.book.unit, "seal": sealed}

    def total(kind: str, on: date, amount: int) -> Row:
        return empty | {"kind": kind, "date": on, "account": name, "balance": natural(ledger.category, amount), "running": amount}

    yield total("opening", asked.span.first_on, ledger.opening)
    running = ledger.opening
    for line in lines:
        movement = line.movement
        running = movement.running
        yield empty | {
            "kind": "movement",
            "date": movement.effective_on,
            "account": line.account,
            "reference": movement.reference,
            "description": movement.description,
            "contra": " ".join(line.contra[: general_ledgers.CONTRA_MOST]),
            "debit": movement.amount if movement.amount > 0 else None,
            "credit": -movement.amount if movement.amount < 0 else None,
            "balance": natural(ledger.category, running),
            "running": running,
            "reverses": movement.reverses,
            "reverses_date": movement.reverses_on or "",
            "prior_period": "yes" if movement.is_prior_period else "",
            "posted_at": instants.stamp(movement.posted_at),
            "posted_by": movement.posted_by,
            "origin": movement.origin_kind,
        }
    if running != ledger.closing:
        raise errors.Refused([reversing.StatementDiffers(account=name, found=running, summed=ledger.closing)])
    yield total("closing", asked.span.last_on, ledger.closing)


AGE_COLUMNS: Final = ("under_3_months", "under_6_months", "under_12_months", "older", "of_no_age")
POINT_COLUMNS: Final = (
    *(Column(name) for name in ("month", "from", "to", "role", "kind")),
    *(Column(name, is_amount=True) for name in ("opening", *point_movements.WAYS, "closing", *AGE_COLUMNS)),
    *(Column(name, is_amount=True) for name in ("ledger", "difference", "ledger_difference")),
    *(Column("unit"), Column("seal")),
)


def _points(asked: Asked) -> Report:
    span, found, differences = asked.span, [], []
    among = point_movements.roles(span.book)
    for first, last in rules.months(span.first_on, span.last_on):
        month = span._replace(first_on=first, last_on=last)
        sealed = book_spans.named(book_spans.seal_of(month))
        for each in point_movements.of(month, among):
            row = _point_row(month, each) | {"seal": sealed if each.ties else NOT_TIED}
            found.append(row)
            differences += [] if each.ties else [f"{row['month']} {each.role} {each.kind}"]
    return Report(asked, book_spans.seal_of(span), POINT_COLUMNS, iter(found), tuple(differences))


def _point_row(month: BookSpan, each: point_movements.Movements) -> Row:
    ways = dict(zip(point_movements.WAYS, each.ways, strict=True))
    # What went is told without its sign: opening + issued - used - expired + the rest = closing.
    ways |= {way: -ways[way] for way in (point_movements.USED, point_movements.EXPIRED)}
    return {
        "month": f"{month.first_on:%Y-%m}",
        "from": month.first_on,
        "to": month.last_on,
        "role": each.role,
        "kind": each.kind,
        "opening": each.opening,
        **ways,
        "closing": each.closing,
        **dict(zip(AGE_COLUMNS, each.ages, strict=True)),
        "ledger": each.ledger,
        "difference": each.difference,
        "ledger_difference": each.ledger_difference,
        "unit": month.book.unit,
    }
