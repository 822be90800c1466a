"""Reads lines that are JSON objects strictly: each column is what stands at its path, of the type that the layout says."""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ingestion_app.formats.definition import Column, JsonType, Kind, Layout, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.json_paths import Path, Tree, first_unknown, path_of, spelled, tree_of
from ingestion_app.formats.json_pattern import line_pattern
from ingestion_app.formats.json_text import Number, kind_of, may_be_deep, may_have_halves, read_object, scan
from ingestion_app.formats.lines import Line, LineFormat, QuickReader
from ingestion_app.formats.values import Value, field_reader, shown

_TYPES: Mapping[JsonType, type] = {JsonType.STRING: str, JsonType.NUMBER: Number, JsonType.BOOLEAN: bool}
_FLAGS = {True: "true", False: "false"}
_ABSENT = object()  # what is not there, which is not the same as null
_BETWEEN = "\0"  # no text that is taken quickly holds it

TextReader = Callable[[str], list[Value | None] | None]


class _Group(NamedTuple):
    """The columns that stand in one object or array, and where that stands itself: in which group's, under which name or place."""

    parent: int
    step: str | int
    kind: Any  # dict or list
    get: Callable[[Any], Sequence[Any]]
    places: tuple[int, ...]  # of the columns, in the order in which ``get`` gives them
    names: frozenset[str | int]  # all that may stand there
    needed: int  # how many have to, where none of them may be absent; else -1


