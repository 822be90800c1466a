"""draw_states: draws the state machines into docs/."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation

from config.doors.commands import base as commands
from ingestion_app.states import BATCH
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT
from ledger_app.base.rules.transitions import draw
from ledger_app.books.rules.accounts import ACCOUNT
from ledger_app.books.rules.periods import PERIOD
from ledger_app.erasures.rules import ERASURE
from ledger_app.members.rules.merges import MERGE
from ledger_app.posting.rules.holds import HOLD
from ledger_app.reversals.rules import REVERSAL
from ledger_app.setting_changes.rules import CHANGE


class Command(commands.Command):
    """Draws every table of states."""

    help = "Draw the states of all that has states into docs/states-*.md."

    def run(self, **_options: Any) -> commands.Outcome:
        """Write the drawings."""
        paths = []
        for name, drawing in drawings().items():
            path = Path(settings.BASE_DIR) / "docs" / name
            path.write_text(drawing, encoding="utf-8")
            paths.append(str(path.relative_to(settings.BASE_DIR)))
        return commands.Outcome({"written": paths}, tuple(paths))


def drawings() -> dict[str, str]:
    """Return the drawings by file name, in English."""
    with translation.override("en"):
        machines = (ACCOUNT, ADJUSTMENT, BATCH, ERASURE, HOLD, MERGE, PERIOD, REVERSAL, CHANGE)
        return {f"states-{machine.subject}.md": draw(machine) for machine in machines}
