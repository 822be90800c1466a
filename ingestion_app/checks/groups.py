"""Groups of a file whose trailer says what another of them holds: trailers that changed places."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ingestion_app.checks.rules import Seen
from ingestion_app.checks.telling import Teller
from ingestion_app.checks.totals import Counted
from ingestion_app.formats.definition import Roles
from ingestion_app.formats.lines import Line
from ingestion_app.formats.values import Value

_REMEMBERED = 1000  # groups whose trailer is not theirs: of more nothing is told beside that each differs

Figures = tuple[Value | None, ...]


class _Differing(NamedTuple):
    group: int
    line: Line
    said: Figures
    found: Figures


class Differences:
    """Remembers the groups that differ from their trailers, so that it can be told where one has another's."""

    def __init__(self, roles: Roles) -> None:
        """Begin with none."""
        self._columns = [roles.trailer_count, roles.trailer_sum]
        self._kept: list[_Differing] = []

    def add(self, group: int, line: Line, said: Mapping[str, Value | None], counted: Counted) -> None:
        """Take a group in: what its trailer says, and what was counted in it."""
        asked = [(name, value) for name, value in zip(self._columns, counted, strict=False) if name is not None]
        says = tuple(said.get(name) for name, _value in asked)
        holds: Figures = tuple(value for _name, value in asked)
        if says != holds and None not in says and len(self._kept) < _REMEMBERED:
            self._kept.append(_Differing(group, line, says, holds))

    def told(self, tell: Teller) -> Iterator[Seen]:
        """Yield, for each trailer that is another group's, whose it is."""
        holders: dict[Figures, list[int]] = {}
        for each in self._kept:
            holders.setdefault(each.found, []).append(each.group)
        for each in self._kept:
            others = [group for group in holders.get(each.said, ()) if group != each.group]
            if others:
                yield tell.seen("control.trailer_moved", each.line, group=each.group, other=others[0])