class JsonLinesFormat(LineFormat):
    """How the object of a line is cut into columns."""

    def __init__(self, layout: Layout) -> None:
        """Find out what may stand in the objects of each record type."""
        super().__init__(layout)
        self._trees = {id(each): self._tree(each) for each in layout.record_types}

    def _tree(self, record_type: RecordType) -> Tree:
        paths = {path_of(column): None for column in record_type.written}
        if self.layout.marker_path is not None and record_type.marker is not None:
            paths[self.layout.marker_path] = None
        tree = tree_of(paths)
        assert isinstance(tree, dict), tree  # noqa: S101 - such a definition is refused
        return tree

    def marker(self, content: bytes) -> bytes:
        """Return what stands at the marker's path; nothing where there is none."""
        if self.layout.marker_path is None:
            return b""
        text = self.decode(content, 0)
        value = text if isinstance(text, Fault) else read_object(text)
        found = None if isinstance(value, Fault) else _at(value, self.layout.marker_path)
        return found.encode("utf-8", "replace") if isinstance(found, str) else b""

    def unknown(self, line: Line) -> Fault:
        """Return why the line is of no record type: it cannot be read, or nothing that marks one stands at the path."""
        value = self._object(line)
        if isinstance(value, Fault):
            return value
        path = self.layout.marker_path or ()
        found = shown(self.marker(line.content).decode("utf-8", "replace"))
        return Fault("line.json_marker_unknown", {"path": spelled(path), "found": found, "markers": self.markers})

    def cut(self, line: Line, record_type: RecordType) -> Sequence[str | Fault] | Fault:
        """Return the text of each column, or why it has none."""
        value = self._object(line)
        if isinstance(value, Fault):
            return value
        if not self.layout.may_have_unknown_names:
            unknown = first_unknown(value, self._trees[id(record_type)])
            if unknown is not None:
                known = ", ".join(spelled(path_of(column)) for column in record_type.written)
                return Fault("line.json_name_unknown", {"found": shown(spelled(unknown)), "known": known})
        return [_text(value, column) for column in record_type.written]

    def _object(self, line: Line) -> dict[str, Any] | Fault:
        text = self.unreadable(line) or self.decode(line.content, line.offset)
        if isinstance(text, Fault):
            return text
        value = read_object(text)
        if isinstance(value, Fault):
            # The place of a fault is that of the byte.
            return value._replace(place=len(text[: value.place].encode(self.layout.encoding)))
        return value

    def quick_reader(self, record_type: RecordType) -> QuickReader:
        """Return a function from a whole line to its values: matched as most programs write it, or else its columns taken from the object."""
        encoding = self.layout.encoding
        by_line, by_object = self._line_reader(record_type), self._object_reader(record_type)

        def read(whole: bytes) -> list[Value | None] | None:
            try:
                text = whole.decode(encoding)
                values = by_line(text) if by_line is not None else None
                return by_object(text) if values is None else values
            except (ValueError, LookupError, StopIteration):
                return None

        return read

    def _line_reader(self, record_type: RecordType) -> TextReader | None:
        """Return what matches a whole line with its names in the order of the layout; None where the layout has no such order."""
        places = {path_of(column): place for place, column in enumerate(record_type.written)}
        path = self.layout.marker_path
        if path is not None and (record_type.marker is None or path in places):
            return None
        marked = {path: record_type.marker or ""} if path is not None else {}
        made = line_pattern(self._trees[id(record_type)], record_type.written, places, marked)
        if made is None:
            return None
        match_line = re.compile(made.pattern + re.escape(self.layout.line_ending.decode("ascii"))).fullmatch
        finish = _finishing(record_type, made.order)

        def read(text: str) -> list[Value | None] | None:
            match = match_line(text)
            # What is null has no text.
            return None if match is None else finish(list(match.groups("")))

        return read

    def _object_reader(self, record_type: RecordType) -> TextReader:
        columns, groups = record_type.written, self._groups(record_type)
        order = [place for group in groups for place in group.places]
        pattern = _BETWEEN.join(f"({field_reader(columns[place], never=_BETWEEN).pattern})" for place in order)
        match_all, finish = re.compile(pattern).fullmatch, _finishing(record_type, order)
        ending = self.layout.line_ending.decode("ascii")
        is_of_type, take, fits = self._marking(record_type), self._taking(groups), _fitting([columns[place] for place in order])

        def read(text: str) -> list[Value | None] | None:
            if may_be_deep(text) or may_have_halves(text):
                return None
            value, end = scan(text, 0)
            if text[end:] != ending or type(value) is not dict or not is_of_type(value):
                return None
            found = take(value)
            match = match_all(_BETWEEN.join(found)) if found is not None and fits(found) else None
            return None if match is None else finish(list(match.groups()))

        return read

    def _marking(self, record_type: RecordType) -> Callable[[dict[str, Any]], bool]:
        """Return what tells whether an object is one of this type."""
        path, by_marker = self.layout.marker_path, {each.marker: each for each in self.layout.record_types if each.marker}
        unmarked = self._unmarked
        if path is None:
            return lambda _value: True

        def is_of_type(value: dict[str, Any]) -> bool:
            found = _at(value, path)
            return (by_marker.get(found, unmarked) if isinstance(found, str) else unmarked) is record_type

        return is_of_type

    def _taking(self, groups: Sequence[_Group]) -> Callable[[dict[str, Any]], list[Any] | None]:
        """Return what takes the columns out of an object, group by group; None where the careful way must decide."""
        may_have_others = self.layout.may_have_unknown_names

        def take(value: dict[str, Any]) -> list[Any] | None:
            holders: list[Any] = []
            found: list[Any] = []
            for parent, step, kind, get, _places, names, needed in groups:
                holder: Any = holders[parent][step] if holders else value
                if type(holder) is not kind:
                    return None
                if not may_have_others and len(holder) != needed and (needed >= 0 or not holder.keys() <= names):
                    return None
                holders.append(holder)
                found += get(holder)
            return found

        return take

    def _groups(self, record_type: RecordType) -> list[_Group]:
        columns = {path_of(column): place for place, column in enumerate(record_type.written)}
        groups: list[_Group] = []

        def add(tree: Tree, path: Path, parent: int) -> None:
            number = len(groups)
            leaves = [step for step, below in tree.items() if below is None and (*path, step) in columns]
            read = {step: columns[(*path, step)] for step in leaves}
            read = {step: place for step, place in read.items() if record_type.written[place].kind is not Kind.UNUSED}
            is_array = any(isinstance(step, int) for step in tree)
            may_be_absent = any(record_type.written[columns[(*path, step)]].may_be_absent for step in leaves) or any(
                record_type.written[place].optional for place in read.values()
            )
            has_gaps = may_be_absent and not is_array
            groups.append(
                _Group(
                    parent=parent,
                    step=path[-1] if path else "",
                    kind=list if is_array else dict,
                    get=_getter(list(read), may_be_absent=has_gaps),
                    places=tuple(read.values()),
                    names=frozenset(tree),
                    needed=-1 if has_gaps else len(tree),
                )
            )
            for step, below in tree.items():
                if below is not None:
                    add(below, (*path, step), number)

        add(self._trees[id(record_type)], (), -1)
        return groups


