"""Reads files of members: CSV with a heading, or JSON Lines, in UTF-8. Pure: lines of bytes in, members and findings out.

A record is one line. Nothing is guessed: what cannot be read exactly is a finding, with its line and what would make it pass.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app.base.rules import tables
from ledger_app.errors import LedgerError, card_numbers, opening
from ledger_app.values import identifiers, openings

LINE_MOST = 64 * 1024  # bytes
NAME_MOST = 100
CARDS_MOST = 100  # of a member, of either kind
COLUMNS = ("member_number", "name", "card_tokens", "card_numbers")
NEEDED = ("member_number",)
MARK = b"\xef\xbb\xbf"


class Finding(NamedTuple):
    """What is wrong at a place; ``column`` is empty where it is the line as a whole."""

    line: int
    column: str
    error: LedgerError

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"line": self.line, "column": self.column, **self.error.as_dict()}


class Row(NamedTuple):
    """A member as a line says it."""

    line: int
    member_number: str
    name: str
    card_tokens: tuple[str, ...]
    card_numbers: tuple[str, ...]

    def identities(self) -> Iterator[tuple[str, str]]:
        """Yield (kind, value) of each identifier, a card number as its digits."""
        yield identifiers.MEMBER_NUMBER, self.member_number
        yield from ((identifiers.CARD_TOKEN, each) for each in self.card_tokens)
        yield from ((identifiers.CARD_NUMBER, identifiers.card_digits(each) or each) for each in self.card_numbers)

    def content(self) -> tuple[Any, ...]:
        """Return what is equal where two lines say the same."""
        return (self.member_number, self.name, frozenset(self.identities()))


NO_OBJECT: Final = _("it is no JSON object in one line")


class Reader:
    """Reads line after line; the first says whether the file is CSV or JSON Lines, and in CSV names the columns."""

    def __init__(self) -> None:
        """Know nothing of the file yet."""
        self._columns: tuple[str, ...] | None = None
        self._is_json: bool | None = None
        self.is_lost = False  # without columns nothing that follows means anything

    def read(self, line: int, raw: bytes) -> tuple[Row | None, list[Finding]]:
        """Return the member of a line, None for a blank line and a heading, and what is wrong with it."""
        if self.is_lost:
            return None, []
        try:
            text = _text(raw.removeprefix(MARK) if line == 1 else raw)
        except ValueError as error:
            self.is_lost = self._is_json is None
            return None, [_unreadable(line, error.args[0])]
        if not text.strip():
            return None, []
        if self._is_json is None:
            self._is_json = text.lstrip().startswith(("{", "["))
            if not self._is_json:
                return None, self._heading(line, text)
        return self._of_json(line, text) if self._is_json else self._of_csv(line, text)

    @property
    def is_blank(self) -> bool:
        """Whether no line has said anything yet."""
        return self._is_json is None and not self.is_lost

    def _heading(self, line: int, text: str) -> list[Finding]:
        try:
            columns = fields_of(text)
        except ValueError as error:
            self.is_lost = True
            return [_unreadable(line, error.args[0])]
        found = heading_findings(line, columns, COLUMNS, NEEDED)
        self.is_lost = bool(found)
        self._columns = tuple(columns)
        return found

    def _of_csv(self, line: int, text: str) -> tuple[Row | None, list[Finding]]:
        assert self._columns is not None  # noqa: S101 - a file without columns is lost
        try:
            fields = fields_of(text)
        except ValueError as error:
            return None, [_unreadable(line, error.args[0])]
        if len(fields) != len(self._columns):
            return None, [Finding(line, "", opening.FieldsDiffer(found=len(fields), wanted=len(self._columns)))]
        said = dict(zip(self._columns, fields, strict=True))
        cards = {name: tuple(filter(None, said.get(name, "").split(";"))) for name in COLUMNS[2:]}
        return _row(line, said["member_number"], said.get("name", ""), cards)

    def _of_json(self, line: int, text: str) -> tuple[Row | None, list[Finding]]:
        try:
            said = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            why = error.args[0] if isinstance(error, _Twice) else NO_OBJECT
            return None, [_unreadable(line, why)]
        if not isinstance(said, dict):
            return None, [_unreadable(line, NO_OBJECT)]
        if not set(said) <= set(COLUMNS) or not set(NEEDED) <= set(said):
            return None, [Finding(line, "", _columns_error(", ".join(sorted(said)), COLUMNS, NEEDED))]
        wrong = [name for name in ("member_number", "name") if not isinstance(said.get(name, ""), str)]
        for name in COLUMNS[2:]:
            cards = said.get(name, [])
            if not isinstance(cards, list) or not all(isinstance(each, str) for each in cards):
                wrong.append(name)
        if wrong:
            why = _("it is text in quotes; cards are a list of texts")
            return None, [Finding(line, name, opening.ValueUnfit(name=name, why=why)) for name in wrong]
        return _row(line, said["member_number"], said.get("name", ""), {name: tuple(said.get(name, [])) for name in COLUMNS[2:]})


def heading_findings(line: int, columns: Sequence[str], known: Sequence[str], needed: Sequence[str]) -> list[Finding]:
    """Return what is wrong with a heading: a column that is not known, stands twice, or is missing."""
    is_whole = set(columns) <= set(known) and len(set(columns)) == len(columns) and set(needed) <= set(columns)
    return [] if is_whole else [Finding(line, "", _columns_error(", ".join(columns), known, needed))]


def fields_of(text: str) -> list[str]:
    """Return the fields of one line of CSV; what a table of ours was written with against formulas is taken off again.

    :raises ValueError: with the reason, where the quotes do not close in the line
    """
    try:
        return [tables.meant(field) for field in next(csv.reader([text], strict=True))]
    except (csv.Error, StopIteration) as error:
        raise ValueError(_("its quotes do not close; a record is one line")) from error


def text_of(raw: bytes) -> str:
    """Return the text of a line without its end.

    :raises ValueError: with the reason: it is too long, no UTF-8, or has line ends or other control characters within
    """
    return _text(raw)


class _Twice(ValueError):
    """A key stands twice in a JSON object."""


def _text(raw: bytes) -> str:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    if len(raw) > LINE_MOST:
        if b"\r" in raw:
            raise ValueError(_("its lines end in CR alone; write LF or CRLF"))
        raise ValueError(_("it is longer than 65,536 bytes"))
    if b"\r" in raw:
        raise ValueError(_("its lines end in CR alone; write LF or CRLF"))
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise ValueError(_("it is not in UTF-8; it looks like UTF-16 or binary"))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(_("it is not in UTF-8; write the file in UTF-8")) from error
    if any((character < " " and character != "\t") or character == "\x7f" for character in text):
        raise ValueError(_("it has control characters"))
    return text


def _row(line: int, number: str, name: str, cards: dict[str, tuple[str, ...]]) -> tuple[Row | None, list[Finding]]:
    row = Row(line, number, name, cards["card_tokens"], cards["card_numbers"])
    found: list[Finding] = []
    if name and openings.name("name", name, NAME_MOST):
        why = _("at most 100 characters, without spaces around them and without control characters")
        found.append(Finding(line, "name", opening.ValueUnfit(name="name", why=why)))
    elif card_numbers.holds(name):
        found.append(Finding(line, "name", opening.ValueUnfit(name="name", why=_("it has a card number in it"))))
    for column in COLUMNS[2:]:
        if len(cards[column]) > CARDS_MOST or len(set(cards[column])) != len(cards[column]):
            why = _("at most 100 cards, each once")
            found.append(Finding(line, column, opening.ValueUnfit(name=column, why=why)))
    return row, found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise _Twice(_("a key stands twice in it"))
    return said


def _columns_error(given: str, known: Sequence[str], needed: Sequence[str]) -> LedgerError:
    shown = card_numbers.masked_text(given[:200])
    return opening.ColumnUnknown(given=shown, known=", ".join(known), needed=", ".join(needed))


def _unreadable(line: int, why: Any) -> Finding:
    return Finding(line, "", opening.LineUnreadable(why=why))
