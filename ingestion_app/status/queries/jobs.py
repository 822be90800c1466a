"""How the steps stand that somebody asked for: waiting, at work, or ended, and how.

A job is what a step's attempts from a number on have come to, until a person starts the step again. Nothing is kept of it besides: what is true
stands in the attempts, whatever became of the queue.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.models import Attempt, Batch, ValidationRequest
from ingestion_app.status.queries import progress, waking
from ledger_app.errors import NotFound, Refused

Outcome = Attempt.Outcome
VALIDATE, APPLY = Attempt.Step.VALIDATE, Attempt.Step.APPLY
WAITING: Final = "waiting"
# States of a batch in which nothing of it is left to be applied.
APPLIED: Final = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})


class Job(NamedTuple):
    """A step that was asked for, and what it has come to."""

    state: str
    tries: int
    reasons: Sequence[Any]
    started_at: datetime | None
    ended_at: datetime | None
    done_records: int


def next_number(batch_id: int, step: str) -> int:
    """Return the number of the attempt that comes next."""
    last = Attempt.objects.filter(batch=batch_id, step=step).order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def find(batch: Batch, step: str, number: int, *, at: datetime) -> Job:
    """Return what has come of a step since its attempt ``number`` was to be made.

    :raises Refused: not_found, where no such attempt was made, and it is not the next
    """
    since = list(Attempt.objects.filter(batch=batch, step=step, number__gte=number).order_by("number"))
    if not since:
        if number != next_number(batch.pk, step):
            raise Refused([NotFound(what=_("job"), name=f"{step} {number}")])
        return _not_begun(batch, step)
    own = [each for each in since if each.batch_version == since[0].batch_version]
    last = own[-1]
    state = _state(batch, last, len(own), at)
    ended_at = None if state in {WAITING, Outcome.RUNNING} else last.ended_at
    return Job(state, len(own), last.reasons, own[0].started_at, ended_at, last.done_records)


def waits_for_person(batch: Batch, *, at: datetime) -> bool:
    """Whether the step that a batch is in has ended without its end, and nothing but a person starts it again."""
    step = {Batch.State.APPLYING: APPLY, Batch.State.RECEIVED: VALIDATE}.get(Batch.State(batch.state))
    last = Attempt.objects.filter(batch=batch, step=step).order_by("-number").first() if step else None
    if last is None:
        return False
    # Made with one version of the batch; more than these are made by a person alone.
    tries = Attempt.objects.filter(batch=batch, step=step, batch_version=last.batch_version)[: waking.TRIES_MOST].count()
    return _state(batch, last, tries, at) in {Outcome.REFUSED, Outcome.FAILED}


def _not_begun(batch: Batch, step: str) -> Job:
    """Return a job that nobody has begun: it waits, or will never be."""
    reasons: Sequence[Any] = ()
    if step == VALIDATE:
        state = WAITING if ValidationRequest.objects.filter(batch=batch).exists() else Outcome.REFUSED
    elif batch.state == Batch.State.APPLYING:
        state = Outcome.PAUSED if batch.is_paused else WAITING
    else:
        state = Outcome.DONE if batch.state in APPLIED else Outcome.REFUSED
    if state == Outcome.REFUSED:
        reasons = [errors.JobNotBegun(batch=batch.pk, state=batch.get_state_display()).as_dict()]
    return Job(str(state), 0, reasons, None, None, 0)


def _state(batch: Batch, last: Attempt, tries: int, at: datetime) -> str:
    if last.outcome == Outcome.RUNNING:
        return WAITING if progress.is_silent(last, at) else str(Outcome.RUNNING)
    is_tried_again = last.outcome == Outcome.FAILED and tries < waking.TRIES_MOST and waking.may_go_on(last)
    if last.step == VALIDATE:
        is_wanted = ValidationRequest.objects.filter(batch=batch, batch_version=batch.version).exists()
    else:
        is_wanted = batch.state == Batch.State.APPLYING and not batch.is_paused
    return WAITING if is_tried_again and is_wanted else str(last.outcome)
