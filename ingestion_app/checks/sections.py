"""Sections of a file, each with groups between a header and a trailer of its own: what stands in which, and what a trailer says of it."""

from collections.abc import Iterator
from typing import NamedTuple

from ingestion_app.checks.rules import Seen
from ingestion_app.checks.telling import NOWHERE, Teller
from ingestion_app.checks.totals import Summed
from ingestion_app.formats.computing import Head
from ingestion_app.formats.definition import Layout, Roles
from ingestion_app.formats.lines import Line, shown_marker


class Reached(NamedTuple):
    """How far a file was read before a record: its groups, all of its records, and what they add up to."""

    groups: int = 0
    records: int = 0
    summed: Summed = Summed()


class Sections:
    """Tells which section is open, and compares each with its trailer. ``number`` is how many there were; ``head`` what the header of the open one says."""

    def __init__(self, layout: Layout, roles: Roles, tell: Teller) -> None:
        """Begin outside of any."""
        self._layout, self._roles, self._tell = layout, roles, tell
        self.number = 0
        self.head: Head = {}
        self.is_open = False
        self._opened, self._before = NOWHERE, Reached()

    @property
    def are_there(self) -> bool:
        """Whether groups have to stand in sections."""
        return self._layout.section_trailer is not None

    def begin(self, line: Line, said: Head, before: Reached) -> None:
        """Take in the header of a section, and how far the file was read before it."""
        self.number += 1
        self.head, self.is_open = said, True
        self._opened, self._before = line, before

    def close(self) -> Iterator[Seen]:
        """Say it where the section that is open has no trailer."""
        trailer = self._layout.section_trailer
        if self.is_open and trailer is not None:
            yield self._tell.seen("line.section_trailer_missing", self._opened, section=self.number, marker=shown_marker(trailer))
        self.is_open, self.head = False, {}

    def group(self, line: Line) -> Iterator[Seen]:
        """Say it where a group begins in no section."""
        header = self._layout.section_header
        if header is not None and not self.is_open:
            yield self._tell.seen("line.outside_section", line, marker=shown_marker(header))

    def compare(self, line: Line, said: Head, reached: Reached) -> Iterator[Seen]:
        """Compare what a trailer says with what its section holds, or say that no section was open; it is closed then."""
        trailer, header = self._layout.section_trailer, self._layout.section_header
        if trailer is None or header is None:
            return
        if not self.is_open:
            yield self._tell.seen("line.section_header_missing", line, marker=shown_marker(header))
            return
        self.is_open, self.head = False, {}
        before, of = self._before, self._roles.of_section
        for rule, name, found in (
            ("control.section_groups_differs", of.groups, reached.groups - before.groups),
            ("control.section_lines_differs", of.lines, reached.records - before.records),
        ):
            expected = said.get(name) if name is not None else None
            if name is not None and isinstance(expected, int) and expected != found:
                facts = {"name": name, "expected": expected, "found": found, "section": self.number}
                yield self._tell.seen(rule, line, trailer.field_number(name), **facts)
        total = self._roles.nested_sum
        name = total.section if total is not None else None
        if name is not None:
            summed = reached.summed.less(before.summed)
            for rule, facts in summed.differing("control.section_", name, said.get(name)):
                yield self._tell.seen(rule, line, trailer.field_number(name), section=self.number, **facts)
