"""propose BOOK ACCOUNT AMOUNT …: proposes an adjustment, which another person decides."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import attachment_files, scanning
from config.doors.commands import base as commands
from config.doors.commands import given_files
from ledger_app.adjustments.operations import adjustments, attachments
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import Proposal, read_amount
from ledger_app.adjustments.rules.attachments import StoredFile
from ledger_app.base.operations.audit import Caller
from ledger_app.books.queries import books
from ledger_app.values import instants


class Command(commands.Command):
    """Proposes an adjustment."""

    help = "Propose an adjustment of a balance: shown, or sent to be decided by another person."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("book", metavar="BOOK")
        parser.add_argument("account", metavar="ACCOUNT", help="the account's code")
        parser.add_argument(
            "amount", metavar="AMOUNT", help="minor units in the account's natural direction; below zero after --"
        )
        parser.add_argument("--user", required=True, metavar="U", help="who proposes")
        parser.add_argument("--key", required=True, metavar="K", help="your own name for it: under the same key it is made once")
        parser.add_argument("--reason", required=True, metavar="CODE", help="a reason code")
        parser.add_argument("--text", required=True, metavar="T", help="why, in a sentence")
        parser.add_argument("--ticket", default="", metavar="N")
        parser.add_argument("--date", type=commands.iso_date, metavar="D", help="the entry's date; today where it is not given")
        parser.add_argument(
            "--waives-floor", action="store_true", help="let the floor be broken, where the reason code allows it"
        )
        parser.add_argument("--attach", action="append", default=[], metavar="PATH", help="a file; may be given several times")
        parser.add_argument("--preview", action="store_true", help="say what it would do, and send nothing")

    def run(self, **options: Any) -> commands.Outcome:
        """Show it, or send it, unless it was sent before."""
        caller = commands.caller(options["user"])
        amount = read_amount(options["amount"])
        book = books.find(options["book"])
        said = Proposal(
            key=options["key"],
            book=book.code,
            account=options["account"],
            amount=amount,
            effective_on=options["date"] or caller.at.astimezone(ZoneInfo(book.time_zone)).date(),
            reason=options["reason"],
            text=options["text"],
            ticket=options["ticket"],
            waives_floor=options["waives_floor"],
            attachments=_taken_in(options["attach"], caller),
        )
        if options["preview"]:
            return _told(queries.preview_of_proposal(said))
        attachments.check_kept(said.attachments, directory=attachment_files.directory(), count_most=settings.KAKUTEI_ATTACHMENTS)
        expires_at = caller.at + timedelta(days=settings.KAKUTEI_PROPOSAL_DAYS)
        row = adjustments.propose(proposal=said, caller=caller, expires_at=expires_at)
        data = {
            "adjustment": row.pk,
            "state": row.state,
            "version": row.version,
            "amount": row.amount,
            "shown": queries.preview(queries.terms_of(row)).digest if row.state in {"proposed", "endorsed"} else "",
            "expires_at": row.expires_at,
        }
        until = f"; to be decided until {instants.text(row.expires_at)}" if data["shown"] else ""
        return commands.Outcome(data, (f"adjustment {row} is {row.state}{until}",))


def _told(now: Any) -> commands.Outcome:
    """Say what a proposal would do; status 1 where a rule would refuse it."""
    balances = [
        {"account": each.account, "before": each.before, "after": each.after}
        for each in (now.shown.balances if now.shown else ())
    ]
    lots = now.shown.lots if now.shown else ()
    refused = [reason.as_dict() for reason in now.refusals]
    status = commands.REFUSED if refused else commands.DONE
    data = {
        "preview": now.digest,
        "balances": balances,
        "lots": [asdict(lot) for lot in lots],
        "refused": refused,
        "status": status,
    }
    lines = tuple(f"{each['account']}: {each['before']} → {each['after']}" for each in balances) + tuple(map(str, lots))
    return commands.Outcome(data, lines, status, tuple(str(reason) for reason in now.refusals))


def _taken_in(paths: list[str], caller: Caller) -> tuple[StoredFile, ...]:
    kept = []
    for path in map(Path, paths):
        try:
            with given_files.reading(path) as stream:
                kept.append(
                    attachments.take_in(
                        stream=stream,
                        name=path.name,
                        directory=attachment_files.directory(),
                        bytes_most=settings.KAKUTEI_ATTACHMENT_BYTES,
                        scan=scanning.scanner(),
                        caller=caller,
                    )
                )
        except OSError as error:
            raise commands.path_unusable(path, error) from error
    return tuple(kept)
