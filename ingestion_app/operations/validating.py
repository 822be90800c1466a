"""Validates batches: reads the whole file twice, first to find out all that is wrong with it, then to write down what is to be done."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion_app import errors
from ingestion_app.checks import duplicates
from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import Seen
from ingestion_app.formats.definition import Definition
from ingestion_app.models import Attempt, Batch
from ingestion_app.operations import attempts, filing, plans
from ingestion_app.queries import batches, definitions
from ingestion_app.queries.ledger import LedgerCheck
from ingestion_app.states import BATCH, BatchFacts
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import Book
from ledger_app.operations import transitions
from ledger_app.operations.audit import Caller

BLOCK = 5000
SUM_MOST = 9 * 10**18  # what the columns of sums, and the ledger's balances, hold

Told = Callable[[str, int], None]


def validate(
    *,
    batch_id: int,
    directory: Path,
    caller: Caller,
    now: Callable[[], datetime],
    told: Told = lambda _phase, _records: None,
    version: int | None = None,
) -> Batch:
    """Validate a batch under the newest version of its source, and return it: validated, or rejected with its findings.

    Killed at any point it leaves the batch as it was, and may be run again. ``now`` gives the time for signs of life; ``told`` is called
    with the phase ("check" or "store") and the records done in it.

    :raises Refused: wrong_state, not_permitted, slot_taken, stale; file_missing or file_damaged
    """
    batch = Batch.objects.select_related("source", "file").get(pk=batch_id)
    source_version = definitions.current_version(batch.source)
    definition = definitions.definition_of(source_version)
    ask(batch_id=batch_id, caller=caller, version=version)
    attempt = attempts.begin(
        batch=batch, step=Attempt.Step.VALIDATE, caller=caller, host=socket.gethostname(), process=os.getpid()
    )
    try:
        work = _Validation(batch, definition, filing.path_of(directory, bytes(batch.file.sha256)), told)
        work.survey()
        name = "reject" if work.must_reject() else "validate"
        done = transitions.perform(
            transitions.Request(
                machine=BATCH,
                name=name,
                model=Batch,
                pk=batch_id,
                caller=caller,
                facts=lambda row: batches.facts(row, user=caller.user, deep=False),
                write=lambda row, _facts: {"source_version": source_version, **work.write(row, source_version, caller, name)},
                version=batch.version,
                audit_facts=lambda row: {"findings": work.found.findings.counts, "plan": batches.hexadecimal(row.plan_digest)},
            )
        )
    except Refused as refusal:
        attempts.end(attempt=attempt, at=now(), outcome=Attempt.Outcome.REFUSED, reasons=refusal.reasons)
        raise
    except LedgerError as error:
        attempts.end(attempt=attempt, at=now(), outcome=Attempt.Outcome.FAILED, reasons=[error])
        raise
    attempts.beat(attempt=attempt, at=now(), done_records=work.examined)
    attempts.end(attempt=attempt, at=now(), outcome=Attempt.Outcome.DONE)
    return done


def ask(*, batch_id: int, caller: Caller, version: int | None = None) -> None:
    """Refuse at once what would be refused after the file was read; the transition decides under the lock, this saves the wait.

    :raises Refused: wrong_state, not_permitted, slot_taken, stale; the refused attempt has its audit row
    """
    batch = Batch.objects.get(pk=batch_id)
    facts: BatchFacts = batches.facts(batch, user=caller.user, deep=False)
    if BATCH.reasons(BATCH.transition("validate"), facts) or version not in {None, batch.version}:
        transitions.perform(
            transitions.Request(
                machine=BATCH,
                name="validate",
                model=Batch,
                pk=batch.pk,
                caller=caller,
                facts=lambda row: batches.facts(row, user=caller.user, deep=False),
                write=_never,
                version=version,
            )
        )


def _never(_row: Batch, _facts: Any) -> Mapping[str, Any]:
    raise Refused([errors.BatchAway(state="changing")])


class _Validation:
    """One validation of one file."""

    def __init__(self, batch: Batch, definition: Definition, path: Path, told: Told) -> None:
        self._batch = batch
        self._definition = definition
        self._path = path
        self._told = told
        self._books: dict[str, Book] = definitions.books_of(definition)
        self.found = plans.Survey()
        self.examined = 0
        self._sizes = 0  # the amounts of the rows, signs left out: no sum over any of them is larger
        self._examination: Examination | None = None
        self._check: LedgerCheck | None = None

    def survey(self) -> None:
        """The first pass: find out all that is wrong, and what would be posted."""
        self._check_bytes()
        findings = self.found.findings
        missing = {rule.book for rule in self._definition.postings} - self._books.keys()
        for book in sorted(missing):
            findings.add(Seen("ledger.book_unknown", 0, 0, 0, b"", {"book": book}))
        keys = duplicates.KeyIndex()
        if not missing:
            self._check = LedgerCheck(self._definition, self._books, definitions.planner_of(self._definition, self._books))
        check = self._check
        with self._path.open("rb") as stream:
            self._examination = self._examine(stream)
            for block in _blocks(self._examination.rows(), findings.add):
                for row in block:
                    keys.add(row.key, row.line)
                    self._sizes += abs(row.amount)
                for each in check.check(block) if check else ():
                    if isinstance(each, Seen):
                        findings.add(each)
                    else:
                        self.found.add(each)
                self.examined += len(block)
                self._told("check", self.examined)
        self._conclude(keys)

    def _conclude(self, keys: duplicates.KeyIndex) -> None:
        """Find out what only the whole file shows: sums out of range, floors that would be broken, records that stand twice."""
        findings = self.found.findings
        if self._sizes > SUM_MOST:
            findings.add(Seen("control.sum_beyond_range", 0, 0, 0, b"", {"found": self._sizes, "most": SUM_MOST}))
        for seen in self._check.conclude() if self._check else ():
            findings.add(seen)
        if suspects := keys.suspects():
            with self._path.open("rb") as stream:
                for seen in duplicates.confirm(self._examine(stream).rows(), suspects):
                    findings.add(seen)

    def must_reject(self) -> bool:
        """Whether the findings forbid a plan: anything but records that the ledger refuses, or too many of those."""
        of_file = [rule for rule in self.found.findings.errors if not rule.startswith("ledger.") or rule in NOT_OF_ONE_RECORD]
        return bool(of_file) or len(self.found.set_aside) > self._definition.set_aside_limit

    def write(self, batch: Batch, source_version: Any, caller: Caller, name: str) -> dict[str, Any]:
        """The second pass, in the transaction that changes the state: write findings, and for a plan its chunks and records."""
        examination, found = self._examination, self.found
        assert examination is not None, "the survey comes first"  # noqa: S101 - the order of two calls in this module
        plans.clear(batch)
        found.findings.write(batch)
        columns: dict[str, Any] = {
            "record_count": examination.received_count,
            "record_sum": _fitting(examination.received_sum) if examination.bad_sum_known else None,
            "trailer_count": examination.trailer_count,
            "trailer_sum": examination.trailer_sum,
            "without_effect_count": found.without_effect,
            "set_aside_count": len(found.set_aside) + examination.bad_count,
            "set_aside_sum": _fitting(found.set_aside_sum + examination.bad_sum) or 0,
            "finding_counts": found.findings.counts,
            "planned_by": caller.user,
            "plan_digest": None,
            "approved_by": None,
            "approved_digest": None,
            "first_on": found.first_on,
            "last_on": found.last_on,
            "totals": found.planned.books,
            "holds_slot": True,
        }
        if name == "reject":
            return {**columns, "totals": {}, "holds_slot": None}
        batch.source_version = source_version
        for column, value in columns.items():
            setattr(batch, column, value)
        chunks, chunk_of = plans.cut(found.by_holder, self._definition.chunk_records)
        chunk_ids = plans.write_chunks(batch, chunks)
        self._write_records(batch, chunk_of, chunk_ids)
        return {**columns, "plan_digest": batches.plan_digest(batch, batches.chunk_plans(batch))}

    def _write_records(self, batch: Batch, chunk_of: dict[int, int], chunk_ids: list[int]) -> None:
        # The check of the first pass: members merged since are still those that the chunks were cut for, and the approval sees the merge.
        check = self._check
        assert check is not None, "without books there is no plan"  # noqa: S101 - a missing book rejects the file
        with self._path.open("rb") as stream:
            blocks = _blocks(self._examine(stream).rows(), lambda _seen: None)
            placed = (each for block in blocks for each in check.place(block))
            for written in plans.write_records(batch, placed, self.found, chunk_of, chunk_ids):
                self._told("store", written)

    def _examine(self, stream: Any) -> Examination:
        return Examination(stream, self._definition, business_date=self._batch.business_date, sequence=self._batch.sequence)

    def _check_bytes(self) -> None:
        """The bytes that are read are the bytes that came."""
        sha256 = bytes(self._batch.file.sha256)
        try:
            found = filing.digest_of(self._path)
        except FileNotFoundError as missing:
            raise Refused([errors.FileMissing(sha256=sha256.hex())]) from missing
        if found != sha256:
            raise Refused([errors.FileDamaged(sha256=sha256.hex(), found=found.hex())])


# Findings of the ledger that are no single record's fault: they cannot be set aside with one.
NOT_OF_ONE_RECORD = frozenset({"ledger.book_unknown", "ledger.floor_broken"})


def _fitting(total: int) -> int | None:
    """Return a sum, or None where no column holds it: such a file is rejected (control.sum_beyond_range, control.sum_differs)."""
    return total if abs(total) <= SUM_MOST else None


def _blocks(rows: Iterator[Row | Seen], seen: Callable[[Seen], None]) -> Iterator[list[Row]]:
    """Cut the rows into blocks, handing what else was seen to ``seen``."""

    def only_rows() -> Iterator[Row]:
        for each in rows:
            if isinstance(each, Seen):
                seen(each)
            else:
                yield each

    of_rows = only_rows()
    while block := list(islice(of_rows, BLOCK)):
        yield block
