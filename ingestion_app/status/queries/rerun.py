"""Answers "safe to run again?" for any batch: which chunks are done, which would run, which cannot and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion_app import errors
from ingestion_app.batches.queries.sums import SPANS_MOST, Kinds, Span, kinds_of, text_of
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk
from ingestion_app.states import BATCH, plan_moved
from ingestion_app.status.queries.pauses import Pause, pause_of
from ledger_app.errors import LedgerError, WrongState

SHOWN_MOST = 20  # chunks that are told one by one
RUN_IN = ("approved", "applying")
ENDED = frozenset({Batch.State.APPLIED, Batch.State.FROZEN})

Posted = dict[str, tuple[int, int, int]]


class Verdict(StrEnum):
    """What a run would come to now."""

    DONE = "done"  # every chunk is applied; all would be skipped
    WOULD_RUN = "would_run"  # some chunks would be applied
    WORKED_ON = "being_worked_on"  # others hold all that is left
    PAUSED = "paused"  # nothing runs before somebody resumes
    NOTHING = "nothing_to_run"  # the state has nothing to run: it is not approved yet, or has ended without being applied, or is reversed
    CANNOT_RUN = "cannot_run"  # a reversal is under way, or the plan is damaged


@dataclass(frozen=True, slots=True)
class Stopped:
    """A chunk that stopped: the attempt in which it did last, when that began, and the reasons as they are stored."""

    number: int
    attempt: int | None
    since: datetime | None
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Leased:
    """A chunk that is being worked on: by whom, and until when it is theirs alone."""

    number: int
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Rerun:
    """The answer. ``stopped`` and ``leased`` tell the first ``SHOWN_MOST`` one by one; the counts are complete.

    It is always safe to run a batch again, because a chunk is applied in the transaction that writes its entries, and a run begins by holding
    the rows against what was approved. Where they were leased against it here too (``is_checked``) and differ, ``is_safe`` is False, nothing
    would run, and ``reasons`` say what differs.
    """

    is_safe: bool
    is_checked: bool
    verdict: Verdict
    sentence: str
    kinds: Kinds
    stopped: tuple[Stopped, ...]
    leased: tuple[Leased, ...]
    pause: Pause | None
    reasons: tuple[LedgerError, ...]
    way_out: str = ""  # how the batch ends where nothing mends what has stopped

    @property
    def done(self) -> tuple[int, ...]:
        """Return the numbers of the chunks that are applied, as far as their spans are told."""
        return self._numbers("applied")

    @property
    def would_run(self) -> tuple[int, ...]:
        """Return the numbers of the chunks that a run would apply."""
        return self._numbers("pending") if self._runs else ()

    @property
    def stopped_numbers(self) -> tuple[int, ...]:
        """Return the numbers of the chunks that have stopped."""
        return self._numbers("stopped")

    @property
    def leased_numbers(self) -> tuple[int, ...]:
        """Return the numbers of the chunks that are being worked on."""
        return self._numbers("running")

    def count(self, kind: str) -> int:
        """Return how many chunks are ``applied``, ``running``, ``stopped``, or would run (``pending``)."""
        return self.kinds.counts.get(kind, 0) if kind != "pending" or self._runs else 0

    def chunks(self, kind: str) -> str:
        """Return which they are, as spans of their numbers."""
        return text_of(self._spans(kind), is_whole=len(self._spans(kind)) < SPANS_MOST) if self.count(kind) else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as commands and the API give it; chunks as spans of their numbers."""
        pause = self.pause
        return {
            "safe": self.is_safe,
            "checked": self.is_checked,
            "verdict": str(self.verdict),
            "sentence": self.sentence,
            "done": {"count": self.count("applied"), "chunks": self.chunks("applied")},
            "would_run": {"count": self.count("pending"), "chunks": self.chunks("pending")},
            "stopped": {
                "count": self.count("stopped"),
                "chunks": self.chunks("stopped"),
                "first": [
                    {"chunk": each.number, "attempt": each.attempt, "since": each.since, "reasons": each.reasons}
                    for each in self.stopped
                ],
            },
            "being_worked_on": {
                "count": self.count("running"),
                "chunks": self.chunks("running"),
                "first": [{"chunk": each.number, "by": each.by, "until": each.until} for each in self.leased],
            },
            "paused": pause and {"at": pause.at, "by": pause.by, "reason": pause.reason, "by_itself": pause.by_itself},
            "reasons": [reason.as_dict() for reason in self.reasons],
        }

    @property
    def _runs(self) -> bool:
        return self.verdict in {Verdict.DONE, Verdict.WOULD_RUN, Verdict.WORKED_ON}

    def _spans(self, kind: str) -> list[Span]:
        return self.kinds.spans.get(kind, [])

    def _numbers(self, kind: str) -> tuple[int, ...]:
        return tuple(chain.from_iterable(range(first, last + 1) for first, last in self._spans(kind)))


