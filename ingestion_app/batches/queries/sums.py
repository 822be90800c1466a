"""What the chunks of a batch come to, in one statement: planned, and applied as each counted it when it was (docs/decisions/0029).

Nothing here reads a line of the ledger or a record. What a page shows of a batch is made of this, so that it costs the same for ten chunks and
for ten thousand; the ledger's rows are counted again by the person who asks for a check, by the last step, and by ``verify``.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from ingestion_app.models import Batch
from ledger_app.base.queries import totals

Totals = dict[str, tuple[int, int, int]]  # by book code: entries, lines, sum of debits
Span = tuple[int, int]  # the first and the last number of chunks that follow each other

SPANS_MOST = 200  # of each kind; a batch has a handful
CELLS_MOST = 400


class Sums(NamedTuple):
    """The sums of the chunks of a batch. ``posted`` is what the applied chunks changed; each counted the rows that it wrote."""

    chunks: int
    records: int
    amount: int
    applied_chunks: int
    applied_records: int
    applied_amount: int
    posted: Totals


class Kinds(NamedTuple):
    """How many chunks there are of each kind, and which: as spans, the first ``SPANS_MOST``."""

    counts: dict[str, int]
    spans: dict[str, list[Span]]


def sums_of(batch: Batch, *, attempt_id: int | None = None) -> Sums:
    """Return what the chunks of a batch come to; of ``attempt_id`` only what that attempt applied counts as applied."""
    codes = sorted(batch.totals)
    is_applied = "state = 'applied'" if attempt_id is None else "state = 'applied' AND attempt_id = %s"
    asked: list[int | str] = [] if attempt_id is None else [attempt_id]
    columns = ["COUNT(*)", "EXACT_SUM(record_count)", "EXACT_SUM(record_sum)"]
    values: list[int | str] = []
    for column in ("1", "record_count", "record_sum"):
        columns.append(f"EXACT_SUM(CASE WHEN {is_applied} THEN {column} ELSE 0 END)")
        values += asked
    for code in codes:
        for place in range(3):
            columns.append(f"EXACT_SUM(CASE WHEN {is_applied} THEN CAST(JSON_EXTRACT(totals, %s) AS SIGNED) ELSE 0 END)")
            values += [*asked, f"$.{json.dumps(code)}[{place}]"]
    with connection.cursor() as cursor:
        statement = f"SELECT {', '.join(columns)} FROM ingestion_app_chunk WHERE batch_id = %s"
        cursor.execute(totals.sql(statement), [*values, batch.pk])
        found = [int(each or 0) for each in cursor.fetchone()]
    posted = {code: (found[at], found[at + 1], found[at + 2]) for code, at in zip(codes, range(6, len(found), 3), strict=True)}
    chunks, records, amount, applied, applied_records, applied_amount = found[:6]
    return Sums(chunks, records, amount, applied, applied_records, applied_amount, posted)


# Numbers that follow each other lie the same distance from their place among those of their kind; never below it, as they are unsigned.
SPANS = """
    SELECT islands.kind, islands.first, islands.last, islands.size, islands.place
      FROM (
           SELECT kind, MIN(number) AS first, MAX(number) AS last, COUNT(*) AS size,
                  ROW_NUMBER() OVER (PARTITION BY kind ORDER BY MIN(number)) AS place
             FROM (
                  SELECT number, kind, number + 1 - ROW_NUMBER() OVER (PARTITION BY kind ORDER BY number) AS island
                    FROM (SELECT number, {kind} AS kind FROM ingestion_app_chunk WHERE batch_id = %s) AS told
                  ) AS placed
            GROUP BY kind, island
           ) AS islands
     WHERE islands.place <= %s
     ORDER BY islands.first
"""
COUNTS = "SELECT kind, COUNT(*) FROM (SELECT {kind} AS kind FROM ingestion_app_chunk WHERE batch_id = %s) AS told GROUP BY kind"
KIND = (
    "CASE WHEN state = 'applied' THEN 'applied' WHEN lease_until IS NOT NULL AND lease_until > %s THEN 'running' "
    "WHEN state = 'stopped' THEN 'stopped' ELSE 'pending' END"
)


def kinds_of(batch: Batch, *, at: datetime) -> Kinds:
    """Return which chunks are ``applied``, ``running`` (being worked on at ``at``), ``stopped`` and ``pending``."""
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(kind=KIND), [moment, batch.pk])
        counts = {kind: int(count) for kind, count in cursor.fetchall()}
        cursor.execute(SPANS.format(kind=KIND), [moment, batch.pk, SPANS_MOST])
        spans: dict[str, list[Span]] = {}
        for kind, first, last, _size, _place in cursor.fetchall():
            spans.setdefault(kind, []).append((first, last))
    return Kinds(counts, spans)


# The one that most needs to be seen stands for all that a cell stands for.
CELLS = """
    SELECT MIN(CASE kind WHEN 'stopped' THEN 0 WHEN 'running' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END)
      FROM (SELECT number, {kind} AS kind FROM ingestion_app_chunk WHERE batch_id = %s) AS told
     GROUP BY FLOOR(number / %s)
     ORDER BY MIN(number)
"""
IN_ORDER = ("stopped", "running", "pending", "applied")


def cells_of(batch: Batch, *, at: datetime, chunks: int) -> Sequence[str]:
    """Return the kinds of the chunks in order; where there are more than ``CELLS_MOST``, each stands for several."""
    size = -(-chunks // CELLS_MOST) or 1
    # Integers are divided as such on SQLite, whose FLOOR may be missing, and FLOOR makes them so elsewhere.
    cells = CELLS if connection.vendor != "sqlite" else CELLS.replace("FLOOR(number / %s)", "(number / %s)")
    with connection.cursor() as cursor:
        cursor.execute(cells.format(kind=KIND), [connection.ops.adapt_datetimefield_value(at), batch.pk, size])
        return [IN_ORDER[int(place)] for (place,) in cursor.fetchall()]


def text_of(found: Sequence[Span], *, is_whole: bool = True) -> str:
    """Return spans as people write them: ``0–41, 43``; with an ellipsis where there are more."""
    told = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in found)
    return told if is_whole else f"{told}, …"
