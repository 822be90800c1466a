"""What a detail page is made of: facts, tables and texts in the order in which they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Facts:
    """A card of (label, value)."""

    heading: Words
    rows: Sequence[tuple[Any, Any]]
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; figures stand to the right."""

    label: Words
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A card with a table, or with the sentence ``empty`` where it has no rows. ``more`` is (text, address) of what leads on."""

    heading: Words
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    empty: Words
    note: Words = ""
    more: tuple[Words, str] | None = None
    kind: str = "table"

    @property
    def lines(self) -> list[list[tuple[Column, Any]]]:
        """Each row as its cells, each with the column that it stands in."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Text:
    """A card with text that is shown to the letter."""

    heading: Words
    text: str
    note: Words = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Offers:
    """A card of what can be done: each free with its address, or disabled with its blockers."""

    heading: Words
    offers: Sequence[Mapping[str, Any]]
    kind: str = "offers"


Part = Facts | Table | Text | Offers


@dataclass(frozen=True, slots=True)
class Sheet:
    """A detail page: its name, what stands in the middle and what at the side; ``remark`` is a line above both."""

    title: str
    main: Sequence[Part]
    side: Sequence[Part] = field(default_factory=tuple)
    state: str = ""
    subtitle: Words = ""
    remark: Any = ""
