"""prune_keys: forgets the keys of requests that are so old that what they asked for cannot be posted again."""

from typing import Any

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.programs.operations import idempotency


class Command(commands.Command):
    """Forgets old keys of requests."""

    help = "Forget the Idempotency-Keys, and the answers kept with them, that were sent before every period that still accepts entries."

    def run(self, **_options: Any) -> commands.Outcome:
        """Forget them."""
        forgotten = idempotency.prune()
        return commands.Outcome({"forgotten": forgotten}, (f"{counted(forgotten, 'key')} forgotten",))
