"""member_data MEMBER --user U --ticket T: writes out all that is kept of a member, as one JSON object."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ledger_app.erasures.operations import disclosures
from ledger_app.reports import member_data
from ledger_app.reports.files import replacing


class Command(commands.Command):
    """Answers a request for access."""

    help = "Write all that is kept of a member, and of who was merged into it, as one JSON object; an audit row says that it was handed out."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("member", type=commands.positive, metavar="MEMBER", help="the number that find_member prints")
        parser.add_argument("--user", required=True, metavar="U", help="who answers the member")
        parser.add_argument("--ticket", required=True, metavar="T", help="of the member's request")
        parser.add_argument("--output", type=Path, metavar="FILE")

    def run(self, **options: Any) -> commands.Outcome | commands.Report:
        """Print it as it is read, or write it to a file that is whole or not there."""
        caller = commands.caller(options["user"])
        holder = disclosures.disclose(holder_id=options["member"], ticket=options["ticket"], caller=caller)
        path: Path | None = options["output"]
        if path is None:
            return commands.Report(member_data.lines(holder.pk, at=caller.at), member_data.lines(holder.pk, at=caller.at))
        try:
            with replacing(path) as file:
                file.writelines(f"{line}\n" for line in member_data.lines(holder.pk, at=caller.at))
        except OSError as error:
            raise commands.path_unusable(path, error) from error
        size = path.stat().st_size
        data = {"member": holder.pk, "path": str(path), "bytes": size}
        return commands.Outcome(data, (f"member {holder.pk}: {counted(size, 'byte')} in {path}",))
