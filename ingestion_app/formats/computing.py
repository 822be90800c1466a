"""Columns that no field holds: amounts made of other columns, moments of texts joined, and what the header of the record's group says."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ingestion_app.formats.definition import Column, Kind, Only, RecordType, SignBy
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.spans import holder_of
from ingestion_app.formats.values import Value, field_reader, shown

Values = Sequence[Value | None]
Head = Mapping[str, Value | None]  # what the header says by column; empty where there is none, or it could not be read
HEADER_UNREAD = "record.header_unread"


class Computation(NamedTuple):
    """What a column is made of: the places of the columns that it needs, and what makes it of a record's values."""

    needs: tuple[int, ...]
    make: Callable[[Values], Value | Fault | None]


def computations(record_type: RecordType, head: Head | None = None) -> list[Computation]:
    """Return the computation of each column that no field holds, in their order; ``head`` always says what the header of the group says."""
    return [_computation(column, record_type, {} if head is None else head) for column in record_type.computed]


def _computation(column: Column, record_type: RecordType, head: Head) -> Computation:
    if column.from_header is not None:
        return _of_header(column.from_header, head)
    if column.joined:
        return _of_texts(column, record_type)
    if column.plus:
        return _of_sides(column, record_type)
    return _of_signs(column, record_type)


def _of_header(name: str, head: Head) -> Computation:
    """What the header says that stands before the record."""

    def make(_values: Values) -> Value | Fault | None:
        return head[name] if name in head else Fault(HEADER_UNREAD, {})

    return Computation((), make)


def _of_texts(column: Column, record_type: RecordType) -> Computation:
    """A date or an instant whose parts stand in several columns."""
    places = tuple(record_type.position(name) for name in column.joined)
    read = field_reader(column).read

    def make(values: Values) -> Value | Fault | None:
        return read("".join([str(values[place]) for place in places]))

    return Computation(places, make)


def _of_sides(column: Column, record_type: RecordType) -> Computation:
    """An amount that stands in one of two columns; the other is empty, or zero."""
    plus, minus = (record_type.position(name or "") for name in (column.plus, column.minus))

    def make(values: Values) -> int | Fault:
        added, taken = values[plus], values[minus]
        is_one_left_out = not added or not taken
        if (added is None and taken is None) or not is_one_left_out:
            facts: dict[str, str | int] = {"plus": column.plus or "", "minus": column.minus or ""}
            return Fault("record.sides_unclear", facts)
        return _number(added) - _number(taken)

    return Computation((plus, minus), make)


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def _of_signs(column: Column, record_type: RecordType) -> Computation:
    """An amount whose sign other columns say; each that says minus turns it."""
    amount = record_type.position(column.of or "")
    signs = [_sign(record_type, sign) for sign in column.signs]
    only = [(record_type.position(column.only.column), column.only)] if column.only else []

    def make(values: Values) -> int | Fault:
        found = _number(values[amount])
        if any(not _is_counted(values[place], wanted) for place, wanted in only):
            found = 0
        for place, sign, is_plus, is_minus in signs:
            value = "" if values[place] is None else str(values[place])
            if is_minus(value):
                found = -found
            elif not is_plus(value):
                return _unknown(sign, value)
        return found

    return Computation((amount, *(sign.place for sign in signs), *(place for place, _only in only)), make)


class _Sign(NamedTuple):
    place: int
    by: SignBy
    is_plus: Callable[[str], bool]
    is_minus: Callable[[str], bool]


def _sign(record_type: RecordType, by: SignBy) -> _Sign:
    place = record_type.position(by.column)
    are_counts = record_type.columns[place].kind is Kind.COUNT
    is_plus, is_minus = (holder_of(values, are_counts=are_counts) for values in (by.positive, by.negative))
    return _Sign(place, by, is_plus, is_minus)


def _is_counted(value: Value | None, only: Only) -> bool:
    return ("" if value is None else str(value)) in only.values


def _unknown(sign: SignBy, found: str) -> Fault:
    known = ", ".join(f"“{each}”" for each in (*sign.positive, *sign.negative))
    return Fault("record.sign_unknown", {"name": sign.column, "found": shown(found), "known": known})
