"""What every command has in common: --json, exit statuses, who acts, progress on a terminal."""

import json
import os
import re
import stat
import sys
from abc import abstractmethod
from argparse import ArgumentTypeError
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Self

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from tqdm import tqdm

from config.doors import callers as doorways
from config.doors import instants
from ledger_app import errors
from ledger_app.base.operations import filing, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Machine
from ledger_app.errors import card_numbers, members
from ledger_app.errors import files as file_errors
from ledger_app.errors.printable import code_point, escaped, escaped_within, unseen
from ledger_app.errors.shown import VersionNotSaid
from ledger_app.models import User
from ledger_app.values import instants as written

DONE, REFUSED, USAGE, INVALID, AGAIN = 0, 1, 2, 3, 75
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
WORKERS_MOST = 64  # processes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say: one JSON object, the lines for people, and its exit status."""

    data: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    status: int = DONE
    complaints: tuple[str, ...] = field(default=())  # for stderr


@dataclass(frozen=True, slots=True)
class Report:
    """What a report has to say, line by line as it is read, so that whole books pass: the text of one JSON object, or the lines."""

    object_lines: Iterable[str]
    lines: Iterable[str]
    aside: tuple[str, ...] = ()  # for stderr, beside the lines


class QuietParser(CommandParser):
    """Reads arguments, and repeats no card number of a command line that it does not understand."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end."""
        super().error(card_numbers.masked_text(message))
        raise AssertionError("unreachable")


