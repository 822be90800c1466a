"""Columns that no field holds: amounts made of two columns, or of one and of what other columns say of its sign."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingestion_app.formats.definition import Column, RecordType, SignBy
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.values import Value, shown

Values = Sequence[Value | None]


class Computation(NamedTuple):
    """What a column is made of: the places of the columns that it needs, and what makes it of a record's values."""

    needs: tuple[int, ...]
    make: Callable[[Values], int | Fault]


def computations(record_type: RecordType) -> list[Computation]:
    """Return the computation of each column that no field holds, in their order."""
    return [_of_sides(column, record_type) if column.plus else _of_signs(column, record_type) for column in record_type.computed]


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
    signs = [(record_type.position(sign.column), sign) for sign in column.signs]

    def make(values: Values) -> int | Fault:
        found = _number(values[amount])
        for place, sign in signs:
            value = "" if values[place] is None else str(values[place])
            if value in sign.negative:
                found = -found
            elif value not in sign.positive:
                return _unknown(sign, value)
        return found

    return Computation((amount, *(place for place, _sign in signs)), make)


def _unknown(sign: SignBy, found: str) -> Fault:
    known = ", ".join(f"“{each}”" for each in (*sign.positive, *sign.negative))
    return Fault("record.sign_unknown", {"name": sign.column, "found": shown(found), "known": known})
