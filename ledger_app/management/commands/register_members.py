"""register_members FILE: registers members, with the accounts that the books' templates say."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.members.operations import registering


class Command(commands.Command):
    """Registers members."""

    help = "Register the members of a CSV or of JSON Lines, however many. The whole file is checked first; with findings nobody is registered."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("path", type=Path, metavar="FILE")
        parser.add_argument("--user", metavar="U", help="who registers; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Register those who are not there."""
        caller = commands.caller(options["user"])
        with commands.plain_file(options["path"]) as stream, commands.Progress() as progress:
            receipt = registering.register(stream=stream, name=options["path"].name, caller=caller, on_progress=progress.phase)
        data = {
            "file": receipt.name,
            "sha256": receipt.sha256,
            **receipt.counts(),
            "findings": [finding.as_dict() for finding in receipt.findings],
        }
        line = (
            f"{counted(receipt.new, 'member')} new, {receipt.there:,} there, {counted(receipt.repeated, 'line')} repeated, "
            f"{counted(receipt.accounts, 'account')} opened"
        )
        if not receipt.finding_count:
            return commands.Outcome(data, (line,))
        told = [commands.finding_text(each) for each in receipt.findings]
        if receipt.finding_count > len(told):
            told.append(f"and {receipt.finding_count - len(told)} more")
        return commands.Outcome(data, (), commands.INVALID, tuple(told))
