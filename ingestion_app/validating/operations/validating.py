"""Validates batches: reads the whole file, finds out all that is wrong with it, and writes down what is to be done."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.batches.operations import attempts
from ingestion_app.checks import duplicates
from ingestion_app.checks.file import Examination
from ingestion_app.checks.rules import RAW_BYTES, Seen
from ingestion_app.deciding.operations import reversing, steps
from ingestion_app.deciding.queries import batches, planned_rules
from ingestion_app.formats.definition import Definition
from ingestion_app.models import Attempt, Batch, SourceVersion, ValidationRequest
from ingestion_app.sources.queries import definitions
from ingestion_app.states import BATCH, BatchFacts
from ingestion_app.validating.operations import drafting, judging, looking, plans, surveying
from ingestion_app.validating.operations.cutting import Cut
from ingestion_app.validating.operations.staging import Stage
from ingestion_app.validating.operations.surveying import Surveyed, Surveyor
from ledger_app.adjustments.operations import weighing
from ledger_app.base.operations import collecting, filing, measuring, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import DecidedAmount
from ledger_app.posting.queries.judging import ROOM, farthest

OnProgress = Callable[[str, int], None]


def validate(
    *,
    batch_id: int,
    directory: Path,
    caller: Caller,
    now: Callable[[], datetime],
    workers: int = 1,
    on_progress: OnProgress = lambda _phase, _records: None,
    version: int | None = None,
) -> Batch:
    """Validate a batch under the newest version of its source, and return it: validated, or rejected with its findings. A reversal is planned.

    Killed at any point it leaves the batch as it was, and may be run again. ``now`` gives the time for signs of life; ``on_progress`` is called
    with the phase ("check" or "store") and the records done in it. A large file is read in parts by as many ``workers``.

    :raises Refused: wrong_state, not_permitted, slot_taken, stale; file_missing or file_damaged; of a reversal, what ``reversing.plan`` says
    """
    with _answering(batch_id):
        with _surprises_kept(batch_id, caller, now):
            _check(batch_id, caller, version)
        return _validate(batch_id, directory, caller, now=now, workers=workers, on_progress=on_progress)


def _validate(
    batch_id: int, directory: Path, caller: Caller, *, now: Callable[[], datetime], workers: int, on_progress: OnProgress
) -> Batch:
    batch = Batch.objects.select_related("source", "file").get(pk=batch_id)
    attempt = attempts.begin_here(batch=batch, step=Attempt.Step.VALIDATE, caller=caller)

    def tell(phase: str, records: int) -> None:
        if not connection.in_atomic_block:
            attempts.beat(attempt=attempt, at=now(), done_records=records, phase=phase)
        on_progress(phase, records)

    made: list[_Validation] = []
    under_way = partial(attempts.under_way, attempt=attempt, now=now, done_records=lambda: sum(each.examined for each in made))
    # Whatever goes wrong, the attempt says so: of a validation without one nobody would know how often it was tried.
    reached = lambda: attempts.reached(attempt=attempt, at=now())  # noqa: E731
    with measuring.measured() as measured, collecting.rare(), under_way(measured=lambda: measured):
        if batch.reverses_id is not None:
            return reversing.plan(batch=batch, caller=caller, reached=reached)
        source_version = definitions.current_version(batch.source)
        path = filing.path_of(directory, bytes(batch.file.sha256))
        with closing(_Validation(batch, source_version, path, workers, caller.at)) as work:
            made.append(work)
            work.on_progress = tell
            work.survey()
            attempts.beat(attempt=attempt, at=now(), done_records=work.examined, phase="store")
            return _change(batch, source_version, work, caller, reached=reached)


@contextmanager
def _surprises_kept(batch_id: int, caller: Caller, now: Callable[[], datetime]) -> Iterator[None]:
    """Have what goes wrong inside, before there is an attempt, leave one that failed: otherwise it would be tried without end, and nobody would know."""
    try:
        yield
    except Refused:
        raise
    except BaseException:
        batch = Batch.objects.get(pk=batch_id)
        attempt = attempts.begin_here(batch=batch, step=Attempt.Step.VALIDATE, caller=caller)
        with attempts.under_way(attempt=attempt, now=now, done_records=lambda: 0, measured=measuring.Measured):
            raise


def _change(
    batch: Batch, source_version: SourceVersion, work: "_Validation", caller: Caller, *, reached: Callable[[], None]
) -> Batch:
    """Take the step that the findings call for, and write what belongs to it; ``reached`` writes that the attempt has come to its end."""
    name = "reject" if work.must_reject() else "validate"

    def write(row: Batch, _facts: Any) -> dict[str, Any]:
        reached()
        return {"source_version": source_version, **work.write(row, source_version, caller, name)}

    return steps.take(
        name,
        batch_id=batch.pk,
        caller=caller,
        write=write,
        version=batch.version,
        audit_facts=lambda row: {"findings": work.found.findings.counts, "plan": batches.hexadecimal(row.plan_digest)},
    )


def ask(*, batch_id: int, caller: Caller, version: int | None = None) -> None:
    """Ask for a validation by a worker, and refuse at once what would be refused after the file was read.

    That it was asked for is kept until it is answered: where the queue loses it, it is queued again (``status.queries.waking``).

    :raises Refused: wrong_state, not_permitted, slot_taken, stale; the refused attempt has its audit row
    """
    _check(batch_id, caller, version)
    last = Attempt.objects.filter(batch=batch_id, step=Attempt.Step.VALIDATE).order_by("-number").first()
    asked = {
        "batch_version": Batch.objects.values_list("version", flat=True).get(pk=batch_id),
        "after_attempt": last.number if last else 0,
        "asked_by": caller.user,
        "asked_at": caller.at,
    }

    def work() -> None:
        # No update_or_create: its savepoint would turn a deadlock into another error.
        if not ValidationRequest.objects.filter(batch=batch_id).update(**asked):
            ValidationRequest.objects.create(batch_id=batch_id, **asked)

    transactions.run(work)


@contextmanager
def _answering(batch_id: int) -> Iterator[None]:
    """Forget that a validation was asked for when it was carried out inside, or refused: only where it failed it is still waited for."""
    asked = ValidationRequest.objects.filter(batch=batch_id)
    try:
        yield
    except Refused:
        transactions.run(asked.delete)
        raise
    transactions.run(asked.delete)


def _check(batch_id: int, caller: Caller, version: int | None) -> None:
    """Refuse what the transition would: it decides under the lock, this saves the wait."""
    batch = Batch.objects.get(pk=batch_id)
    facts: BatchFacts = batches.facts(batch, user=caller.user, deep=False)
    if BATCH.blockers(BATCH.transition("validate"), facts) or version not in {None, batch.version}:
        steps.take(
            "validate",
            batch_id=batch.pk,
            caller=caller,
            write=_never,
            version=version,
        )


def _never(_row: Batch, _facts: Any) -> Mapping[str, Any]:
    raise Refused([errors.BatchAway(state=_("changing"))])


class _Validation:
    """One validation of one file."""

    def __init__(self, batch: Batch, version: SourceVersion, path: Path, workers: int, at: datetime) -> None:
        self._batch = batch
        self._version = version
        self._definition: Definition = definitions.definition_of(version)
        self._path = path
        self.on_progress: OnProgress = lambda _phase, _records: None
        self._workers = workers
        self._at = at
        books = definitions.books_of(self._definition)
        # Read once: whoever reads a part of the file plans with the same, and the plan keeps them.
        self._contras = definitions.contras_of(self._definition, books)
        self._lot_rules = planned_rules.now(self._definition, books)
        self._unit = definitions.unit_of(self._definition, books)
        shaping = surveying.shaping_of(self._definition, books, batch)
        self._surveyor = Surveyor(self._definition, books, self._contras, shaping)
        self._shape: looking.Looked | None = None
        for book in sorted({rule.book for rule in self._definition.postings} - books.keys()):
            self.found.findings.add(Seen("ledger.book_unknown", 0, 0, 0, b"", {"book": book}))
        for other in batches.elsewhere(batch):
            there: dict[str, str | int] = {"source": other.source.code, "batch": other.pk, "state": other.state}
            self.found.findings.add(Seen("file.received_elsewhere", 0, 0, 0, b"", there))
        self._parts: list[Surveyed] = []
        self._examination: Examination | None = None
        self._made: Cut | None = None

    @property
    def found(self) -> plans.Survey:
        """What was found out."""
        return self._surveyor.found

    @property
    def examined(self) -> int:
        """How many rows were looked at."""
        return self._surveyor.examined

    @property
    def _stages(self) -> list[Stage]:
        return [*[part.stage for part in self._parts if part.stage is not None], self._surveyor.stage]

    def close(self) -> None:
        """Let go of what is staged."""
        for stage in self._stages:
            stage.close()

    def survey(self) -> None:
        """Read the file: find out all that is wrong, and what would be posted."""
        with measuring.phase("parse"):
            self._check_bytes()
            parts = surveying.parts_of(self._path, self._workers, self._definition)
        if parts:
            on_progress = partial(self.on_progress, "check")
            self._parts = (
                surveying.survey_parts(self._path, self._batch, self._version, parts, on_progress, contras=self._contras) or []
            )
        # Parts that are not plain are read again, in their place in the whole file: only there it can be told what is wrong.
        for part in self._parts:
            self._merge(part)
        with self._path.open("rb") as stream:
            self._examination = self._examine(stream)
            for examined in self._surveyor.take(self._examination.rows([part.elsewhere for part in self._parts])):
                self.on_progress("check", examined)
        with measuring.phase("check"):
            self._conclude()
        with measuring.phase("shape"):
            self._shape = looking.look(self._batch, self._surveyor.shaping, self._definition.shape, self.found.findings.add)

    def _merge(self, part: Surveyed) -> None:
        surveyor = self._surveyor
        surveyor.found.merge(part.found)
        surveyor.keys.merge(part.keys)
        surveyor.sizes += part.sizes
        surveyor.examined += part.examined
        measuring.merge(part.measured)
        if surveyor.shaping is not None and part.shaping is not None:
            surveyor.shaping.merge(part.shaping)

    def _conclude(self) -> None:
        """Find out what only the whole file shows: sums out of range, records that take what is not there, records that stand twice."""
        surveyor, findings = self._surveyor, self.found.findings
        most = surveying.SUM_MOST
        if ROOM < surveyor.sizes <= most and surveyor.drawing is not None:
            # No account leaves the range of balances, whichever has most of it.
            most -= farthest(surveyor.drawing.books.values())
        if surveyor.sizes > most:
            facts: dict[str, str | int] = {"found": surveyor.sizes, "most": most}
            findings.add(Seen("control.sum_beyond_range", 0, 0, 0, b"", facts))
        self._judge()
        if suspects := surveyor.keys.suspects():
            with self._path.open("rb") as stream:
                for seen in duplicates.confirm(self._examine(stream).rows(), suspects):
                    findings.add(seen)

    def _judge(self) -> None:
        """Judge, in the order of posting, the records that take from limited accounts (with a floor or lots), and leave out those that are refused."""
        found, drawing = self.found, self._surveyor.drawing
        taken = self._surveyor.taken.union(*[part.taken for part in self._parts])
        if drawing is None or not taken:
            return
        cut = self._cut()
        with self._path.open("rb") as stream:
            for row, number, seen, is_refused, dates in judging.judge(self._stages, cut, taken, drawing, at=self._at):
                for each in seen:
                    raw = b""
                    if found.findings.keeps(each.rule):
                        stream.seek(row.offset)
                        raw = stream.read(min(row.length, RAW_BYTES))
                    found.findings.add(replace(each, raw=raw))
                if is_refused:
                    cut.leave_out(number)
                    found.leave_out(row, dates)

    def _cut(self) -> Cut:
        """Return the chunks of the records in their order, refused records included: what is judged is what is written and posted."""
        if self._made is None:
            self._made = plans.cut(self.found.records_of, self._definition)
            if self._definition.roles.order is not None:
                self._made.sort_parts(self._stages, drafting.staged_order(self._definition))
        return self._made

    def must_reject(self) -> bool:
        """Whether the findings forbid a plan: anything but records that the ledger refuses, or too many of those."""
        of_file = [rule for rule in self.found.findings.errors if not rule.startswith("ledger.") or rule in NOT_OF_ONE_RECORD]
        return bool(of_file) or self.found.set_aside > self._definition.set_aside_limit

    def write(self, batch: Batch, source_version: Any, caller: Caller, name: str) -> dict[str, Any]:
        """In the transaction that changes the state, write findings, and for a plan its chunks and records."""
        examination, found = self._examination, self.found
        assert examination is not None, "the survey comes first"  # noqa: S101 - the order of two calls in this module
        plans.clear(batch)
        looking.write(batch, self._shape if name == "validate" else None)
        weighing.void(kind=DecidedAmount.Kind.BATCH, subject_id=batch.pk, at=caller.at)
        found.findings.write(batch, self._unit, self._definition.layout.encoding)
        columns: dict[str, Any] = {
            "record_count": examination.received_count,
            "record_sum": _fitting(examination.received_sum) if examination.bad_sum_known else None,
            "trailer_count": examination.trailer_count,
            "trailer_sum": None if examination.trailer_sum is None else _fitting(examination.trailer_sum),
            "without_effect_count": found.without_effect,
            "set_aside_count": found.set_aside + examination.bad_count,
            "set_aside_sum": _fitting(found.set_aside_sum + examination.bad_sum) or 0,
            "finding_counts": found.findings.counts,
            "planned_by": caller.user,
            "plan_digest": None,
            "approved_by": None,
            "approved_digest": None,
            "first_on": min(found.dates, default=None),
            "last_on": max(found.dates, default=None),
            "totals": found.totals,
            "contra_accounts": self._kept(),
            "lot_rules": self._lot_rules,
            "holds_slot": True,
        }
        if name == "reject":
            return {**columns, "totals": {}, "contra_accounts": None, "lot_rules": None, "holds_slot": None}
        batch.source_version = source_version
        for column, value in columns.items():
            setattr(batch, column, value)
        with measuring.phase("stage"):
            for written in plans.write(batch, self._stages, self._cut(), found.left_out):
                self.on_progress("store", written)
            digest = batches.plan_digest(batch, batches.chunk_plans(batch))
        return {**columns, "plan_digest": digest}

    def _kept(self) -> dict[str, dict[str, list[Any]]] | None:
        """Return the accounts that the plan gives to the reason codes of the file, as the batch keeps them; None where it adjusts nothing."""
        if not self._definition.adjusted_books:
            return None
        kept: dict[str, dict[str, list[Any]]] = {book: {} for book in self._definition.adjusted_books}
        for book, reason in sorted(self.found.reasons & self._contras.keys()):
            kept[book][reason] = list(self._contras[book, reason])
        return kept

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


# Findings of the ledger that are no single record's fault: they cannot be set aside with one. A key that stands for something else, or for a
# part, is one of them: which of the two is right is for a person to say, and leaving the record out would be an answer.
NOT_OF_ONE_RECORD = frozenset({"ledger.book_unknown", "ledger.reference_exists_differs", "ledger.reference_exists_in_part"})


def _fitting(total: int) -> int | None:
    """Return a sum, or None where no column holds it: such a file is rejected (control.sum_beyond_range, control.sum_differs)."""
    return total if abs(total) <= surveying.SUM_MOST else None