def _finishing(record_type: RecordType, order: Sequence[int]) -> Callable[[list[Any]], list[Value | None]]:
    """Return what makes of texts, of the columns ``order``, the values of all columns in their own order."""
    columns = record_type.written
    readers = [field_reader(columns[place]) for place in order]
    conversions = [(field, reader.convert) for field, reader in enumerate(readers) if reader.convert is not None]
    # What is not read has no value: it is that behind the last.
    fields = [order.index(place) if place in order else len(order) for place in range(len(columns))]
    is_in_order = fields == list(range(len(order)))

    def finish(values: list[Any]) -> list[Value | None]:
        for field, convert in conversions:
            values[field] = convert(values[field])
        if is_in_order:
            return values
        values.append(None)
        return [values[field] for field in fields]

    return finish


def _fitting(columns: Sequence[Column]) -> Callable[[list[Any]], bool]:
    """Return what tells whether values are of the types of their columns, and makes texts of what is null or a boolean."""
    types = [_TYPES[column.json_type] for column in columns]
    may_be_empty = [column.optional for column in columns]
    flags = [field for field, each in enumerate(types) if each is bool]

    def fits(found: list[Any]) -> bool:
        if list(map(type, found)) != types:
            for field, each in enumerate(found):
                if each is None and may_be_empty[field]:
                    found[field] = ""
                elif type(each) is not types[field]:
                    return False
        for field in flags:
            found[field] = _FLAGS.get(found[field], "")
        return True

    return fits


def _getter(steps: list[str | int], *, may_be_absent: bool) -> Callable[[Any], Sequence[Any]]:
    if may_be_absent:
        return lambda holder: [holder.get(step) for step in steps]
    if len(steps) == 1:
        only = steps[0]
        return lambda holder: (holder[only],)
    return itemgetter(*steps) if steps else lambda _holder: ()


def _at(value: Any, path: Path) -> Any:
    """Return what stands at a path; ``_ABSENT`` where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step, _ABSENT)
        elif isinstance(step, int) and isinstance(value, list):
            value = value[step] if step < len(value) else _ABSENT
        else:
            return _ABSENT
    return value


def _text(value: Any, column: Column) -> str | Fault:
    """Return the text that a column's reader reads: of nothing, and of null, the empty one where the column may be empty."""
    path = path_of(column)
    for number, step in enumerate(path):
        if value is None or value is _ABSENT:
            break
        wanted = dict if isinstance(step, str) else list
        if not isinstance(value, wanted):
            return _other_type(column, path[:number], value, "object" if wanted is dict else "array")
        value = _at(value, (step,))
    if column.kind is Kind.UNUSED:
        return ""
    if value is None or value is _ABSENT:
        rule = "record.json_null" if value is None else "record.json_absent"
        return "" if column.optional else Fault(rule, {"name": column.name, "path": spelled(path)})
    if type(value) is not _TYPES[column.json_type]:
        return _other_type(column, path, value, column.json_type)
    return _FLAGS[value] if isinstance(value, bool) else str(value)


def _other_type(column: Column, path: Path, value: Any, expected: str) -> Fault:
    found = kind_of(value)
    return Fault("record.json_type", {"name": column.name, "path": spelled(path), "found": found, "expected": expected})
