"""findings BATCH [--format csv]: what validation saw, for the sender of the file."""

from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ingestion_app.management import numbered
from ingestion_app.validating.queries import finding_lines


class Command(commands.Command):
    """Prints the findings of a batch."""

    help = (
        "Print what validation saw in a file, for its sender: where, the original bytes, the code, and what would make it pass."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--format", choices=("csv", "json"), default="csv")

    def run(self, **options: Any) -> commands.Report:
        """Print them as they are read."""
        batch = numbered.batch(options["batch"])
        as_object = finding_lines.json_lines(batch)
        if options["format"] == "json":
            return commands.Report(as_object, as_object)
        return commands.Report(as_object, finding_lines.csv_lines(batch))
