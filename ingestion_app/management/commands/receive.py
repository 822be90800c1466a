"""receive PATH --source S: takes a file in."""

import re
from argparse import ArgumentTypeError
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import scanning
from config.doors.commands import base as commands
from config.doors.commands import given_files
from ingestion_app.models import Receipt
from ingestion_app.receiving.operations import receiving
from ingestion_app.receiving.operations.arriving import Expected


class Command(commands.Command):
    """Stores the bytes of a file, hashes and registers them, and nothing else."""

    help = "Take a file in: store its bytes, hash, register. The same bytes again give a receipt that points to the first."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_arguments(parser)
        parser.add_argument("--user", metavar="U", help="who receives; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Receive the file."""
        receipt = receive(options)
        return commands.Outcome(describe(receipt), (line(receipt),))


def add_arguments(parser: CommandParser) -> None:
    """Declare what an arrival is made of."""
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--source", required=True, metavar="S", help="the code of the source")
    parser.add_argument("--business-date", type=commands.iso_date, metavar="D", help="YYYY-MM-DD, where the name does not say it")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="the SHA-256 that the sender says; other bytes are refused")
    parser.add_argument(
        "--bytes", type=commands.whole, metavar="N", help="how many bytes the sender says; another number is refused"
    )
    parser.add_argument("--sequence", type=commands.positive, metavar="N")


def _sha256(text: str) -> str:
    """Return a SHA-256 in hexadecimal, as it is compared."""
    if re.fullmatch("[0-9A-Fa-f]{64}", text) is None:
        raise ArgumentTypeError(f"“{text}” is no SHA-256 of 64 hexadecimal digits")
    return text.lower()


def receive(options: dict[str, Any]) -> Receipt:
    """Receive the file that the options name."""
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(given_files.reading(options["path"]))
        except OSError as error:
            raise commands.path_unusable(options["path"], error) from error
        return receiving.receive(
            stream=stream,
            name=options["path"].name,
            source_code=options["source"],
            directory=Path(settings.KAKUTEI_FILES_DIR),
            caller=commands.caller(options.get("user")),
            business_date=options["business_date"],
            sequence=options["sequence"],
            scan=scanning.scanner(),
            expected=Expected(options["sha256"], options["bytes"]),
        )


def describe(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt for --json. ``batch`` is that of the first receipt where this one is a duplicate."""
    first = receipt.first or receipt
    return {
        "receipt": receipt.pk,
        "outcome": receipt.outcome,
        "batch": first.batch.pk,
        "state": first.batch.state,
        "source": receipt.source.code,
        "business_date": receipt.business_date,
        "sequence": receipt.sequence,
        "sha256": str(receipt.file),
        "bytes": receipt.file.size,
    }


def line(receipt: Receipt) -> str:
    """Say what became of the arrival, in one line."""
    first = receipt.first or receipt
    said = "received" if receipt.first is None else f"the same bytes as receipt {first.pk}"
    return f"receipt {receipt.pk}: {said}; batch {first.batch.pk} ({first.batch}) is {first.batch.state}"
