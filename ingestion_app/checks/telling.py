"""What is seen in one pass over a file: counted where it is an error of the file, and told with the group in which it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ingestion_app.checks.rules import RAW_BYTES, RULES, Seen, Severity
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line

NOWHERE = Line(0, 0, b"", b"", 0, is_too_long=False)


class Teller:
    """Makes findings. ``errors`` are those that are no single data record's; ``group`` is the number of the group, 0 outside of one."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.errors = 0
        self.group = 0
        self._repeated: dict[str, tuple[Seen, int]] = {}

    def seen(self, rule: str, line: Line, column: int = 0, /, **facts: str | int) -> Seen:
        """Return what was seen, counted where it is an error; not for what is wrong with a data record."""
        return self._counted(rule, line, column, self._grouped(facts))

    def _counted(self, rule: str, line: Line, column: int, facts: Mapping[str, str | int]) -> Seen:
        if RULES[rule].severity is Severity.ERROR:
            self.errors += 1
        return Seen(rule, line.number, column, line.offset, line.content[:RAW_BYTES], facts)

    def explain(self, line: Line, column: int, fault: Fault) -> Seen:
        """Return what is wrong with a line or a field of it, which the caller counts."""
        return Seen(
            fault.rule, line.number, column, line.offset + fault.place, line.content[:RAW_BYTES], self._grouped(fault.facts)
        )

    def repeat(self, rule: str, line: Line, **facts: str | int) -> None:
        """Remember a fault of many lines, of all groups, which is told once, at the end, with its first line and the number of lines."""
        if rule in self._repeated:
            first, lines = self._repeated[rule]
            self._repeated[rule] = first, lines + 1
        else:
            self._repeated[rule] = self._counted(rule, line, 0, facts), 1

    def repeated(self) -> Iterator[Seen]:
        """Yield what was true of many lines, each once."""
        for first, lines in self._repeated.values():
            yield replace(first, facts={**first.facts, "lines": lines})

    def _grouped(self, facts: Mapping[str, str | int]) -> Mapping[str, str | int]:
        return {"group": self.group, **facts} if self.group else facts
