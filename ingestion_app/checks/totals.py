"""What the records of a file add up to beside their count and sum, and whether that is what its header and trailer say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingestion_app.checks.record import Row
from ingestion_app.formats.control_totals import HashTotal, Total
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.values import Value

Said = Mapping[str, Value | None]
QuickReader = Callable[[bytes, int, int], Row | None]


class Counted(NamedTuple):
    """The data records in their place in a file: how many, what their readable amounts add up to, and of how many that cannot be read."""

    records: int
    total: int
    unreadable: int

    def less(self, other: "Counted") -> "Counted":
        """Return what came since ``other`` was counted."""
        return Counted(*(own - before for own, before in zip(self, other, strict=True)))


class Summed(NamedTuple):
    """What records and headers add up to where a sum is told at every level, and of how many something cannot be read."""

    total: int = 0
    unreadable: int = 0

    def less(self, other: "Summed") -> "Summed":
        """Return what came since ``other``."""
        return Summed(self.total - other.total, self.unreadable - other.unreadable)

    def differing(self, level: str, name: str, said: Value | None) -> Iterator[tuple[str, Mapping[str, str | int]]]:
        """Yield the rule and the facts where what is ``said`` in a column is not this."""
        if not isinstance(said, int):
            return
        if self.unreadable:
            yield f"{level}unverifiable", {"name": name, "expected": said, "records": self.unreadable}
        elif said != self.total:
            yield f"{level}total_differs", {"name": name, "expected": said, "found": self.total}


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
    bad_count: int = 0
    control_sum: int = 0
    of_values: list[int] = field(default_factory=list)  # of each control by value: count and sum

    def take(self, amount: int) -> None:
        """Count an amount by its direction; a zero has none."""
        if amount < 0:
            self.negative_count += 1
            self.negative_sum += amount
        elif amount:
            self.positive_count += 1

    def add(self, other: "Tally") -> None:
        """Add what another process counted."""
        for name in self.__slots__:
            own, found = getattr(self, name), getattr(other, name)
            is_list = isinstance(own, list)
            setattr(self, name, [one + more for one, more in zip(own, found, strict=True)] if is_list else own + found)


class Controls:
    """The controls of one file: takes its records, hears what header and trailer say, and compares."""

    def __init__(self, definition: Definition) -> None:
        """Begin with nothing taken and nothing heard."""
        self._roles = definition.roles
        self._header: Said = {}
        self._is_headed = False
        self._trailer: Said = {}
        roles, position = definition.roles, definition.layout.data.position
        self._by_value = [(position(each.column), each.values, position(each.of or roles.amount)) for each in roles.by_value]
        self.tally = self._nothing()
        total = roles.hash_total
        self._hashed = None if total is None else (position(total.of), hashed(total))
        self._nested_sum = roles.nested_sum
        self._summed_place = None if roles.nested_sum is None else position(roles.nested_sum.of)
        self._summed_before = Summed()  # of the groups before this one

    def _nothing(self) -> Tally:
        return Tally(of_values=[0, 0] * len(self._by_value))

    def begin_group(self) -> None:
        """Count anew, for a group with a header and a trailer of its own."""
        self._summed_before = self.summed
        self._header = self._trailer = {}
        self._is_headed = False
        self.tally = self._nothing()

    def counting(self, quick: QuickReader) -> QuickReader:
        """Return a reader that counts what it reads; where count and sum are all that is asked, the reader itself."""
        if self._hashed is None and not self._roles.totals and not self._by_value and self._summed_place is None:
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
        self.take_values(row.values, row.amount)

    def take_values(self, values: Sequence[Value | None], amount: int) -> None:
        """Count a record that has these values."""
        self.tally.take(amount)
        if self._summed_place is not None:
            self.tally.control_sum += _number_of(values[self._summed_place])
        if self._hashed is not None:
            place, read = self._hashed
            value = read(values[place])
            if value is None:
                self.tally.unhashed_count += 1
            else:
                self.tally.hash_sum += value
        for number, (column, wanted, of) in enumerate(self._by_value):
            found, added = values[column], values[of]
            if ("" if found is None else str(found)) in wanted:
                self.tally.of_values[2 * number] += 1
                self.tally.of_values[2 * number + 1] += _number_of(added)

    def take_bad(self, amount: int | None) -> None:
        """Count a record that is not well formed: its amount where that can be read, and nothing else of it."""
        self.tally.unhashed_count += 1
        self.tally.bad_count += 1
        if amount is not None:
            self.tally.take(amount)

    def hear_header(self, said: Said) -> None:
        """Take in what the header says by column."""
        self._header, self._is_headed = said, True

    def hear_trailer(self, said: Said) -> None:
        """Take in what the trailer says by column."""
        self._trailer = said

    @property
    def summed(self) -> Summed:
        """What all groups up to here add up to, with what their headers say."""
        before, own = self._summed_before, self._summed_of_group
        return Summed(before.total + own.total, before.unreadable + own.unreadable)

    @property
    def _summed_of_group(self) -> Summed:
        total, tally = self._nested_sum, self.tally
        if total is None or total.header is None or not self._is_headed:
            return Summed(tally.control_sum, tally.bad_count)
        said = _number(self._header, total.header)
        return Summed(tally.control_sum + (said or 0), tally.bad_count + (said is None))

    def stated(self, column: str | None) -> int | None:
        """Return what the trailer says in a column; None where it cannot be read, or there is none."""
        return _number(self._trailer, column)

    def compare(self, counted: Counted) -> Iterator[Differing]:
        """Yield each control that is not met. What leaves records out proves nothing, even where it happens to agree."""
        roles = self._roles
        count, total = self.stated(roles.trailer_count), self.stated(roles.trailer_sum)
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
            yield from self._compared(
                f"control.{control}_differs", column, self.stated(column), found[control], counted.unreadable
            )
        for number, by in enumerate(roles.by_value):
            of_value: dict[str, str | int] = {"column": by.column, "values": ", ".join(by.values)}
            asked = (("count", by.count), ("sum", by.sum))
            for (what, name), value in zip(asked, self.tally.of_values[2 * number : 2 * number + 2], strict=True):
                if name is not None:
                    rule = f"control.by_value_{what}_differs"
                    yield from self._compared(rule, name, self.stated(name), value, self.tally.bad_count, **of_value)
        yield from self._compare_hash()
        yield from self._compare_balance(counted)
        yield from self._compare_nested()

    def _found(self, counted: Counted) -> dict[Total, int]:
        tally = self.tally
        return {
            Total.ABSOLUTE_SUM: counted.total - 2 * tally.negative_sum,
            Total.POSITIVE_SUM: counted.total - tally.negative_sum,
            Total.NEGATIVE_SUM: -tally.negative_sum,
            Total.POSITIVE_COUNT: tally.positive_count,
            Total.NEGATIVE_COUNT: tally.negative_count,
        }

    def _compare_nested(self) -> Iterator[Differing]:
        name = self._nested_sum.trailer if self._nested_sum is not None else None
        if name is not None:
            for rule, facts in self._summed_of_group.differing("control.", name, self.stated(name)):
                yield Differing(rule, name, facts)

    def _compare_hash(self) -> Iterator[Differing]:
        total = self._roles.hash_total
        if total is not None:
            found = self.tally.hash_sum % total.modulus if total.modulus else self.tally.hash_sum
            yield from self._compared(
                "control.hash_differs", total.trailer, self.stated(total.trailer), found, self.tally.unhashed_count
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
                "control.balance_differs",
                balance.closing,
                self.stated(balance.closing),
                found,
                counted.unreadable,
                opening=opening,
            )

    def _compared(
        self, rule: str, column: str, expected: int | None, found: int, unreadable: int, /, **facts: str | int
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


def _number_of(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def _number(said: Said, column: str | None) -> int | None:
    value = said.get(column) if column is not None else None
    return value if isinstance(value, int) else None