def rerun_of(batch: Batch, *, at: datetime, posted: Posted | None = None, check: bool = True) -> Rerun:
    """Return the answer for ``batch`` as its rows are now.

    ``check`` holds the plan's rows against what was approved, and the ledger's against the plan: that reads every chunk, and of a batch that is
    applied every line. Without it the answer costs the same for every batch. ``posted`` is what the ledger's rows come to, where that was
    counted already.
    """
    kinds = kinds_of(batch, at=at)
    damaged, shut, pause = _damaged(batch, posted) if check else [], _shut(batch, asks_records=check), pause_of(batch)
    counts = _Counts(*(kinds.counts.get(kind, 0) for kind in ("applied", "pending", "stopped", "running")))
    verdict = _verdict(batch, is_shut=bool(damaged or shut), free=counts.free + counts.stopped, leased=counts.leased)
    return Rerun(
        is_safe=not damaged,
        is_checked=check,
        verdict=verdict,
        sentence=_sentence(batch, verdict, counts),
        kinds=kinds,
        stopped=_stopped(batch) if counts.stopped else (),
        leased=_leased(batch, at) if counts.leased else (),
        pause=pause,
        reasons=(*damaged, *shut, *([errors.Paused(batch=batch.pk)] if batch.is_paused else [])),
        way_out=_way_out(batch, counts),
    )


def spans(numbers: Iterable[int]) -> str:
    """Return numbers in rising order as people write them: ``0–41, 43``."""
    found: list[Span] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return text_of(found)


def _leased(batch: Batch, at: datetime) -> tuple[Leased, ...]:
    rows = Chunk.objects.filter(batch=batch, lease_until__gt=at).exclude(state=Chunk.State.APPLIED).order_by("number")
    columns = rows.values_list("number", "leased_by", "lease_until")[:SHOWN_MOST]
    return tuple(Leased(number, by, until) for number, by, until in columns if until is not None)


def _stopped(batch: Batch) -> tuple[Stopped, ...]:
    rows = Chunk.objects.filter(batch=batch, state=Chunk.State.STOPPED).select_related("attempt").order_by("number")
    return tuple(
        Stopped(
            row.number,
            row.attempt.number if row.attempt else None,
            row.attempt.started_at if row.attempt else None,
            list(row.reasons),
        )
        for row in rows[:SHOWN_MOST]
    )


def _damaged(batch: Batch, posted: Posted | None) -> Sequence[LedgerError]:
    """Return where the rows are not what was approved: the chunks of the plan, or, once applied, the ledger's change."""
    found: list[LedgerError] = []
    now, approved = "", batches.hexadecimal(batch.approved_digest)
    if batch.state in RUN_IN or batch.state in ENDED:
        now = batches.rows_digest(batch)
        if now != approved:
            found.append(
                errors.PlanDamaged(now=now[:12], approved=approved[:12] or "–", way=errors.WAYS_FROM_DAMAGE[batch.state])
            )
    if batch.state in ENDED:
        there = batches.posted(batch) if posted is None else posted
        found += [
            errors.RecountDiffers(book=book, what=what, planned=planned, found=has)
            for book, what, planned, has in batches.differences(batch.totals, there)
        ]
    return found


