"""What the records of a file add up to beside their count and sum, and whether that is what its header and trailer say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import NamedTuple

from ingestion_app.checks.record import Row
from ingestion_app.formats.definition import Definition, HashTotal, Total
from ingestion_app.formats.values import Value

Said = Mapping[str, Value | None]
QuickReader = Callable[[bytes, int, int], Row | None]


class Counted(NamedTuple):
    """The data records in their place in a file: how many, what their readable amounts add up to, and of how many that cannot be read."""

    records: int
    total: int
    unreadable: int


class Differing(NamedTuple):
    """A control that is not met: its rule, the column of the trailer that says it, and the facts."""

    rule: str
    column: str
    facts: Mapping[str, str | int]


@dataclass(slots=True)
class Tally:
    """What is counted where the sender sends more than count and sum; ``negative_sum`` with its sign."""

    positive_count: int = 0
    negative_count: int = 0
    negative_sum: int = 0
    hash_sum: int = 0
    unhashed_count: int = 0

    def take(self, amount: int) -> None:
        """Count an amount by its direction; a zero has none."""
        if amount < 0:
            self.negative_count += 1
            self.negative_sum += amount
        elif amount:
            self.positive_count += 1

    def add(self, other: "Tally") -> None:
        """Add what another process counted."""
        for name, value in zip(self.__slots__, astuple(other), strict=True):
            setattr(self, name, getattr(self, name) + value)


class Controls:
    """The controls of one file: takes its records, hears what header and trailer say, and compares."""

    def __init__(self, definition: Definition) -> None:
        """Begin with nothing taken and nothing heard."""
        self._roles = definition.roles
        self._header: Said = {}
        self._trailer: Said = {}
        self.tally = Tally()
        total = definition.roles.hash_total
        self._hashed = None if total is None else (definition.layout.data.position(total.of), hashed(total))

    def counting(self, quick: QuickReader) -> QuickReader:
        """Return a reader that counts what it reads; where count and sum are all that is asked, the reader itself."""
        if self._hashed is None and not self._roles.totals:
            return quick
        take = self.take

        def read(whole: bytes, number: int, offset: int) -> Row | None:
            row = quick(whole, number, offset)
            if row is not None:
                take(row)
            return row

        return read

    def take(self, row: Row) -> None:
        """Count a record."""
        self.tally.take(row.amount)
        if self._hashed is not None:
            place, read = self._hashed
            value = read(row.values[place])
            if value is None:
                self.tally.unhashed_count += 1
            else:
                self.tally.hash_sum += value

    def take_bad(self, amount: int | None) -> None:
        """Count a record that is not well formed: its amount where that can be read, and nothing else of it."""
        self.tally.unhashed_count += 1
        if amount is not None:
            self.tally.take(amount)

    def hear_header(self, said: Said) -> None:
        """Take in what the header says by column."""
        self._header = said

    def hear_trailer(self, said: Said) -> None:
        """Take in what the trailer says by column."""
        self._trailer = said

    def said(self, column: str | None) -> int | None:
        """Return what the trailer says in a column; None where it cannot be read, or there is none."""
        return _number(self._trailer, column)

    def compare(self, counted: Counted) -> Iterator[Differing]:
        """Yield each control that is not met. What leaves records out proves nothing, even where it happens to agree."""
        roles = self._roles
        count, total = self.said(roles.trailer_count), self.said(roles.trailer_sum)
        if roles.trailer_count and count is not None and count != counted.records:
            yield Differing("control.count_differs", roles.trailer_count, {"expected": count, "found": counted.records})
        if roles.trailer_sum and total is not None:
            if counted.unreadable:
                facts = {"expected": total, "records": counted.unreadable}
                yield Differing("control.sum_unverifiable", roles.trailer_sum, facts)
            elif total != counted.total:
                yield Differing("control.sum_differs", roles.trailer_sum, {"expected": total, "found": counted.total})
        found = self._found(counted)
        for control, column in roles.totals:
            yield from self._compared(f"control.{control}_differs", column, self.said(column), found[control], counted.unreadable)
        yield from self._compare_hash()
        yield from self._compare_balance(counted)

    def _found(self, counted: Counted) -> dict[Total, int]:
        tally = self.tally
        return {
            Total.ABSOLUTE_SUM: counted.total - 2 * tally.negative_sum,
            Total.POSITIVE_SUM: counted.total - tally.negative_sum,
            Total.NEGATIVE_SUM: -tally.negative_sum,
            Total.POSITIVE_COUNT: tally.positive_count,
            Total.NEGATIVE_COUNT: tally.negative_count,
        }

    def _compare_hash(self) -> Iterator[Differing]:
        total = self._roles.hash_total
        if total is not None:
            found = self.tally.hash_sum % total.modulus if total.modulus else self.tally.hash_sum
            yield from self._compared(
                "control.hash_differs", total.trailer, self.said(total.trailer), found, self.tally.unhashed_count
            )

    def _compare_balance(self, counted: Counted) -> Iterator[Differing]:
        """Opening balance and the sum of the records are the closing balance."""
        balance = self._roles.balance
        if balance is None:
            return
        opening = _number(self._header if balance.is_opened_in_header else self._trailer, balance.opening)
        if opening is not None:
            found = opening + counted.total
            yield from self._compared(
                "control.balance_differs", balance.closing, self.said(balance.closing), found, counted.unreadable, opening=opening
            )

    def _compared(
        self, rule: str, column: str, expected: int | None, found: int, unreadable: int, **facts: int
    ) -> Iterator[Differing]:
        if expected is not None and unreadable:
            yield Differing("control.unverifiable", column, {"name": column, "expected": expected, "records": unreadable})
        elif expected is not None and expected != found:
            yield Differing(rule, column, {"name": column, "expected": expected, "found": found, **facts})


def hashed(total: HashTotal) -> Callable[[Value | None], int | None]:
    """Return what makes of a value the number that is added up: its first digits; None where they are not digits alone."""

    def read(value: Value | None) -> int | None:
        text = str(value)
        digits = text[: total.digits] if total.digits else text
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) >= (total.digits or 1) else None

    return read


def _number(said: Said, column: str | None) -> int | None:
    value = said.get(column) if column is not None else None
    return value if isinstance(value, int) else None
