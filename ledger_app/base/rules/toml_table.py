"""Reads the tables of a definition in TOML key by key, and collects everything that is wrong instead of stopping at the first."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from ledger_app.base.rules.toml_positions import Path, line_of, written


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a definition: its line (from 1), its path (indexes from 0), and a sentence that says what would make it pass."""

    line: int
    path: str
    sentence: str


class Problems:
    """Collects problems and knows the line of each path."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines
        self._found: set[Problem] = set()

    def add(self, path: Path, sentence: str) -> None:
        """Record that the value at ``path`` does not pass."""
        self._found.add(Problem(line_of(path, self._lines), written(path), sentence))

    def in_order(self) -> tuple[Problem, ...]:
        """Return them by line."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.path, problem.sentence)))


class Table:
    """One table; ``close`` it after every key was asked for, so that those nobody asked for are reported.

    Every reader returns None where the key is absent or its value does not pass, having said so. Absence is no problem where ``optional``.
    """

    def __init__(self, content: Mapping[str, object], path: Path, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self._content = content
        self._asked: list[str] = []

    def add(self, key: str, sentence: str) -> None:
        """Record that the value of ``key`` does not pass."""
        self.problems.add((*self.path, key), sentence)

    def know(self, *keys: str) -> None:
        """Allow keys that are only read where the text has them."""
        self._asked += keys

    def has(self, key: str) -> bool:
        """Tell whether the text gives the key a value."""
        return key in self._content

    def beside(self, given: Mapping[str, object], *, name: str, added: tuple[str, ...] = ()) -> "Table":
        """Return this table with what ``given`` says as well, which is called ``name``. What both say is a problem: neither changes the other.

        Tables that both have are put together likewise; ``added`` are keys of arrays, of which those of this table come behind the others.
        """
        return Table(self._put_together(self._content, given, self.path, (name, added)), self.path, self.problems)

    def without(self, *keys: str) -> "Table":
        """Return this table without keys that were read."""
        return Table({key: value for key, value in self._content.items() if key not in keys}, self.path, self.problems)

    def _put_together(
        self, own: Mapping[str, object], given: Mapping[str, object], path: Path, named: tuple[str, tuple[str, ...]]
    ) -> Mapping[str, object]:
        made, (name, added) = dict(given), named
        for key, value in own.items():
            there = given.get(key)
            if isinstance(value, dict) and isinstance(there, dict):
                made[key] = self._put_together(value, there, (*path, key), named)
            elif key in added and isinstance(value, list) and isinstance(there, list):
                made[key] = [*there, *value]
            elif key in given:
                self.problems.add((*path, key), _("Take it out: {name} says it already.").format(name=name))
            else:
                made[key] = value
        return made

    def text(self, key: str, *, pattern: str, expected: str, optional: bool = False) -> str | None:
        """Return a string that wholly matches ``pattern``; ``expected`` describes such strings."""
        value = self._get(key, optional=optional)
        if value is None:
            return None
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            self.add(key, _("Give it {expected}, in quotes.").format(expected=expected))
            return None
        return value

    def choice(self, key: str, choices: tuple[str, ...], *, optional: bool = False) -> str | None:
        """Return a string that is one of ``choices``."""
        value = self._get(key, optional=optional)
        if value is None:
            return None
        if not isinstance(value, str) or value not in choices:
            named = ", ".join(f'"{choice}"'.replace("\t", "\\t") for choice in choices)
            self.add(key, _("Write one of: {choices}.").format(choices=named))
            return None
        return value

    def integer(self, key: str, *, least: int, most: int, optional: bool = False) -> int | None:
        """Return an integer between ``least`` and ``most``, both included."""
        value = self._get(key, optional=optional)
        if value is None:
            return None
        # In Python true is an integer; in a definition it is not.
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.add(key, _("Write a whole number from {least} to {most}.").format(least=least, most=most))
            return None
        return value

    def day(self, key: str) -> date | None:
        """Return an optional date."""
        value = self._get(key, optional=True)
        # In Python an instant is a date; in a definition it is not.
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.add(key, _("Write a date as 2026-10-01, without quotes."))
            return None
        return value

    def switch(self, key: str) -> bool:
        """Return an optional true or false; false where it is absent."""
        value = self._get(key, optional=True)
        if value is not None and not isinstance(value, bool):
            self.add(key, _("Write true or false."))
        return value is True

    def table(self, key: str, *, optional: bool = False) -> "Table | None":
        """Return the table under ``key``."""
        value = self._get(key, optional=optional)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.add(key, _("Make it a table."))
            return None
        return Table(value, (*self.path, key), self.problems)

    def tables(self, key: str) -> "list[Table] | None":
        """Return the tables in the array under ``key``, which may be empty."""
        value = self._get(key, optional=False)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
            self.add(key, _("Make it an array of tables."))
            return None
        return [Table(element, (*self.path, key, index), self.problems) for index, element in enumerate(value)]

    def texts(self, key: str) -> list[str] | None:
        """Return the strings in the array under ``key``: at least one, none of them twice."""
        value = self._get(key, optional=False)
        if value is None:
            return None
        is_list = isinstance(value, list) and value and all(isinstance(element, str) for element in value)
        if not isinstance(value, list) or not is_list or len(set(value)) < len(value):
            self.add(key, _("Make it an array of one or more strings, each once."))
            return None
        return value

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(self._asked)
                self.add(key, _("Take it out: no such key is known here. Known are: {known}.").format(known=known))

    def _get(self, key: str, *, optional: bool) -> object | None:
        self._asked.append(key)
        if key not in self._content and not optional:
            self.add(key, _("Add it: it is required."))
        return self._content.get(key)
