"""Writes reports of a book as CSV, XLSX and JSON: a row at a time, each row with the seal that it agrees with or “not final”."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

from ledger_app import errors
from ledger_app.accounting.rules.targets import turned_by
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Cell, Figure
from ledger_app.errors.printable import code_point
from ledger_app.errors.reporting import ReportTextUnfit
from ledger_app.reports import book_reports, workbook
from ledger_app.reports.book_reports import DRAFT, Asked, Column, Report, Row
from ledger_app.reports.files import refuse_irregular, replacing_bytes
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text

CSV, XLSX, JSON = "csv", "xlsx", "json"
CP932, UTF8_MARK = "cp932", "utf-8-mark"
# What each encoding is to Python. With the mark, spreadsheets take a file for what it is.
ENCODINGS: Final[Mapping[str, str]] = {UTF8_MARK: "utf-8", CP932: "cp932"}
CONTENT_TYPES: Final[Mapping[str, str]] = {
    CSV: "text/csv; charset={charset}",
    JSON: "application/json",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MARK: Final = "\ufeff"
LINE_END: Final = "\r\n"  # as spreadsheets and accounting programs write it


def write_to(asked: Asked, form: str, encoding: str, path: Path) -> tuple[Path, Report]:
    """Write a report to a file that is whole or not there; return the path and the report. The name of a report that is not final says so.

    :raises errors.Refused: file_not_regular; report_text_unfit, seal_differs, statement_differs
    :raises OSError: where the file cannot be written
    """
    with snapshot():
        report = book_reports.of(asked)
        named = path if report.is_final else path.with_name(f"{DRAFT}{path.name}")
        refuse_irregular(named)
        with replacing_bytes(named) as file:
            _write(report, form, encoding, file)
    return named, report


def write_named(asked: Asked, form: str, encoding: str, file: BinaryIO) -> tuple[str, str]:
    """Write a report to an open file, and return what the file is to be called, and what it is.

    :raises errors.Refused: report_text_unfit, seal_differs, statement_differs
    """
    with snapshot():
        report = book_reports.of(asked)
        _write(report, form, encoding, file)
    return f"{report.name}.{form}", CONTENT_TYPES[form].format(charset=ENCODINGS[encoding])


def as_object(report: Report, most: int | None = None) -> dict[str, Any]:
    """Return a report ready for JSON: amounts in minor units. With ``most``, its first rows, and whether there are more."""
    rows: list[dict[str, Any]] = []
    for row in report.rows:
        if most is not None and len(rows) == most:
            return report.head | {"rows": rows, "more": True}
        rows.append(_plain(row))
    return report.head | {"rows": rows, "more": False}


def _write(report: Report, form: str, encoding: str, file: BinaryIO) -> None:
    writers: Mapping[str, Callable[[], None]] = {
        CSV: lambda: file.writelines(_csv(report, encoding)),
        XLSX: lambda: workbook.write(_title(report), [each.name for each in report.columns], _cells(report), file),
        JSON: lambda: file.writelines(f"{line}\n".encode() for line in _json(report)),
    }
    writers[form]()


def _title(report: Report) -> str:
    return f"{report.asked.book.code} {report.asked.kind}" if report.is_final else f"NOT FINAL {report.asked.kind}"


def _csv(report: Report, encoding: str) -> Iterator[bytes]:
    """Yield the lines of a CSV.

    :raises errors.Refused: report_text_unfit
    """
    codec = ENCODINGS[encoding]
    if encoding == UTF8_MARK:
        yield MARK.encode(codec)
    yield (tables.csv_line([each.name for each in report.columns]) + LINE_END).encode(codec)
    for number, cells in enumerate(_cells(report), start=2):
        for column, cell in zip(report.columns, cells, strict=True):
            if isinstance(cell, str) and (turned := turned_by(codec, cell)) is not None:
                said = {"encoding": encoding, "character": f"{turned} ({code_point(turned)})", "text": cell}
                raise errors.Refused([ReportTextUnfit(row=number, column=column.name, **said)])
        yield (tables.csv_line(cells) + LINE_END).encode(codec)


def _json(report: Report) -> Iterator[str]:
    yield json.dumps(report.head, ensure_ascii=False)[:-1] + ', "rows": ['
    is_first = True
    for row in report.rows:
        yield ("" if is_first else ",") + json.dumps(_plain(row), ensure_ascii=False)
        is_first = False
    yield "]}"


def _plain(row: Row) -> dict[str, Any]:
    return {name: instants.plain(value) if isinstance(value, date) else value for name, value in row.items()}


def _cells(report: Report) -> Iterator[list[Cell]]:
    exponent = report.asked.book.exponent
    for row in report.rows:
        yield [_cell(column, row.get(column.name), exponent) for column in report.columns]


def _cell(column: Column, value: Any, exponent: int) -> Cell:
    if value is None:
        return ""
    return Figure(decimal_text(value, exponent)) if column.is_amount else value
