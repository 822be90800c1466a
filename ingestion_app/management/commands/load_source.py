"""load_source FILE.toml: loads the newest version of a source."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import given_files
from ingestion_app.sources import operations as sources

DEFINITION_BYTES = 1_000_000


class Command(commands.Command):
    """Loads a source's definition."""

    help = (
        "Load a source's definition as its newest version. A definition with faults changes nothing; each fault names its line."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("path", type=Path, metavar="FILE.toml")
        parser.add_argument("--user", metavar="U", help="who loads; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Load it, unless it is the newest version already."""
        try:
            text = given_files.read_text(options["path"], most=DEFINITION_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            raise commands.path_unusable(options["path"], error) from error
        version, is_new = sources.load(text=text, caller=commands.caller(options["user"]))
        data = {"source": version.source.code, "version": version.number, "new": is_new, "digest": bytes(version.digest).hex()}
        return commands.Outcome(data, (f"{version} {'loaded' if is_new else 'is the newest version already'}",))
