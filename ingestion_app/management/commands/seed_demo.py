"""seed_demo: books, periods, members, accounts, users and the source of the demonstration."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app.demo import seeding


class Command(commands.Command):
    """Seeds the demonstration."""

    help = "Set up the demonstration: books CARD and POINTS, their periods, members, accounts, users, reason codes and limits of adjustments, and the source card-usage."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--months", type=commands.positive, default=1, metavar="N", help="how many months of 2017 get periods"
        )

    def run(self, **options: Any) -> commands.Outcome:
        """Seed; what is there already is left as it is."""
        seeding.refuse_in(settings.ENVIRONMENT)
        seeded = seeding.seed(months=options["months"], caller=commands.caller(None))
        return commands.Outcome(
            seeded, (f"new: {', '.join(counted(seeded[f'{what}s'], what) for what in ('member', 'account', 'period'))}",)
        )
