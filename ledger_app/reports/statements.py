"""Statements of an account: opening, movements with the balance that runs along, closing; as CSV, JSON or XLSX, a row at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ledger_app import errors
from ledger_app.base.operations import knowing
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Figure
from ledger_app.errors import reversing
from ledger_app.explain.queries import statements
from ledger_app.explain.queries.statements import FIRST_DAY, Figures, Movement, Span, Sums
from ledger_app.reports import workbook
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text
from ledger_app.values.instants import LAST_DAY
from ledger_app.values.sides import natural

COLUMNS = (
    *("kind", "date", "reference", "description", "debit", "credit", "balance", "unit", "amount", "running"),
    *("reverses", "reverses_date", "prior_period", "posted_at", "posted_by", "origin", "origin_number"),
)

Row = dict[str, Any]


def check(span: Span) -> None:
    """Check that a span is valid, and make what was known at its instant final. Call this before a snapshot begins.

    :raises errors.Refused: span_invalid, known_at_ahead
    :raises errors.TryAgain: as ``knowing.settle``
    """
    if span.first_on > span.last_on:
        raise errors.Refused([reversing.SpanInvalid(first=span.first_on.isoformat(), last=span.last_on.isoformat())])
    knowing.settle(book=span.account.book, known_at=span.known_at)


def csv_lines(span: Span) -> Iterator[str]:
    """Yield the statement as CSV without line endings: the names of the columns, ``opening``, each ``movement``, ``closing``.

    :raises errors.Refused: span_invalid; statement_differs, instead of the closing
    """
    yield tables.csv_line(COLUMNS)
    for row in _rows(span):
        yield tables.csv_line(row[name] for name in COLUMNS)


def json_lines(span: Span, standing: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Yield the statement as one JSON object over several lines, one for each movement; with how the account stands, where that is given.

    :raises errors.Refused: span_invalid; statement_differs, before the object ends
    """
    is_first = True
    sums: Sums | None = None
    for found in _walk(span):
        if isinstance(found, Movement):
            yield ("" if is_first else ",") + json.dumps(movement_object(found), ensure_ascii=False)
            is_first = False
        else:
            sums = found
            told = {**head(span, sums), **({} if standing is None else {"standing": dict(standing)})}
            yield json.dumps(told, ensure_ascii=False)[:-1] + ', "movements": ['
    yield "]}"


def write(span: Span, form: str, file: BinaryIO) -> None:
    """Write the statement in one of ``FORMATS``.

    :raises errors.Refused: as ``csv_lines``
    """
    FORMATS[form](span, file)


def head(span: Span, sums: Sums | Figures) -> dict[str, Any]:
    """Return what a statement says beside its movements, ready for JSON. Amounts are signed minor units, debit positive; null was not added up."""
    account = span.account
    return {
        "book": account.book.code,
        "account": account.code,
        "category": account.category,
        "unit": account.book.unit,
        "exponent": account.book.exponent,
        "from": None if span.first_on == FIRST_DAY else span.first_on.isoformat(),
        "to": None if span.last_on == LAST_DAY else span.last_on.isoformat(),
        "known_at": instants.stamp(span.known_at) if span.known_at else None,
        "opening": sums.opening,
        "debit": sums.debit,
        "credit": sums.credit,
        "closing": sums.closing,
        "count": sums.line_count,
    }


def movement_object(movement: Movement) -> dict[str, Any]:
    """Return one movement, ready for JSON."""
    return {
        "line": movement.line_id,
        "entry": movement.entry_id,
        "date": movement.effective_on.isoformat(),
        "reference": movement.reference,
        "description": movement.description,
        "amount": movement.amount,
        "running": movement.known_running,
        "reverses": movement.reverses,
        "reverses_date": movement.reverses_on.isoformat() if movement.reverses_on else None,
        "prior_period": movement.is_prior_period,
        "posted_at": _utc(movement),
        "posted_by": movement.posted_by,
        "origin": movement.origin_kind,
        "origin_number": movement.origin_id,
    }


def _walk(span: Span) -> Iterator[Sums | Movement]:
    """Yield the sums and then each movement, all read at one moment; at the end, hold the running balance against the balance of the last day.

    :raises errors.Refused: span_invalid, statement_differs
    """
    check(span)
    with snapshot():
        sums = statements.sums(span)
        yield sums
        running, count = sums.opening, 0
        for movement in statements.movements(span, sums.opening):
            running, count = movement.running, count + 1
            yield movement
        if (running, count) != (sums.closing, sums.line_count):
            differs = reversing.StatementDiffers(account=span.account.code, found=running, summed=sums.closing)
            raise errors.Refused([differs])


def _rows(span: Span) -> Iterator[Row]:
    """Yield the statement as rows by column."""
    sums: Sums | None = None
    for found in _walk(span):
        if isinstance(found, Movement):
            yield _movement(span, found)
        else:
            sums = found
            yield _total(span, "opening", span.first_on, sums.opening)
    if sums is not None:
        yield _total(span, "closing", span.last_on, sums.closing)


def _total(span: Span, kind: str, on: Any, amount: int) -> Row:
    book = span.account.book
    row: Row = dict.fromkeys(COLUMNS, "")
    is_given = on not in {FIRST_DAY, LAST_DAY}
    return row | {
        "kind": kind,
        "date": on if is_given else "",
        "balance": Figure(decimal_text(natural(span.account.category, amount), book.exponent)),
        "unit": book.unit,
        "running": amount,
    }


def _movement(span: Span, movement: Movement) -> Row:
    book = span.account.book
    text = Figure(decimal_text(abs(movement.amount), book.exponent))
    told = movement_object(movement)
    return {name: told.get(name, "") for name in COLUMNS} | {
        "kind": "movement",
        "date": movement.effective_on,
        "debit": text if movement.amount > 0 else "",
        "credit": text if movement.amount < 0 else "",
        "balance": Figure(decimal_text(natural(span.account.category, movement.running), book.exponent)),
        "unit": book.unit,
        "reverses_date": movement.reverses_on or "",
        "prior_period": "yes" if movement.is_prior_period else "",
    }


def _utc(movement: Movement) -> str:
    return instants.stamp(movement.posted_at)


def _write_lines(lines: Callable[[Span], Iterator[str]]) -> Callable[[Span, BinaryIO], None]:
    def write_lines(span: Span, file: BinaryIO) -> None:
        file.writelines(f"{line}\n".encode() for line in lines(span))

    return write_lines


def _write_workbook(span: Span, file: BinaryIO) -> None:
    workbook.write(span.account.code, COLUMNS, ([row[name] for name in COLUMNS] for row in _rows(span)), file)


FORMATS: Mapping[str, Callable[[Span, BinaryIO], None]] = {
    "csv": _write_lines(csv_lines),
    "json": _write_lines(json_lines),
    "xlsx": _write_workbook,
}
