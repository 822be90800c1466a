"""What the ledger has done outside the request. The queue only wakes: what is to be done, and how it ended, is in the database."""

from typing import Any

from django.conf import settings
from django_tasks import task

from config import doorways
from ledger_app.errors import LedgerError
from ledger_app.models import User
from ledger_app.operations import freezing


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
