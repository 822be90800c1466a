"""end_holds: ends the holds whose time is over."""

from typing import Any

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.points.operations import holds


class Command(commands.Command):
    """Ends holds."""

    help = "End the holds whose time is over, so that what they held can be spent. Whoever posts to such an account does so too."

    def run(self, **_options: Any) -> commands.Outcome:
        """End them."""
        ended = holds.sweep(caller=commands.caller(None))
        return commands.Outcome({"ended": ended}, (f"{counted(ended, 'hold')} ended",))
