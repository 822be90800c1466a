"""The digest over all records of a batch, made when they are written and recomputed from the rows."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from django.db import connection
from django.db.models import Count

from ingestion_app.models import Batch, Finding, RecordsDigest
from ledger_app.base.proofs import Scope
from ledger_app.errors.sentences import say as _

FORM = b"kakutei-records-1\n"
ROWS_A_READ = 20_000
FINDINGS_KEPT = 1000  # of each rule; the batch counts all
READ = """
    SELECT batch_id, line, {offset}, length, status, chunk_id, {key}, holder_id, amount, {values}
      FROM ingestion_app_record WHERE batch_id = %s AND line > %s ORDER BY line LIMIT {most}
"""
# A column of its own kind each, none of which holds this character.
_ROW = chr(31).join(["%s"] * 10) + "\n"  # a format is three times as quick as a join


class RecordsHash:
    """Grows to the digest of a batch's records as rows are added in the order of their lines.

    A row is (batch, line, offset, length, status, chunk, key, member, amount, values as JSON).
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._running = hashlib.sha256(FORM)
        self.count = 0

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows."""
        self._running.update("".join([_ROW % row for row in rows]).encode())
        self.count += len(rows)

    def digest(self) -> bytes:
        """Return the digest."""
        return self._running.digest()


def computed(batch_id: int) -> tuple[int, bytes]:
    """Return how many records a batch has, and their digest, from the rows."""
    running, after = RecordsHash(), -1
    quote = connection.ops.quote_name
    names = {name: quote(name) for name in ("offset", "key", "values")}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(READ.format(most=ROWS_A_READ, **names), [batch_id, after])
            rows = cursor.fetchall()
        if not rows:
            return running.count, running.digest()
        running.add([(*row[:-1], _encoded(row[-1])) for row in rows])
        after = rows[-1][1]


def _encoded(values: str | None) -> str | None:
    """Return the JSON of values as the program writes it, however the database keeps it."""
    if values is None:
        return None
    parsed = json.loads(values)
    if type(parsed) is not list:
        return json.dumps(parsed)
    return f"[{','.join([encode_basestring(each) if type(each) is str else json.dumps(each) for each in parsed])}]"


def records_are_those_that_were_written(_books: Scope) -> Iterator[str]:
    """Invariant 7, for every record, set aside or not."""
    proofs = {row.batch_id: row for row in RecordsDigest.objects.all()}
    for batch in Batch.objects.select_related("source").order_by("id"):
        there = computed(batch.pk)
        proof = proofs.get(batch.pk)
        if there[0] == 0 and proof is None:
            continue
        if proof is None or there != (proof.record_count, bytes(proof.digest)):
            yield _("{batch}: its records are not those that were written when it was validated.").format(batch=batch)


def findings_are_those_that_were_counted(_books: Scope) -> Iterator[str]:
    """Invariant 7, for what validation saw: of each rule as many are there as the batch counts, up to the bound of what is kept."""
    there: dict[int, dict[str, int]] = {}
    for row in Finding.objects.values("batch", "rule").annotate(count=Count("id")):
        there.setdefault(row["batch"], {})[row["rule"]] = row["count"]
    for batch in Batch.objects.select_related("source").order_by("id"):
        wanted = {rule: min(count, FINDINGS_KEPT) for rule, count in batch.finding_counts.items() if count}
        if there.get(batch.pk, {}) != wanted:
            yield _("{batch}: its findings are not those that it counts.").format(batch=batch)
