"""keep_webhook NAME: keeps an address that events are sent to."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors import webhooks
from config.doors.commands import base as commands
from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Webhook
from ledger_app.programs.operations import webhooks as operations
from ledger_app.programs.operations.webhooks import Given
from ledger_app.programs.rules import OVERLAP_HOURS


class Command(commands.Command):
    """Keeps a webhook."""

    help = (
        "Add a webhook or change it; give it another secret; have events sent again. A secret is printed once, when it is made."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--url", metavar="URL", help="where events are sent to; as it is where it is not given")
        parser.add_argument(
            "--kind", action="append", metavar="K", help="posting.posted, batch …; may be given several times; all if absent"
        )
        parser.add_argument("--out-of-use", action="store_true", help="nothing is sent any more")
        parser.add_argument("--rotate", action="store_true", help="make another secret, and change nothing else")
        parser.add_argument(
            "--overlap-hours",
            type=commands.whole,
            default=OVERLAP_HOURS,
            metavar="N",
            help="signed under the old secret, too, so long",
        )
        parser.add_argument(
            "--replay-after",
            type=commands.whole,
            metavar="NUMBER",
            help="send the events that follow a number, and change nothing else",
        )
        parser.add_argument("--user", metavar="U", help="who keeps it; the system where it is not given")

    def run(self, **options: Any) -> commands.Outcome:
        """Keep it, unless it is so."""
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        row = Webhook.objects.filter(name=options["name"]).first()
        if options["rotate"] or options["replay_after"] is not None:
            if row is None:
                raise errors.Refused([errors.NotFound(what=_("webhook"), name=options["name"])])
            return _moved(row, caller, options)
        url = options["url"] or (row.url if row else None)
        if url is None:
            raise CommandError(_("A new webhook needs --url."), returncode=commands.USAGE)
        kinds = options["kind"] if options["kind"] is not None else row.kinds if row else []
        given = Given(options["name"], url, kinds, not options["out_of_use"])
        kept, changed = operations.keep(given=given, caller=caller, **webhooks.rules_here())
        return _told(kept, changed=changed, is_shown=row is None and changed)


def _moved(row: Webhook, caller: Caller, options: dict[str, Any]) -> commands.Outcome:
    said: dict[str, Any] = {"webhook_id": row.pk, "version": row.version, "caller": caller}
    if options["rotate"]:
        return _told(operations.rotate(overlap_hours=options["overlap_hours"], **said), changed=True, is_shown=True)
    return _told(operations.replay(after=options["replay_after"], **said), changed=True, is_shown=False)


def _told(row: Webhook, *, changed: bool, is_shown: bool) -> commands.Outcome:
    secret = webhooks.secret_of(row) if is_shown else None
    data = {
        "webhook": row.name,
        "url": row.url,
        "kinds": row.kinds,
        "is_active": row.is_active,
        "cursor": row.cursor,
        "version": row.version,
        "changed": changed,
        "secret": secret,
    }
    lines = [f"webhook {row.name}: {'kept' if changed else 'was so already'}"]
    return commands.Outcome(data, tuple(lines + ([f"secret, shown this once: {secret}"] if secret else [])))
