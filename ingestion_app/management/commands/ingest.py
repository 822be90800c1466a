"""ingest PATH --source S: receive and validate; with --user also approve and apply."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from ingestion_app.management.commands import apply, approve, receive, validate
from ingestion_app.models import Batch


class Command(commands.Command):
    """Takes a file all the way that one command may take it."""

    help = "Receive and validate a file; with --user U, who approves it, also approve and apply."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        receive.add_arguments(parser)
        parser.add_argument("--user", metavar="U", help="who approves; receiving, validating and applying are the system's")
        parser.add_argument("--workers", type=commands.positive, default=1, metavar="N")

    def run(self, **options: Any) -> commands.Outcome:
        """Go step by step, and stop at the first that does not pass."""
        approver = options.pop("user")
        receipt = receive.receive(options)
        data = receive.describe(receipt)
        batch = Batch.objects.get(pk=data["batch"])
        steps: list[Callable[[], commands.Outcome]] = [
            lambda: validate.validate(batch, commands.caller(None), options["workers"])
        ]
        if approver:
            steps += [
                lambda: approve.approve(Batch.objects.get(pk=batch.pk), approver),
                lambda: apply.apply(batch, commands.caller(None), options["workers"]),
            ]
        lines = [receive.line(receipt)]
        for step in steps:
            outcome = step()
            data.update(outcome.data)
            lines += outcome.lines
            if outcome.status:
                return commands.Outcome(data, tuple(lines), outcome.status, outcome.complaints)
        return commands.Outcome(data, tuple(lines))
