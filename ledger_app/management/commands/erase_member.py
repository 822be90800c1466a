"""erase_member propose|decide: asks that a member's personal data be erased, and decides such requests."""

from argparse import SUPPRESS
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app.base.operations import filing
from ledger_app.base.operations.audit import Caller
from ledger_app.erasures import queries
from ledger_app.erasures.operations import erasures
from ledger_app.erasures.rules import ERASURE
from ledger_app.models import Erasure

DONE_ALREADY = {"approve": Erasure.State.DONE, "reject": Erasure.State.REJECTED, "withdraw": Erasure.State.WITHDRAWN}


class Command(commands.Command):
    """Asks for erasures and decides them."""

    help = (
        "Ask that what tells who a member is be erased, under the member's own request; another person decides. Entries and balances carry no "
        "name and stay. Members go by the numbers that find_member prints."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare what can be done, and the arguments of each."""
        kinds = parser.add_subparsers(dest="act", required=True, metavar="propose|decide")
        propose = kinds.add_parser("propose", help="ask for an erasure")
        propose.add_argument("member", type=commands.positive, metavar="MEMBER")
        propose.add_argument("--ticket", required=True, metavar="T", help="of the member's request")
        decide = kinds.add_parser("decide", help="decide what is asked for")
        decide.add_argument("erasure", type=commands.positive, metavar="ERASURE")
        decide.add_argument("decision", choices=sorted(DONE_ALREADY), metavar="DECISION", help="approve, reject or withdraw")
        for each in (propose, decide):
            each.add_argument("--user", required=True, metavar="U", help="who asks or decides")
            each.add_argument("--reason", default="", metavar="T", help="needed to ask and to reject; without the name")
            commands.add_json(each, default=SUPPRESS)  # what stands before the name of the part holds too

    def run(self, **options: Any) -> commands.Outcome:
        """Ask or decide."""
        if options["act"] == "propose":
            given = {"holder_id": options["member"], "reason": options["reason"], "ticket": options["ticket"]}
            row, _is_new = erasures.propose(**given, caller=commands.caller(options["user"]))
        else:
            row = self._decided(options, commands.caller(options["user"], deciding=True))
        data = {"erasure": row.pk, "member": row.holder_id, "state": row.state, "version": row.version}
        data["digest"] = bytes(row.digest).hex() if row.digest else None
        return commands.Outcome(data, (f"erasure {row.pk} of member {row.holder_id} is {row.state}",))

    def _decided(self, options: dict[str, Any], caller: Caller) -> Erasure:
        """Decide, unless this user has done so; what a kill left of the bytes goes all the same."""
        directory = Path(settings.KAKUTEI_FILES_DIR) / "attachments"
        row, name = queries.find(options["erasure"]), options["decision"]
        given: dict[str, Any] = {"erasure_id": row.pk, "caller": caller, "version": row.version}

        def act() -> Erasure:
            if name == "approve":
                return erasures.approve(**given, note=options["reason"], directory=directory)
            return erasures.end(**given, name=name, reason=options["reason"])

        row = repeating.once(
            repeating.decision(ERASURE, name, row.pk, caller, given={"--reason": options["reason"]}),
            standing=Erasure.objects.filter(pk=row.pk, state=DONE_ALREADY[name]).first,
            act=act,
        )
        if name == "approve":
            erasures.remove_bytes(directory=directory, before=caller.at - filing.YOUNG)
        return row
