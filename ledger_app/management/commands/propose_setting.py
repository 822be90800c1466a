"""propose_setting KIND NAME=VALUE … --user U --reason T: proposes a change of a setting, which another person decides."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands import given_files
from ledger_app.accounting.rules.profile_toml import TEXT_BYTES_MOST
from ledger_app.models import SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries as asked

NUMBER: Final = re.compile("-?[0-9]{1,18}")
WORDS: Final = {"true": True, "false": False}


def _text(value: str) -> str:
    return value


def _number(value: str) -> int:
    if not NUMBER.fullmatch(value):
        raise ValueError(value)
    return int(value)


def _number_or_none(value: str) -> int | None:
    return None if value == "none" else _number(value)


def _day_or_none(value: str) -> str | None:
    return None if value == "none" else date.fromisoformat(value).isoformat()


def _truth(value: str) -> bool:
    if value not in WORDS:
        raise ValueError(value)
    return WORDS[value]


def _codes(value: str) -> list[str]:
    return sorted(filter(None, value.split(",")))


def _accounts(value: str) -> dict[str, str]:
    pairs = [pair.partition(":") for pair in value.split(",") if pair]
    if not all(book and colon and account for book, colon, account in pairs):
        raise ValueError(value)
    return {book: account for book, _colon, account in pairs}


def _content(value: str) -> str:
    try:
        return given_files.read_text(Path(value), most=TEXT_BYTES_MOST)
    except (OSError, UnicodeDecodeError) as error:
        raise commands.path_unusable(Path(value), error) from error


Reader = Callable[[str], Any]
# What each kind takes: what must be said, and what may be; each with what reads it.
NEEDED: Final[Mapping[str, Mapping[str, Reader]]] = {
    "limit": {"group": _text, "book": _text, "amount_most": _number, "two_deciders_above": _number},
    "reason_code": {"code": _text, "name": _text, "contra_accounts": _accounts},
    "template": {"book": _text, "role": _text, "category": _text, "floor": _number_or_none},
    "lot_rule": {"book": _text, "role": _text, "expiry": _text, "breakage": _text},
    "hold_rule": {"book": _text},
    "close_policy": {"book": _text},
    "profile": {"text": _content},
    "rights": {"user": _text, "groups": _codes},
}
ALLOWED: Final[Mapping[str, Mapping[str, Reader]]] = {
    "limit": {
        "window_days": _number,
        "day_most": _number_or_none,
        "member_day_most": _number_or_none,
        "all_day_most": _number_or_none,
        "reason_code": _text,
    },
    "reason_code": {"may_waive_floor": _truth, "is_active": _truth},
    "template": {},
    "lot_rule": {"validity": _number_or_none, "fixed_on": _day_or_none, "order": _text, "kind": _text},
    "hold_rule": {"amount_most": _number_or_none, "amount_a_day": _number_or_none, "hours_most": _number, "targets": _codes},
    "close_policy": {
        "provisional_after_hours": _number,
        "freeze_after_hours": _number,
        "months_ahead": _number,
        "controls": _codes,
    },
    "profile": {},
    "rights": {"is_superuser": _truth, "is_staff": _truth, "is_active": _truth},
}


class Command(commands.Command):
    """Proposes a change of a setting."""

    help = "Propose a change of a setting that could move money, or of a user's rights; another person decides it."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("kind", choices=sorted(NEEDED), metavar="KIND", help=", ".join(sorted(NEEDED)))
        parser.add_argument("values", nargs="+", metavar="NAME=VALUE", help="what it is to say; amounts in minor units")
        parser.add_argument("--user", required=True, metavar="U", help="who proposes it")
        parser.add_argument("--reason", required=True, metavar="T")

    def run(self, **options: Any) -> commands.Outcome:
        """Propose it, unless the same person has proposed the same and it waits."""
        kind, said = options["kind"], asked.named(options["kind"], read(options["kind"], options["values"]))
        caller = commands.caller(options["user"])
        waiting = SettingChange.objects.filter(kind=kind, proposed_by=caller.user, state=SettingChange.State.PROPOSED)
        row = next((each for each in waiting.order_by("id") if each.arguments == said), None)
        if row is None:
            row = setting_changes.propose(kind=kind, arguments=said, reason=options["reason"], caller=caller)
        data = {"change": row.pk, "kind": row.kind, "setting": row.setting, "before": row.before, "after": row.after}
        return commands.Outcome({**data, "state": row.state}, (f"change #{row.pk} of {row.setting} is {row.state}",))


def read(kind: str, values: list[str]) -> dict[str, Any]:
    """Return the arguments of the operation of a kind.

    :raises CommandError: one is unknown, stands twice, is missing or cannot be read
    """
    readers = {**NEEDED[kind], **ALLOWED[kind]}
    said: dict[str, Any] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or name not in readers or name in said:
            known = ", ".join(readers)
            raise CommandError(
                _("“{given}” is none of {known}, each once and as NAME=VALUE").format(given=each, known=known),
                returncode=commands.USAGE,
            )
        try:
            said[name] = readers[name](value)
        except ValueError as error:
            raise CommandError(_("“{given}” cannot be read").format(given=each), returncode=commands.USAGE) from error
    if missing := [name for name in NEEDED[kind] if name not in said]:
        raise CommandError(_("Say also: {names}").format(names=", ".join(missing)), returncode=commands.USAGE)
    return said
