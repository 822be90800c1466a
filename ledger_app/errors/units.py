"""Amounts in the sentences of refusals: kept as integers of minor units, told in the unit and with the decimals of the book that they are of."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from ledger_app.errors.words import Amount, Phrase, Words

GROUP: Final = 3
MINUS: Final = "\u2212"

Some = TypeVar("Some", bound="Iterable[InUnits]")


class Unit(NamedTuple):
    """What a book counts in, and with how many decimals."""

    name: str
    exponent: int

    def text(self, amount: int) -> str:
        """Return an amount as pages show it."""
        return f"{amount_text(amount, self.exponent)} {self.name}"


# What finds the unit of a refusal by its book or by the account that it names; registered by the module that can ask the database.
Finder = Callable[["InUnits"], Unit | None]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Have the unit of each refusal that has amounts be found by ``finder``. Called when the application starts."""
    if finder not in _finders:
        _finders.append(finder)


class InUnits:
    """Something with facts, of which some are amounts."""

    # Facts that are amounts: integers in minor units, told in the unit of the book that they are of.
    amounts: ClassVar[frozenset[str]] = frozenset()
    facts: dict[str, Any]
    # The book that it is about, where the one who refuses knows it.
    book_id: int | None = None
    _unit: Unit | None = None
    _is_looked_up = False

    @property
    def amount_names(self) -> frozenset[str]:
        """Which of the facts are amounts in this case."""
        return frozenset(name for name in self.amounts if type(self.facts.get(name)) is int)

    @property
    def has_amounts(self) -> bool:
        """Whether a fact is an amount, or a phrase has one."""
        return bool(self.amount_names) or any(in_unit(value, None) is not value for value in self.facts.values())

    @property
    def unit(self) -> Unit | None:
        """What its amounts are in; None where it has none, or nobody can tell."""
        if not self._is_looked_up and self.has_amounts:
            self.keep_unit(next((unit for finder in _finders if (unit := finder(self)) is not None), None))
        return self._unit

    def keep_unit(self, unit: Unit | None) -> None:
        """Tell the amounts in this unit, or as they stand where it is None, and look no further."""
        self._unit, self._is_looked_up = unit, True

    def facts_in_words(self) -> dict[str, Any]:
        """Return the facts as a sentence tells them."""
        unit = self.unit
        if unit is None:
            return self.facts
        names = self.amount_names
        return {name: unit.text(value) if name in names else in_unit(value, unit) for name, value in self.facts.items()}


def in_unit(value: Any, unit: Unit | None) -> Any:
    """Return a fact with the amounts of its phrases told in a unit, or as they stand where there is none; one without amounts is returned itself."""
    if isinstance(value, Amount):
        return unit.text(value) if unit else int(value)
    if isinstance(value, Words):
        told = [in_unit(each, unit) for each in value]
        return value if all(new is old for new, old in zip(told, value, strict=True)) else Words(told)
    if isinstance(value, Phrase):
        facts = [(name, in_unit(each, unit)) for name, each in value.facts]
        is_same = all(new is old for (_name, new), (_also, old) in zip(facts, value.facts, strict=True))
        return value if is_same else Phrase(value.template, tuple(facts))
    return value


def belonging(reasons: Some, row: Any) -> Some:
    """Say of refusals that they are about a row, and so about its book, and return them: a book by its id, or a row that has one, or whose account has."""
    book_id = row if isinstance(row, int) else _book_of(row)
    for reason in reasons:
        if reason.book_id is None:
            reason.book_id = book_id
    return reasons


def _book_of(row: Any) -> int | None:
    for name in ("account", "entry"):
        if hasattr(row, f"{name}_id") and (owner := getattr(row, name)) is not None:
            row = owner
            break
    return getattr(row, "book_id", None)


def amount_text(value: int, exponent: int) -> str:
    """Return an amount in minor units as people read it: grouped, with ``exponent`` decimals and a true minus."""
    digits = str(abs(value)).zfill(exponent + 1)
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    return (MINUS if value < 0 else "") + _grouped(whole) + ("." + fraction if fraction else "")


def _grouped(digits: str) -> str:
    head = len(digits) % GROUP
    groups = [digits[:head]] if head else []
    return ",".join(groups + [digits[at : at + GROUP] for at in range(head, len(digits), GROUP)])
