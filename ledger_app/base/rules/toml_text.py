"""Reads a definition in TOML: of a source, of a profile. What is wrong with the text itself is told by its line, as what its reader finds is."""

import re
import tomllib
from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger_app.base.rules.toml_positions import positions
from ledger_app.base.rules.toml_table import Problem, Problems, Table
from ledger_app.errors import LedgerError, Refused
from ledger_app.errors.printable import code_point, unseen
from ledger_app.errors.words import phrase

Read = TypeVar("Read")

_SYNTAX_PLACE = re.compile(r"^(?P<message>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", re.DOTALL)
_BRACKETS, _DIGITS = re.compile(r"[\[{]"), re.compile(r"[0-9A-Fa-f]")


class DefinitionInvalid(ValueError):
    """The definition does not pass; ``problems`` says why, by line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{problem.line}: {problem.path}: {problem.sentence}" for problem in problems))
        self.problems = problems


def parse(text: str, read: Callable[[Table], Read | None]) -> Read:
    """Return what ``read`` makes of the text's outermost table. It returns None where something is not whole, having said so.

    :raises DefinitionInvalid: with every problem that was found, ordered by line.
    """
    if text.startswith("\ufeff"):
        raise DefinitionInvalid((Problem(1, "", _("Save the file as UTF-8 without a byte-order mark.")),))
    try:
        content = tomllib.loads(text)
        problems = Problems(positions(text))
        made = read(Table(content, (), problems))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionInvalid((_syntax_problem(text, str(error)),)) from error
    except RecursionError as error:
        nested = Problem(_line_of_most(text, _BRACKETS), "", _("Nest fewer tables and arrays: nothing here is nested so deeply."))
        raise DefinitionInvalid((nested,)) from error
    except ValueError as error:
        # The reader itself gives numbers of thousands of digits to int, which refuses them.
        number = Problem(_line_of_most(text, _DIGITS), "", _("Write a number of at most nineteen digits."))
        raise DefinitionInvalid((number,)) from error
    found = problems.in_order()
    # Whatever is not whole has a problem that says so.
    if found or made is None:
        raise DefinitionInvalid(found)
    return made


def refuse_unseen(text: str) -> None:
    """Refuse a definition, its remarks too, that says what its reader does not see. Asked of new ones: what was taken before stands.

    :raises DefinitionInvalid: with the line
    """
    if character := unseen(text.removeprefix("\ufeff"), may_have_lines=True):
        line = text[: text.rindex(character) if character == "\ufeff" else text.index(character)].count("\n") + 1
        sentence = _("Take out the character that cannot be seen: {escaped}.").format(escaped=code_point(character))
        raise DefinitionInvalid((Problem(line, "", sentence),))


def accepted(text: str, read: Callable[[str], Read], refused: Callable[..., LedgerError]) -> Read:
    """Return what ``read`` makes of a definition that somebody gives.

    :raises Refused: a ``refused`` for each fault, with its line and what would make it pass
    """
    try:
        refuse_unseen(text)
        return read(text)
    except DefinitionInvalid as invalid:
        found = []
        for problem in invalid.problems:
            # What is wrong with the text as a whole has a line, and no path.
            place = gettext_lazy("Line {line}, {path}") if problem.path else gettext_lazy("Line {line}")
            facts = {"line": problem.line, "path": problem.path}
            found.append(refused(place=phrase(place, **facts), sentence=problem.sentence, **facts))
        raise Refused(found) from invalid


def _line_of_most(text: str, characters: re.Pattern[str]) -> int:
    """Return the line, from 1, that has most of these characters."""
    counts = [len(characters.findall(line)) for line in text.split("\n")]
    return counts.index(max(counts)) + 1


def _syntax_problem(text: str, message: str) -> Problem:
    match = _SYNTAX_PLACE.match(message)
    # Without a line the text ended too early.
    line = int(match["line"]) if match and match["line"] else max(1, len(text.splitlines()))
    return Problem(line, "", _("Correct the TOML: {message}.").format(message=match["message"] if match else message))
