"""The findings of a batch as its sender is told them: where, the original bytes, the code, what was seen and what would make it pass."""

import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from ingestion_app.checks.rules import RULES, by_severity
from ingestion_app.models import Batch, Finding
from ingestion_app.sources.queries.definitions import definition_of
from ledger_app.base.rules.tables import csv_line
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.printable import escaped

COLUMNS = ("line", "column", "offset", "severity", "code", "bytes", "seen", "remedy")


def each(batch: Batch) -> Iterator[dict[str, Any]]:
    """Yield the findings of a batch that are kept, by line; and of each rule of which not all are kept a last one that says how many there are."""
    encoding = definition_of(batch.source_version).layout.encoding
    kept: dict[str, int] = {}
    for row in Finding.objects.filter(batch=batch).order_by("line", "column", "id").iterator(chunk_size=1000):
        kept[row.rule] = kept.get(row.rule, 0) + 1
        rule = RULES[row.rule]
        yield {
            "line": row.line,
            "column": row.column,
            "offset": row.offset,
            "severity": row.severity,
            "code": row.rule,
            # Masked as text too: the digits of another script are told by none of the bytes alone.
            "bytes": escaped(masked_text(bytes(row.raw).decode(encoding, "backslashreplace"))),
            "seen": rule.seen_text(row.facts),
            "remedy": rule.remedy_text(row.facts),
        }
    yield from _beyond(batch, kept)


def csv_lines(batch: Batch) -> Iterator[str]:
    """Yield the findings as CSV, with a line of names."""
    yield csv_line(COLUMNS)
    for row in each(batch):
        yield csv_line([row[name] for name in COLUMNS])


def json_lines(batch: Batch) -> Iterator[str]:
    """Yield one JSON object, piece by piece."""
    head = json.dumps(
        {"batch": batch.pk, "state": batch.state, "counts": by_severity(batch.finding_counts), "by_rule": batch.finding_counts}
    )
    yield f'{head[:-1]}, "findings": ['
    before = ""
    for row in each(batch):
        yield f"{before}{json.dumps(row, ensure_ascii=False)}"
        before = ","
    yield "]}"


def _beyond(batch: Batch, kept: dict[str, int]) -> Iterator[dict[str, Any]]:
    for code, count in sorted(batch.finding_counts.items()):
        if (there := kept.get(code, 0)) < count:
            nowhere = {"line": 0, "column": 0, "offset": 0, "bytes": ""}
            seen = _("{count} findings of this kind in all, of which the first {kept} are told.").format(count=count, kept=there)
            yield {**nowhere, "severity": str(RULES[code].severity), "code": code, "seen": seen, "remedy": ""}
