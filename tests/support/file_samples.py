"""Files of the demonstration's layout, and of variations on it, for tests of reading and checking."""

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import Seen
from ingestion_app.formats import toml
from ingestion_app.formats.definition import Column, Definition, Kind

TEXT = (Path(__file__).parents[2] / "ingestion_app/demo/card-usage.toml").read_text(encoding="utf-8")
BUSINESS_DATE = date(2017, 1, 31)
HEADER = b"H,card-usage,2017-01-31,1\n"
PURCHASE = b"D,1001,31,9001,777,150,2017-01-05T10:00:00Z\n"
OTHER_PURCHASE = b"D,1002,31,9002,778,250,2017-01-06T11:30:00Z\n"
TRAILER = b"T,2,400\n"
END = b"E\n"


def definition(**layout: object) -> Definition:
    """The demonstration's definition, with the layout changed."""
    read = toml.parse(TEXT)
    return replace(read, layout=replace(read.layout, **layout))  # type: ignore[arg-type]


def with_data_column(column: Column, **layout: object) -> Definition:
    """The demonstration's definition with a data column put last in place of the time of purchase."""
    read = definition(**layout)
    data = replace(read.layout.data, columns=(*read.layout.data.columns[:-1], column))
    return replace(read, layout=replace(read.layout, data=data))


def with_text(**layout: object) -> Definition:
    return with_data_column(Column("shop", Kind.TEXT, width=10), **layout)


def whole(*data: bytes, count: int | None = None, total: int = 400) -> bytes:
    """A file of these data lines, whose trailer is right if their sum is ``total``."""
    return HEADER + b"".join(data) + f"T,{len(data) if count is None else count},{total}\n".encode() + END


def examine(content: bytes, using: Definition | None = None, *, sequence: int = 1) -> tuple[Examination, list[Row], list[Seen]]:
    """Examine the bytes; return the exhausted examination, its rows and what it saw."""
    examination = Examination(io.BytesIO(content), using or definition(), business_date=BUSINESS_DATE, sequence=sequence)
    yielded = list(examination.rows())
    rows = [item for item in yielded if isinstance(item, Row)]
    seen = [item for item in yielded if isinstance(item, Seen)]
    for item in seen:
        # Whatever is seen can be said: no fact is missing from its sentences.
        assert item.sentence()
        assert item.remedy()
        assert len(item.raw) <= 200
    return examination, rows, seen


def codes(seen: Iterable[Seen]) -> list[str]:
    return [item.rule for item in seen]
