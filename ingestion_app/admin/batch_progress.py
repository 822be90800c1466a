"""The progress on the page of a batch: how far it has come, the chunks by state, and the workers that lease them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import list_url
from ingestion_app.applying.queries import Replay
from ingestion_app.batches.queries import workers
from ingestion_app.batches.queries.sums import cells_of
from ingestion_app.models import Attempt, Batch, Chunk, Worker
from ingestion_app.status.queries.deadlines import deadline_of, span
from ingestion_app.status.queries.progress import Progress, progress_of
from ingestion_app.status.queries.rerun import Rerun, Verdict
from ledger_app.templatetags import look

LEASED_SHOWN = 8
STOPPED_SHOWN = 5
SPANS_MOST = 60  # characters of a list of chunk numbers
MAY_BE_QUEUED = frozenset({"received", "rejected", "validated", "approved", "applying"})
TO_BE_WORKED_ON = frozenset({Batch.State.RECEIVED, Batch.State.VALIDATED, Batch.State.APPROVED, Batch.State.APPLYING})
APPLIES_NOTHING = frozenset({Batch.State.REJECTED, Batch.State.WITHDRAWN})
ENDED_BADLY = frozenset({Attempt.Outcome.REFUSED, Attempt.Outcome.FAILED})
PHASES = {
    "check": _("Checking the file"),
    "store": _("Storing the records"),
    "apply": _("Applying"),
    "recount": _("Adding up the ledger’s change"),
}


def progress(batch: Batch, at: datetime, asked_after: int | None = None) -> dict[str, Any]:
    """Return how far the batch has come, and whether somebody is at it; ``is_empty`` where there is nothing to tell yet.

    ``asked_after`` is the last attempt that there was when a person asked for a step: until a later one begins, the step is queued.
    """
    now = progress_of(batch, at=at)
    attempt = now.attempt
    queued = asked_after is not None and (attempt.pk if attempt else 0) <= asked_after and batch.state in MAY_BE_QUEUED
    heard = workers.known()
    deadline = deadline_of(batch)
    if batch.state in APPLIES_NOTHING:
        # Its chunks wait for nothing, and none of its records will be applied.
        now = replace(now, total=None)
    return {
        "is_empty": not now.total and not now.is_running and not queued and attempt is None,
        "percent": now.percent,
        "done": now.done,
        "total": now.total,
        "phase": PHASES.get(now.phase, "") if now.is_running else "",
        "rate": now.rate,
        "seconds_left": now.seconds_left if now.is_running else None,
        "commit_percent": now.commit_percent,
        "waits": _waits(now),
        "taken_over": now.taken_over,
        "running": now.is_running or queued,
        # A file that is being read for the first time has no share to show: nothing is known of it before its end.
        "is_reading": now.is_running and now.is_validation,
        "is_validation": now.is_validation and now.is_running,
        "queued": queued,
        "nobody_there": queued and not any(each.worker.kind == Worker.Kind.WORKER and not each.is_dead for each in heard),
        "given_up": now.has_given_up,
        "is_applying": batch.state == Batch.State.APPLYING,
        "dead_workers": [
            {"kind": each.worker.get_kind_display(), "name": str(each.worker), "seen_at": each.worker.seen_at}
            for each in heard
            if each.is_dead and (queued or batch.state in TO_BE_WORKED_ON)
        ],
        "attempt": _attempt_text(now) if attempt else "",
        "reasons": attempt.reasons if attempt and attempt.outcome in ENDED_BADLY and not queued else [],
        "due": deadline and {"sentence": deadline.sentence(at), "at": deadline.due_at, "is_late": deadline.is_late(at)},
        "chunks": now.chunks,
        "chunk_cells": cells_of(batch, at=at, chunks=sum(now.chunks.values())) if batch.state not in APPLIES_NOTHING else [],
        "chunks_url": list_url(Chunk, f"batch__id__exact={batch.pk}"),
    }


def _waits(now: Progress) -> str:
    """Return how often a transaction was run again, in words."""
    if now.attempt is None or not now.attempt.counts:
        return ""
    deadlocks = ngettext("{count} deadlock", "{count} deadlocks", now.deadlocks).format(count=look.count_text(now.deadlocks))
    waits = ngettext("{count} lock wait", "{count} lock waits", now.lock_waits).format(count=look.count_text(now.lock_waits))
    return f"{deadlocks} · {waits}"


def _attempt_text(now: Progress) -> str:
    attempt = now.attempt
    assert attempt is not None  # noqa: S101 - asked only where there is one
    text = f"{attempt.get_step_display()} {attempt.number} · {attempt.host}:{attempt.process}"
    if now.is_silent:
        return gettext("{attempt}, silent since {at}: its process is gone").format(
            attempt=text, at=look.instant_text(attempt.heartbeat_at)
        )
    lasted = span(attempt.ended_at - attempt.started_at) if attempt.ended_at else ""
    return " · ".join(filter(None, (text, str(attempt.get_outcome_display()), lasted)))


def rerun(answer: Rerun, batch: Batch) -> dict[str, Any]:
    """Return the answer to "safe to run again?" as the page shows it."""
    kinds = ((_("Done"), "applied"), (_("Being worked on"), "running"), (_("Would run"), "pending"), (_("Stopped"), "stopped"))
    return {
        "safe": answer.is_safe,
        "checked": answer.is_checked,
        "nothing": answer.verdict is Verdict.NOTHING,
        "sentence": answer.sentence,
        "way_out": answer.way_out,
        "kinds": [
            {"label": label, "cell": kind, "count": answer.count(kind), "chunks": _shortened(answer.chunks(kind))}
            for label, kind in kinds
            if answer.count(kind)
        ],
        "reasons": [reason.as_dict() for reason in answer.reasons],
        "leased": [
            {"number": each.number, "by": each.by.partition("/")[0], "until": each.until} for each in answer.leased[:LEASED_SHOWN]
        ],
        "leased_more": max(0, answer.count("running") - LEASED_SHOWN),
        **_stopped(batch, answer),
    }


def _stopped(batch: Batch, answer: Rerun) -> dict[str, Any]:
    first = answer.stopped[:STOPPED_SHOWN]
    return {
        "stopped": [
            {"number": each.number, "attempt": each.attempt, "since": each.since, "reasons": each.reasons[:3]} for each in first
        ],
        "stopped_more": answer.count("stopped") - len(first),
        "stopped_url": list_url(Chunk, f"batch__id__exact={batch.pk}&state__exact=stopped"),
    }


def _shortened(text: str) -> str:
    return text if len(text) <= SPANS_MOST else text[:SPANS_MOST].rpartition(",")[0] + ", …"


def receipt_sentence(replay: Replay) -> str:
    """Say what a run that found everything done found, and that it added nothing."""
    chunks = ngettext(
        "{chunks} chunk with {records} records found applied",
        "{chunks} chunks with {records} records found applied",
        replay.chunks_found,
    ).format(chunks=look.count_text(replay.chunks_found), records=look.count_text(replay.records_found))
    equal = gettext("the ledger’s change equals the plan") if replay.is_equal else gettext("the ledger’s change is not the plan")
    return gettext("{chunks}; new entries: {entries}; {equal}.").format(
        chunks=chunks, entries=look.count_text(replay.new_entries), equal=equal
    )
