"""Applies batches: begins, lets workers apply the chunks, and takes the last step; pauses, and resumes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db import connection, connections
from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.applying.operations import chunks, leasing
from ingestion_app.applying.operations.chunks import ChunkResult, Clock, Work
from ingestion_app.batches.operations import attempts
from ingestion_app.deciding.operations import reversing, steps
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.sources.queries import definitions
from ingestion_app.states import BATCH
from ledger_app.base.operations import collecting, measuring
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.pool import Pool
from ledger_app.errors import LedgerError, Refused, TryAgain
from ledger_app.rights.queries.rights import rights_of

SPARES = 10  # processes that may die and be replaced in one attempt
POLL = timedelta(milliseconds=200)
BEAT = timedelta(seconds=1)
ENDED = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """What one call did: chunks applied by it, chunks it found applied, chunks that stopped with their reasons."""

    batch: Batch
    applied: int
    skipped: int
    stopped: dict[int, tuple[LedgerError, ...]]


def apply(
    *,
    batch_id: int,
    caller: Caller,
    now: Clock,
    workers: int = 1,
    lease_seconds: int = leasing.LEASE_SECONDS,
    on_progress: OnProgress = lambda _done, _total: None,
    version: int | None = None,
) -> Applied:
    """Apply a batch and return what was done. Run again it goes on where it was; of an applied batch it does nothing.

    Chunks whose records the ledger refuses stop with their reasons, the others go on, until as many have stopped as the source allows; the
    batch is applied when every chunk is and the ledger's change, counted from its rows, equals the plan. ``now`` gives the time; with several workers
    each of them calls it, so it is a module's own function, which can be handed to another process.

    :raises Refused: wrong_state, not_permitted, paused, plan_moved, plan_damaged, stale; plan_damaged and recount_differs at the end too
    :raises TryAgain: when the database was busy or away, or others hold chunks and do not come to an end with them
    """
    begin(batch_id=batch_id, caller=caller, version=version)
    return carry_on(
        batch_id=batch_id, caller=caller, now=now, workers=workers, lease_seconds=lease_seconds, on_progress=on_progress
    )


def begin(*, batch_id: int, caller: Caller, version: int | None = None, name: str = "") -> Batch:
    """Take the step into ``applying``, or say that it is taken up again. An applied batch is left as it is, by who may apply it.

    ``name`` is ``apply`` or ``resume`` where exactly that was asked for; without it the one that the batch's state calls for is taken. A pause
    ends only where it is asked to: by ``resume``.

    :raises Refused: wrong_state, not_permitted, paused, plan_moved, plan_damaged, stale
    """
    batch = Batch.objects.get(pk=batch_id)
    may = BATCH.transition("apply").right in rights_of(caller.user)
    if may and batch.state in ENDED:
        return batch

    def end_pause(row: Batch) -> dict[str, Any]:
        # Asked under the lock: somebody may have paused it since it was read.
        if row.is_paused and not name:
            raise Refused([errors.Paused(batch=row.pk)])
        return {"is_paused": False}

    try:
        called_for = "resume" if batch.state == Batch.State.APPLYING else "apply"
        return _transition(name or called_for, batch_id, caller, version=version, write=end_pause)
    except Refused:
        # Another process may have begun, or ended, since the state was read: to apply beside it is no fault.
        if name or version is not None or Batch.objects.get(pk=batch_id).state == batch.state:
            raise
    return begin(batch_id=batch_id, caller=caller)


def pause(*, batch_id: int, reason: str, caller: Caller, version: int | None = None) -> Batch:
    """Have no further chunk begun until somebody resumes; chunks that are being applied come to their end.

    :raises Refused: wrong_state, not_permitted, paused_already, reason_required, stale
    """
    return _transition("pause", batch_id, caller, reason=reason, version=version, write=lambda _row: {"is_paused": True})


def carry_on(
    *,
    batch_id: int,
    caller: Caller,
    now: Clock,
    workers: int = 1,
    lease_seconds: int = leasing.LEASE_SECONDS,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Applied:
    """Apply the chunks of a batch that has begun, and take the last step when all are applied.

    :raises Refused: plan_damaged, recount_differs
    :raises TryAgain: when the database was busy or away, or others hold chunks and do not come to an end with them
    """
    batch = Batch.objects.select_related("source_version").get(pk=batch_id)
    before = batch.chunks.filter(state=Chunk.State.APPLIED).count()
    if batch.state in ENDED:
        return Applied(batch, 0, before, {})
    attempt = attempts.begin_here(batch=batch, step=Attempt.Step.APPLY, caller=caller)
    run = _Run(batch, attempt, Work(batch_id, attempt.pk, caller, now, lease_seconds), on_progress)
    under_way = attempts.under_way(
        attempt=attempt,
        now=now,
        done_records=lambda: run.done_records,
        measured=run.all_measured,
        refused=Attempt.Outcome.FAILED,
    )
    with measuring.measured() as run.measured, collecting.rare(), under_way as ending:
        run.apply(workers)
        finished = run.finish()
        if finished.is_paused and not run.stopped:
            ending.outcome, ending.reasons = Attempt.Outcome.PAUSED, [errors.Paused(batch=batch.pk)]
        elif finished.state not in {Batch.State.APPLYING, *ENDED}:
            # It was withdrawn, or left, before this looked at it.
            ending.outcome = Attempt.Outcome.REFUSED
            ending.reasons = [errors.BatchAway(state=Batch.State(finished.state).label)]
        elif run.stopped:
            ending.outcome = Attempt.Outcome.REFUSED
            ending.reasons = tuple(reason for refused in run.stopped.values() for reason in refused)[:20]
    return Applied(finished, run.applied, before + run.skipped, run.stopped)


@dataclass(slots=True)
class _Run:
    """One attempt at applying: its workers, what they told, and its end."""

    batch: Batch
    attempt: Attempt
    work: Work
    on_progress: OnProgress
    measured: measuring.Measured = field(default_factory=measuring.Measured)
    applied: int = 0
    skipped: int = 0
    done_records: int = 0
    stopped: dict[int, tuple[LedgerError, ...]] = field(default_factory=dict)
    _milliseconds: list[int] = field(default_factory=list)
    _counted: dict[int, batches.Change] = field(default_factory=dict)
    _beaten_at: datetime | None = None

    def apply(self, workers: int) -> None:
        """Apply what is left: by processes of their own, and what they leave by this one."""
        worker = leasing.worker_name(self.attempt.pk)
        attempts.beat(attempt=self.attempt, at=self.work.now(), done_records=0, phase="apply")
        leasing.release_dead(self.batch.pk)
        try:
            # SQLite has one writer: several processes would only queue for it.
            if workers > 1 and connection.vendor != "sqlite":
                self._apply_in_processes(workers, worker)
            self._apply_here(worker)
        finally:
            leasing.release(batch_id=self.batch.pk, workers=[worker])

    def _apply_in_processes(self, workers: int, worker: str) -> None:
        # A connection is never shared with another process.
        connections.close_all()
        is_done = False
        pool = Pool([(chunks.apply_all, (self.work,))] * workers, spares=SPARES)
        try:
            for kind, said in pool.events():
                if kind == "result":
                    self._take(said)
                elif kind == "measured":
                    self.measured.add(said)
                elif kind == "died":
                    leasing.release_ended(batch_id=self.batch.pk, attempt_id=self.attempt.pk, process=said)
                elif pool.has_idle:
                    # One may have been stopped and hold a chunk still: when its lease is over, the chunk is done here.
                    if is_done:
                        return
                    for result in chunks.apply_free(self.work, worker):
                        self._take(result)
                    # Once more around, for what others have done meanwhile and not told yet.
                    is_done = not self._left().exists()
        finally:
            pool.stop()
        if pool.failures:
            raise pool.failures[0]

    def _apply_here(self, worker: str) -> None:
        """Apply until nothing is left, waiting for chunks that others hold; their leases end."""
        patience = 2 * timedelta(seconds=self.work.lease_seconds) // POLL
        waiting: list[int] = []
        waited = 0
        while True:
            for result in chunks.apply_free(self.work, worker):
                self._take(result)
            now_waiting = list(self._left().values_list("id", flat=True))
            if not now_waiting or not Batch.objects.filter(pk=self.batch.pk, state="applying", is_paused=False).exists():
                return
            leasing.release_dead(self.batch.pk)
            waited = waited + 1 if now_waiting == waiting else 0
            if waited > patience:
                raise TryAgain(cause=_("other workers hold chunks of this batch"))
            waiting = now_waiting
            time.sleep(POLL.total_seconds())

    def _left(self) -> Any:
        return leasing.left(self.batch.pk, self.attempt.pk)

    def _take(self, result: ChunkResult) -> None:
        """Count what became of a chunk, tell of it, and stop applying where too many have stopped."""
        if result.outcome == "applied":
            self.applied += 1
            self._milliseconds.append(result.milliseconds)
            self._counted |= result.counted
            self.done_records += result.records
        elif result.outcome == "skipped":
            self.skipped += 1
        elif result.outcome == "stopped":
            self.stopped[result.number] = result.reasons
            if len(self.stopped) >= definitions.definition_of(self.batch.source_version).failing_chunks:
                self._trip()
        at = self.work.now()
        if self._beaten_at is None or at - self._beaten_at >= BEAT:
            self._beaten_at = at
            attempts.beat(attempt=self.attempt, at=at, done_records=self.done_records, measured=self.measured)
        progress = batches.progress(self.batch)
        self.on_progress(progress["records_applied"], progress["records"])

    def _trip(self) -> None:
        try:
            _transition(
                "trip",
                self.batch.pk,
                replace(self.work.caller, at=self.work.now()),
                write=lambda _row: {"is_paused": True},
                # Told as a sentence to whoever reads it, in their language: queries.pauses.
                said={"stopped": len(self.stopped)},
            )
        except Refused:
            # Somebody has paused it already, or it has left the state: either way no further chunk begins.
            if Batch.objects.filter(pk=self.batch.pk, state="applying", is_paused=False).exists():
                raise

    def finish(self) -> Batch:
        """Take the last step where every chunk is applied, unless another process that applied beside this one has taken it."""
        if Chunk.objects.filter(batch=self.batch).exclude(state=Chunk.State.APPLIED).exists():
            return Batch.objects.get(pk=self.batch.pk)
        attempts.beat(attempt=self.attempt, at=self.work.now(), done_records=self.done_records, phase="recount")
        caller = replace(self.work.caller, at=self.work.now())

        def write(row: Batch) -> Mapping[str, Any]:
            attempts.reached(attempt=self.attempt, at=caller.at)
            return reversing.end_original(row, caller)

        try:
            with measuring.phase("recount"):
                return _transition("finish", self.batch.pk, caller, write=write, counted=self._counted)
        except Refused:
            batch = Batch.objects.get(pk=self.batch.pk)
            if batch.state in ENDED:
                return batch
            raise

    def all_measured(self) -> measuring.Measured:
        """Return what was measured, and how long the chunks took."""
        if self._milliseconds:
            slowest = sorted(self._milliseconds)
            self.measured.counts |= {"chunk_ms_p95": slowest[len(slowest) * 95 // 100], "chunk_ms_most": slowest[-1]}
        return self.measured


def _transition(
    name: str,
    batch_id: int,
    caller: Caller,
    *,
    reason: str = "",
    version: int | None = None,
    write: Callable[[Batch], Mapping[str, Any]] = lambda _row: {},
    counted: Mapping[int, batches.Change] = batches.NOTHING_COUNTED,
    said: Mapping[str, Any] = MappingProxyType({}),
) -> Batch:
    return steps.take(
        name,
        batch_id=batch_id,
        caller=caller,
        facts=lambda row: batches.facts(row, user=caller.user, counted=counted),
        write=lambda row, _facts: write(row),
        reason=reason,
        version=version,
        audit_facts=lambda row: {"plan": batches.hexadecimal(row.plan_digest), **said},
    )