class Command(BaseCommand):
    """A command of Kakutei: subclasses define ``arguments`` and ``run``."""

    requires_migrations_checks = False
    # What to do in the place of giving a card number.
    card_remedy: str | Promise = gettext_lazy("Leave it out: the last four are enough.")

    def arguments(self, parser: CommandParser) -> None:
        """Declare the command's own arguments."""

    @abstractmethod
    def run(self, **options: Any) -> Outcome | Report:
        """Do the work: parse, call one operation, translate the result."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments: the command's own and --json."""
        parser.__class__ = QuietParser
        self.arguments(parser)
        add_json(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run, print, and exit with the status that docs/commands.md gives."""
        as_json = options.pop("json")
        _refuse_unseen(options)
        try:
            self._refuse_cards(options)
            status = self._tell(self.run(**options), as_json=as_json)
        except errors.LedgerError as error:
            status = self._tell(_refusal(error), as_json=as_json)
        except (DatabaseError, InterfaceError) as error:
            told = transactions.as_refusal(error)
            if told is None:
                raise
            status = self._tell(_refusal(told), as_json=as_json)
        except CommandError as error:
            raise CommandError(escaped(card_numbers.masked_text(str(error))), returncode=error.returncode) from error
        except OSError as error:
            if not filing.is_no_room(error):
                raise
            status = self._tell(_refusal(file_errors.DiskFull(cause=error.strerror)), as_json=as_json)
        except UnicodeError as error:
            # Bytes that are no text come as halves of characters, which no database takes; whatever had begun was undone.
            raise CommandError(_("The input is not UTF-8: {error}").format(error=error), returncode=USAGE) from error
        if status != DONE:
            sys.exit(status)

    def _refuse_cards(self, options: Mapping[str, Any]) -> None:
        """Refuse a command line with a card number on it. The name of a file may have one: it is masked where it is kept.

        :raises errors.Refused: card_number_in_address
        """
        given = [each for value in options.values() for each in (value if isinstance(value, list | tuple) else (value,))]
        if any(isinstance(each, str | int) and card_numbers.holds(str(each)) for each in given):
            raise errors.Refused([members.CardNumberInAddress(remedy=self.card_remedy)])

    def _tell(self, said: Outcome | Report, *, as_json: bool) -> int:
        """Print what was said and return the exit status."""
        if isinstance(said, Report):
            try:
                for line in said.object_lines if as_json else map(escaped_within, said.lines):
                    self.stdout.write(line)
                for line in () if as_json else said.aside:
                    self.stderr.write(escaped(line))
            except BrokenPipeError:
                # The reader has read enough, as head does. What is left in the buffer must not raise again at the exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        for line in (
            (json.dumps(dict(said.data), default=written.plain, ensure_ascii=False),) if as_json else map(escaped, said.lines)
        ):
            self.stdout.write(line)
        for complaint in said.complaints:
            self.stderr.write(escaped(complaint))
        return said.status


def _refuse_unseen(options: Mapping[str, Any]) -> None:
    """Refuse what somebody typed that nobody would see. A path names what is there, whatever it is called.

    :raises CommandError: with the option and the character
    """
    for name, given in options.items():
        for text in given if isinstance(given, list | tuple) else (given,):
            if isinstance(text, str) and (found := unseen(text, may_have_lines=True)):
                told = {"name": name, "escaped": code_point(found)}
                raise CommandError(_("{name} holds a character that cannot be seen: {escaped}.").format(**told), returncode=USAGE)


def add_json(parser: CommandParser, **more: Any) -> None:
    """Declare --json: of a command, and with ``default=SUPPRESS`` of each part of one that has parts."""
    help_text = "print one JSON object on standard output and nothing else there"
    parser.add_argument("--json", action="store_true", help=help_text, **more)


def away(error: Exception) -> str:
    """Return why the database could not be asked, where that is what went wrong and passes; an empty string for any other fault."""
    if isinstance(error, errors.TryAgain):
        return str(error.facts.get("cause", error))
    return transactions.passing_cause(error) if isinstance(error, DatabaseError | InterfaceError) else ""


def _refusal(error: errors.LedgerError) -> Outcome:
    reasons = error.reasons if isinstance(error, errors.Refused) else (error,)
    status = AGAIN if isinstance(error, errors.TryAgain) else REFUSED
    data = {"status": status, "refused": [reason.as_dict() for reason in reasons]}
    return Outcome(data, (), status, tuple(str(reason) for reason in reasons))


def caller(user_name: str | None, *, deciding: bool = False) -> Caller:
    """Return who acts: the named user, or the system.

    :raises errors.Refused: not_found; deciding_by_command_off where ``deciding`` and the setting forbids it
    """
    if deciding and not settings.KAKUTEI_DECIDE_BY_COMMAND:
        raise errors.Refused([errors.DecidingByCommandOff()])
    name = user_name or User.SYSTEM
    user = User.objects.named(name).first()
    if user is None or (user_name and not user.is_active):
        raise errors.Refused([errors.NotFound(what=_("active user"), name=name)])
    return doorways.from_command(user)


def add_shown_version(parser: CommandParser) -> None:
    """Declare --shown-version."""
    help_text = "the version that you were shown; needed where others may have acted since, and told then"
    parser.add_argument("--shown-version", type=positive, metavar="N", help=help_text)


def demand_version(machine: Machine, name: str, row: Any, version: int | None) -> int | None:
    """Return the version that was shown.

    :raises errors.Refused: version_not_said, where the state can come back and none was said: a command that is repeated, by a schedule or out of
        the history of a shell, would undo what others did since
    """
    transition = machine.transition(name)
    if version is None and machine.comes_back(transition):
        state = machine.states[row.state]
        raise errors.Refused([VersionNotSaid(action=transition.label, state=state, version=row.version)])
    return version


def path_unusable(path: object, error: OSError | UnicodeError) -> Exception:
    """Return what is to be raised where a path cannot be read or written: a disk without room may have some later."""
    if isinstance(error, OSError) and filing.is_no_room(error):
        return file_errors.DiskFull(cause=error.strerror)
    return CommandError(f"{path}: {getattr(error, 'strerror', None) or error}", returncode=USAGE)


def iso_date(text: str) -> date:
    """Read a date as YYYY-MM-DD, for argparse."""
    try:
        # fromisoformat alone takes 20170131 and weeks (2017-W05-2) too.
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ArgumentTypeError(f"“{text}” is no date; write YYYY-MM-DD")


def instant(text: str) -> datetime:
    """Read an instant as ISO 8601 with its zone, for argparse."""
    try:
        return instants.read(text)
    except ValueError as error:
        example = "2017-02-01T09:00:00+09:00 or 2017-02-01T00:00:00Z"
        raise ArgumentTypeError(f"“{text}” is no instant with a zone; write {example}") from error


def positive(text: str) -> int:
    """Read a whole number of 1 or more, for argparse."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise ArgumentTypeError(f"“{text}” is no whole number of 1 or more")


def whole(text: str) -> int:
    """Read a whole number of 0 or more, for argparse."""
    if text.isascii() and text.isdigit():
        return int(text)
    raise ArgumentTypeError(f"“{text}” is no whole number of 0 or more")


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE, each name once."""
    found = dict(text.partition("=")[::2] for text in texts)
    if len(found) != len(texts) or not all(found.values()):
        raise CommandError(_("Write NAME=VALUE, each name once."), returncode=USAGE)
    return found


def plain_file(path: Path) -> BinaryIO:
    """Open a file to be read; what is no plain file could be read only once, or never ends."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CommandError(_("{path} is no plain file").format(path=path), returncode=USAGE)
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=USAGE) from error


def finding_text(finding: Any) -> str:
    """Return a finding as a line: where it is, and what is wrong."""
    return f"line {finding.line}{f', {finding.column}' if finding.column else ''}: {finding.error}"


# What each phase is called on a terminal.
PHASES = {
    "check": "checking the file",
    "store": "storing the records",
    "apply": "applying",
    "expire": "expiring",
    "recount": "adding up",
}
BAR = "{desc}: {percentage:3.0f} % |{bar:30}| {n:,} of {total:,} records · {rate_noinv_fmt} · {remaining} left"
BAR_WITHOUT_END = "{desc}: {n:,} records · {rate_noinv_fmt} · {elapsed}"


class Progress:
    """A bar on a terminal, and nothing anywhere else: the phase, how far it has come, how fast it goes, and the time left."""

    def __init__(self) -> None:
        """Show nothing until told."""
        self._bar: Any = None
        self._phase = ""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def phase(self, phase: str, done: int, total: int | None = None) -> None:
        """Show how far ``phase`` has come, in records."""
        if not sys.stderr.isatty():
            return
        if phase != self._phase or self._bar is None:
            self.__exit__()
            self._bar = tqdm(
                total=total,
                desc=PHASES.get(phase, phase),
                unit=" records",
                file=sys.stderr,
                leave=False,
                bar_format=BAR if total else BAR_WITHOUT_END,
            )
            self._phase = phase
        self._bar.update(done - self._bar.n)
