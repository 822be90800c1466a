"""load_profile FILE.toml: says how a book's entries become an accounting program's file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.doors.commands import base as commands
from config.doors.commands import given_files
from ledger_app.accounting.operations import profiles
from ledger_app.accounting.rules.profile_toml import TEXT_BYTES_MOST


class Command(commands.Command):
    """Sets a profile."""

    help = "Set a profile of exports to accounting: its newest version. A definition with faults changes nothing; each fault names its line."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("path", type=Path, metavar="FILE.toml")
        parser.add_argument("--user", metavar="U", help="who sets it; without, only a profile that is not there yet is set")

    def run(self, **options: Any) -> commands.Outcome:
        """Set it, unless it says that already."""
        try:
            text = given_files.read_text(options["path"], most=TEXT_BYTES_MOST)
        except (OSError, UnicodeDecodeError) as error:
            raise commands.path_unusable(options["path"], error) from error
        caller = commands.caller(options["user"], deciding=options["user"] is not None)
        version, _is_new, changed = profiles.load(text=text, caller=caller)
        data = {
            "book": version.profile.book.code,
            "profile": version.profile.name,
            "version": version.number,
            "changed": changed,
            "digest": bytes(version.digest).hex(),
        }
        return commands.Outcome(data, (f"{version}: {'set' if changed else 'was so already'}",))
