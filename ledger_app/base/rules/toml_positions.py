"""Says on which line of a TOML text each key stands, which the standard library's reader does not.

The text must already have been read by ``tomllib``: what is not TOML is not looked for here.
"""

from collections.abc import Mapping

Path = tuple[str | int, ...]  # keys, and indexes into arrays from 0

_BARE_END = frozenset(" \t.=]\n")


def positions(text: str) -> Mapping[Path, int]:
    """Return the line, counted from 1, on which each table header, key and array element of a valid TOML text begins."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Return the line of ``path``, or of the nearest table or array around it that the text has; 1 where it has none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def written(path: Path) -> str:
    """Return the path as people write it, as in ``layout.data.columns[2].kind``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text.replace("\r\n", "\n")
        self._place = 0
        self._line = 1
        self._arrays: dict[Path, int] = {}  # the index of the last element of each array of tables

    def scan(self) -> None:
        table: Path = ()
        self._skip_blank()
        while self._place < len(self._text):
            if self._next() == "[":
                table = self._header()
            else:
                self._key_and_value(table)
            self._skip_blank()

    def _next(self) -> str:
        return self._text[self._place : self._place + 1]

    def _advance(self, end: int) -> None:
        self._line += self._text.count("\n", self._place, end)
        self._place = end

    def _skip_blank(self) -> None:
        while self._next() and self._next() in " \t\n#":
            end = self._text.find("\n", self._place) if self._next() == "#" else self._place + 1
            self._advance(end if end >= 0 else len(self._text))

    def _header(self) -> Path:
        is_array = self._text.startswith("[[", self._place)
        line = self._line
        self._advance(self._place + (2 if is_array else 1))
        parts = self._dotted_key()
        self._advance(self._place + (2 if is_array else 1))
        path: Path = ()
        for depth, part in enumerate(parts, start=1):
            path += (part,)
            if is_array and depth == len(parts):
                self._arrays[path] = self._arrays.get(path, -1) + 1
                self.lines.setdefault(path, line)
            if path in self._arrays:
                path += (self._arrays[path],)
        self.lines.setdefault(path, line)
        return path

    def _key_and_value(self, table: Path) -> None:
        path = table
        line = self._line
        for part in self._dotted_key():
            path += (part,)
            self.lines.setdefault(path, line)
        self._advance(self._place + 1)  # the equals sign
        self._skip_spaces()
        self._value(path)

    def _skip_spaces(self) -> None:
        while self._next() and self._next() in " \t":
            self._place += 1

    def _dotted_key(self) -> list[str]:
        parts = []
        while True:
            self._skip_spaces()
            start = self._place
            if self._next() in ("'", '"'):
                self._string()
                parts.append(self._text[start + 1 : self._place - 1])
            else:
                while self._next() and self._next() not in _BARE_END:
                    self._place += 1
                parts.append(self._text[start : self._place])
            self._skip_spaces()
            if self._next() != ".":
                return parts
            self._place += 1

    def _value(self, path: Path) -> None:
        first = self._next()
        if first in ("'", '"'):
            self._string()
        elif first in ("[", "{"):
            self._members(path, "]" if first == "[" else "}")
        else:
            while self._next() and self._next() not in ",]}\n#":
                self._place += 1

    def _members(self, path: Path, closing: str) -> None:
        self._place += 1
        index = 0
        self._skip_blank()
        while self._next() not in ("", closing):
            if closing == "]":
                self.lines[(*path, index)] = self._line
                self._value((*path, index))
                index += 1
            else:
                self._key_and_value(path)
            self._skip_blank()
            if self._next() == ",":
                self._place += 1
                self._skip_blank()
        self._place += 1

    def _string(self) -> None:
        quote = self._next()
        delimiter = quote * 3 if self._text.startswith(quote * 3, self._place) else quote
        place = self._place + len(delimiter)
        while place < len(self._text) and not self._text.startswith(delimiter, place):
            place += 2 if quote == '"' and self._text[place] == "\\" else 1
        place += len(delimiter)
        if len(delimiter) == 3:
            # A multi-line string may end with one or two quotes of its own before the three that close it.
            while self._text.startswith(quote, place):
                place += 1
        self._advance(place)
