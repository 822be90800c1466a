"""prune: removes what is past its time, by the policy of the settings; run by a timer."""

from dataclasses import asdict
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command

from config.doors import callers as doorways
from config.doors.commands import base as commands
from ingestion_app.receiving.operations import pruning
from ledger_app.base.operations import filing
from ledger_app.erasures.operations import erasures
from ledger_app.people.operations import lockouts
from ledger_app.programs.operations import idempotency

FOLDER = "attachments"


class Command(commands.Command):
    """Removes what is past its time."""

    help = "Remove what is past its time: ended sessions, finished tasks, failed tries to sign in, keys of old requests, old uploads, erased bytes."

    def run(self, **_options: Any) -> commands.Outcome:
        """Remove each kind; what another process removes beside this is nobody's loss."""
        now, directory = doorways.now(), Path(settings.KAKUTEI_FILES_DIR)
        data: dict[str, Any] = {"sessions": _sessions(), "tasks": _tasks()}
        data["tries"] = lockouts.forget(now - timedelta(days=settings.KAKUTEI_TRY_DAYS))
        data["keys"] = idempotency.prune()
        data["erased"] = erasures.remove_bytes(directory=directory / FOLDER, before=now - filing.YOUNG)
        done = pruning.Pruned()
        if days := settings.KAKUTEI_UPLOAD_DAYS:
            before = now - timedelta(days=days)
            done = pruning.prune(directory=directory, attachments=directory / FOLDER, before=before, caller=commands.caller(None))
        data["uploads"] = asdict(done)
        lines = tuple(f"{name}: {count}" for name, count in data.items() if name != "uploads")
        kept = "" if days else ", kept for ever (KAKUTEI_UPLOAD_DAYS is 0)"
        return commands.Outcome(data, (*lines, f"uploads: {done.files + done.unknown + done.attachments}{kept}"))


def _sessions() -> int:
    """Remove the sessions that have ended; return how many."""
    before = Session.objects.count()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return max(0, before - Session.objects.count())


def _tasks() -> int:
    """Remove the results of tasks that have ended; return how many."""
    from django_tasks_db.models import DBTaskResult

    before = DBTaskResult.objects.count()
    call_command("prune_db_task_results", min_age_days=settings.KAKUTEI_TASK_DAYS, queue_name="*", verbosity=0)
    return max(0, before - DBTaskResult.objects.count())