def _shut(batch: Batch, *, asks_records: bool) -> Sequence[LedgerError]:
    """Return why the batch's state, what its plan rests on, or a reversal that is under way, allows no run."""
    if batch.state not in RUN_IN and batch.state not in ENDED:
        needed = ", ".join(str(BATCH.states[state]) for state in RUN_IN)
        return [WrongState(action=BATCH.transition("apply").label, needed=needed, state=BATCH.states[batch.state])]
    if batch.state == Batch.State.APPROVED:
        return plan_moved(batch.pk, batches.moved(batch, asks_records=asks_records), is_reversal=batch.reverses_id is not None)
    if batch.state == Batch.State.APPLYING:
        open_reversal = batches.open_reversal(batch)
        if open_reversal is not None:
            return [errors.ReversalOpen(reversal=open_reversal)]
    return []


def _verdict(batch: Batch, *, is_shut: bool, free: int, leased: int) -> Verdict:
    if batch.state not in RUN_IN and batch.state not in ENDED:
        return Verdict.NOTHING
    if is_shut:
        return Verdict.CANNOT_RUN
    if batch.is_paused:
        return Verdict.PAUSED
    if batch.state in ENDED:
        return Verdict.DONE
    return Verdict.WORKED_ON if leased and not free else Verdict.WOULD_RUN


class _Counts(NamedTuple):
    """How many chunks there are of each kind."""

    done: int
    free: int
    stopped: int
    leased: int


def _sentence(batch: Batch, verdict: Verdict, counts: _Counts) -> str:
    skipped = ngettext(
        "{count} chunk is applied and would be skipped", "{count} chunks are applied and would be skipped", counts.done
    ).format(count=f"{counts.done:,}")
    if verdict is Verdict.DONE:
        return _("{skipped}; nothing would be posted.").format(skipped=skipped)
    if verdict is Verdict.NOTHING and batch.state == Batch.State.REVERSED:
        return _("What it changed is undone; nothing would run.")
    if verdict in {Verdict.NOTHING, Verdict.CANNOT_RUN}:
        return _("Nothing would run.") if counts.done else _("Nothing of it is in the ledger, and nothing would run.")
    left = ngettext("{count} would run", "{count} would run", counts.free).format(count=f"{counts.free:,}")
    if not counts.done and batch.state == Batch.State.APPROVED:
        return _("Nothing of it is in the ledger yet; {left}.").format(left=left)
    parts = [left]
    if counts.leased:
        text = ngettext(
            "{count} is being worked on and would be left alone",
            "{count} are being worked on and would be left alone",
            counts.leased,
        )
        parts.append(text.format(count=f"{counts.leased:,}"))
    if counts.stopped:
        text = ngettext(
            "{count} has stopped and would be tried again", "{count} have stopped and would be tried again", counts.stopped
        )
        parts.append(text.format(count=f"{counts.stopped:,}"))
    if verdict is Verdict.PAUSED:
        # What has stopped is tried again too, once somebody resumes.
        then = _(", ").join(parts)
        return _("Nothing runs before somebody resumes it. Then {skipped}, {left}.").format(skipped=skipped, left=then)
    return _("{parts}.").format(parts=_(", ").join([skipped, *parts]))


def _way_out(batch: Batch, counts: _Counts) -> str:
    """Say how the batch ends where nothing mends what has stopped; nothing where nothing has."""
    if batch.state != Batch.State.APPLYING or not counts.stopped:
        return ""
    if counts.done:
        return _("If nothing mends what has stopped: pause the batch, then reverse it, or end it with what is applied.")
    return _("If nothing mends what has stopped: withdraw the batch.")
