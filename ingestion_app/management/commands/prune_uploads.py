"""prune_uploads [--days N]: removes the bytes of old uploads that never became a batch or a proposal."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app.receiving.operations import pruning

FOLDER = "attachments"


class Command(commands.Command):
    """Removes old uploads."""

    help = "Remove the bytes of uploads that never became a batch or a proposal, once they are old enough by the policy; keep their receipts."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--days", type=commands.positive, metavar="N", help="in place of KAKUTEI_UPLOAD_DAYS")

    def run(self, **options: Any) -> commands.Outcome:
        """Remove them, unless the policy keeps them for ever."""
        days = options["days"] or settings.KAKUTEI_UPLOAD_DAYS
        if not days:
            data = {"days": 0, **asdict(pruning.Pruned())}
            return commands.Outcome(data, ("uploads are kept for ever (KAKUTEI_UPLOAD_DAYS is 0)",))
        directory = Path(settings.KAKUTEI_FILES_DIR)
        before = doorways.now() - timedelta(days=days)
        done = pruning.prune(directory=directory, attachments=directory / FOLDER, before=before, caller=commands.caller(None))
        told = (
            f"removed {counted(done.files, 'file')} without a batch, {done.unknown:,} without a row, "
            f"{counted(done.attachments, 'attachment')} of no proposal"
        )
        return commands.Outcome({"days": days, **asdict(done)}, (f"{told}: {counted(done.bytes, 'byte')}",))
