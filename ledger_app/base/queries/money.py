"""Amounts in the lines that commands print for people: with the decimals and the unit of their book."""

from collections.abc import Iterable

from ledger_app.errors.units import Unit
from ledger_app.models import Book
from ledger_app.values.amounts import decimal_text


def units_of(codes: Iterable[str]) -> dict[str, Unit]:
    """Return the units of books by their codes."""
    return {book.code: Unit(book.unit, book.exponent) for book in Book.objects.filter(code__in=list(codes))}


def text(amount: int, unit: Unit | None) -> str:
    """Return an amount in its unit; as it stands where it is in no book's."""
    return str(amount) if unit is None else f"{decimal_text(amount, unit.exponent)} {unit.name}"
