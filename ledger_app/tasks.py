"""What the ledger has done outside the request. The queue only wakes: what is to be done, and how it ended, is in the database."""

from typing import Any

from django.conf import settings
from django_tasks import task

from config import doorways, queue
from ledger_app.errors import LedgerError
from ledger_app.models import FreezeAttempt, User
from ledger_app.operations import freezing, transactions


@task()
def freeze_period(*, attempt_id: int, user_id: int) -> dict[str, Any]:
    """Carry out a freeze that a user asked for. A refusal is the answer, not a failure: it stands in the attempt and the audit."""
    caller = doorways.from_command(User.objects.get(pk=user_id), door="task")
    try:
        seal = freezing.carry_out(
            attempt_id=attempt_id, caller=caller, code_version=settings.KAKUTEI_CODE_VERSION, now=doorways.now
        )
    except LedgerError as error:
        return {"attempt": attempt_id, "refused": str(error)}
    return {"attempt": attempt_id, "seal": bytes(seal.digest).hex() if seal else None}


def wake() -> list[int]:
    """Queue the freezes that were asked for, wait, and are not in the queue, for whoever asked for them; return the numbers of their periods.

    :raises TryAgain: when the database was busy or away
    """

    def work() -> list[FreezeAttempt]:
        queued = queue.waiting(freeze_period, "attempt_id")
        return [attempt for attempt in freezing.waiting() if attempt.pk not in queued]

    lost = transactions.run(work)
    for attempt in lost:
        freeze_period.enqueue(attempt_id=attempt.pk, user_id=attempt.asked_by_id)
    return [attempt.period_id for attempt in lost]
