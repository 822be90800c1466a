"""Freezes outside the request: what is asked for is refused at once where that can be told, else left to a worker, which says how it ended."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ledger_app import errors, locks
from ledger_app.base.operations import transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.rules.periods import PERIOD, PeriodFacts
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing
from ledger_app.errors import closing as closing_errors
from ledger_app.errors.stored import stored
from ledger_app.models import FreezeAttempt, Period, Seal

State = FreezeAttempt.State
TRIES_MOST = 3  # attempts for one asking, before it is left to people


def ask(
    *, period_id: int, controls: Mapping[str, int], caller: Caller, reason: str = "", version: int | None = None
) -> FreezeAttempt:
    """Ask for a freeze and return its attempt, for ``carry_out``. One total at least is an amount, and no mere count.

    An attempt that is under way is superseded: its worker may be gone, and where it is not, it sees so and stops.

    :raises errors.Refused: with every reason that can be told without reading the period's entries; a refused attempt has its audit row
    """

    def leave_word(row: Period, _facts: PeriodFacts) -> FreezeAttempt:
        FreezeAttempt.objects.filter(period=row, state__in=FreezeAttempt.UNDER_WAY).update(
            state=State.SUPERSEDED, ended_at=caller.at
        )
        return FreezeAttempt.objects.create(
            period=row,
            controls=dict(controls),
            reason=reason.strip(),
            shown_version=version,
            asked_by=caller.user,
            asked_at=caller.at,
        )

    return transitions.ask(
        transitions.Request(
            machine=PERIOD,
            name="freeze",
            model=Period,
            pk=period_id,
            caller=caller,
            facts=lambda row: closing.facts(
                row, user=caller.user, at=caller.at, controls=dict(controls), proofs=False, amount_required=True
            ),
            reason=reason,
            version=version,
        ),
        then=leave_word,
    )


def carry_out(*, attempt_id: int, caller: Caller, code_version: str, now: Callable[[], datetime]) -> Seal | None:
    """Freeze the period of an attempt that waits, and return its seal; None where it does not wait any more: another took it, or it is over.

    However it ends, the attempt says so.

    :raises errors.LedgerError: as ``periods.freeze``; freeze_superseded where the freeze was asked for again meanwhile
    """
    if not _set(attempt_id, State.WAITING, state=State.RUNNING, started_at=now(), seen_at=now()):
        return None
    attempt = FreezeAttempt.objects.select_related("period").get(pk=attempt_id)
    with _ending(attempt, now):
        return periods.freeze(
            period_id=attempt.period_id,
            controls=attempt.controls,
            caller=caller,
            code_version=code_version,
            reason=attempt.reason,
            version=attempt.shown_version,
            amount_required=True,
            on_progress=partial(_tell, attempt, now),
            is_wanted=partial(_check_wanted, attempt),
        )


def beat(*, attempt_id: int, at: datetime) -> None:
    """Give a sign of life for an attempt that is under way."""
    _set(attempt_id, State.RUNNING, seen_at=at)


def take_up_abandoned(*, at: datetime, silent_after: timedelta) -> list[FreezeAttempt]:
    """End the attempts whose last sign of life is older than ``silent_after``, and return those that are begun anew in their place.

    Each is for whoever asked, with what was asked. After ``TRIES_MOST`` for the same asking none is begun: a person freezes again. Whoever is not gone, and was only
    silent, finds its attempt ended and seals nothing. All instants are by the database's clock.
    """
    silent = FreezeAttempt.objects.filter(state=State.RUNNING, seen_at__lt=at - silent_after).order_by("id")
    begun = [transactions.run(partial(_begun_anew, attempt, at)) for attempt in silent]
    return [attempt for attempt in begun if attempt is not None]


def _begun_anew(silent: FreezeAttempt, at: datetime) -> FreezeAttempt | None:
    # A process that seals has locked the period's row: what is read under that lock is final.
    period = locks.own_row(Period, silent.period_id)
    if period.state == Period.State.FROZEN:
        # An attempt that is under way is the last that was asked for: the seal is its own, and only that was not said any more.
        ended: dict[str, Any] = {"state": State.SEALED}
    else:
        ended = {"state": State.FAILED, "reasons": [stored(closing_errors.FreezeAbandoned(period=period))]}
    rows = FreezeAttempt.objects.filter(pk=silent.pk, state=State.RUNNING, seen_at=silent.seen_at)
    if not rows.update(ended_at=at, **ended) or period.state == Period.State.FROZEN:
        return None  # it has given a sign, or has ended
    asked = {"period": period, "asked_by": silent.asked_by, "asked_at": silent.asked_at}
    if FreezeAttempt.objects.filter(**asked).count() >= TRIES_MOST:
        return None
    return FreezeAttempt.objects.create(
        **asked, controls=silent.controls, reason=silent.reason, shown_version=silent.shown_version
    )


def waiting() -> list[FreezeAttempt]:
    """Return the attempts that nobody has begun."""
    return list(FreezeAttempt.objects.filter(state=State.WAITING).order_by("id"))


def _tell(attempt: FreezeAttempt, now: Callable[[], datetime], count: int) -> None:
    """Give a sign of life, with how far the proof has come."""
    if not _set(attempt.pk, State.RUNNING, seen_at=now(), proved_count=count):
        raise errors.Refused([closing_errors.FreezeSuperseded(period=attempt.period)])


def _check_wanted(attempt: FreezeAttempt) -> None:
    # Under the period's lock, which whoever asks again takes too: a short proof gives no sign of life by which it would be seen before.
    if not FreezeAttempt.objects.filter(pk=attempt.pk, state=State.RUNNING).exists():
        raise errors.Refused([closing_errors.FreezeSuperseded(period=attempt.period)])


@contextmanager
def _ending(attempt: FreezeAttempt, now: Callable[[], datetime]) -> Iterator[None]:
    """Write how an attempt ended, on every way out."""
    state, reasons = State.FAILED, [{"code": "fault", "sentence": ""}]
    try:
        yield
        state, reasons = State.SEALED, []
    except errors.LedgerError as error:
        state = State.REFUSED if isinstance(error, errors.Refused) else State.FAILED
        reasons = [stored(reason) for reason in (error.reasons if isinstance(error, errors.Refused) else (error,))]
        raise
    except BaseException as surprise:
        reasons = [{"code": "fault", "sentence": type(surprise).__name__}]
        raise
    finally:
        _set(attempt.pk, State.RUNNING, state=state, ended_at=now(), reasons=reasons)


def _set(attempt_id: int, was: str, **columns: Any) -> bool:
    """Set columns of an attempt that is still in the state ``was``; return whether it was."""
    rows = FreezeAttempt.objects.filter(pk=attempt_id, state=was)
    return transactions.run(lambda: rows.update(**columns)) == 1
