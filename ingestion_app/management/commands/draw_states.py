"""draw_states: draws the state machines into docs/."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation

from config import commands
from ingestion_app.states import BATCH
from ledger_app.rules.accounts import ACCOUNT
from ledger_app.rules.merges import MERGE
from ledger_app.rules.periods import PERIOD
from ledger_app.rules.transitions import draw


class Command(commands.Command):
    """Draws the states of batches, periods, accounts and merges."""

    help = "Draw the states of batches, periods, accounts and merges into docs/states-….md."

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
        machines = (BATCH, PERIOD, ACCOUNT, MERGE)
        return {f"states-{machine.subject}.md": draw(machine) for machine in machines}
