"""Reads one line as a record of its type: quickly where it is well formed, carefully where something has to be explained."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from ingestion_app.checks.keys import Keys
from ingestion_app.formats.computing import Head, computations
from ingestion_app.formats.definition import Cutting, Definition, RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line, LineFormat
from ingestion_app.formats.values import Value, amount_below_minimum, field_reader, shown
from ledger_app.errors.card_numbers import holds, is_masked_on_arrival, masked_text, may_hold_bytes, may_hold_of_line
from ledger_app.values.identifiers import KINDS

# In these the bytes of a line tell whether a card number may stand in it; in others those of full-width digits are other bytes.
_TOLD_BY_BYTES = ("utf-8", "cp932")
_SHIFT = b"\x1b"  # what ISO-2022-JP begins other characters with, in the bytes of ASCII


class Row(NamedTuple):
    """One well-formed data record.

    ``length`` is the line's bytes without its ending and ``raw`` those bytes; ``key`` the key columns joined by ``/``; ``amount`` in minor
    units; ``values`` one a data column, typed, with instants in UTC, None where the record has no value.
    """

    line: int
    offset: int
    length: int
    key: str
    holder: str
    amount: int
    values: tuple[str | int | date | datetime | None, ...]
    raw: bytes


_row = partial(tuple.__new__, Row)  # without the keywords that its constructor parses


class Fields(NamedTuple):
    """A line read carefully: each column's text (or why it has none) and value (None: absent, or could not be read), and every fault.

    A fault has its field's number, 0 where it is the line's.
    """

    texts: Sequence[str | Fault]
    values: list[Value | None]
    faults: list[tuple[int, Fault]]


class CarefulReader:
    """Reads lines of one record type and names everything that is wrong with them."""

    def __init__(self, lines: LineFormat, record_type: RecordType, head: Head | None = None) -> None:
        """``head`` is what the header says under which the lines stand."""
        self._lines = lines
        self._type = record_type
        self._readers = [field_reader(column) for column in record_type.written]
        self._computed = computations(record_type, head)

    def read(self, line: Line) -> Fields:
        """Return the line's values and faults; no values where it cannot be cut into the right number of fields."""
        texts = self._lines.cut(line, self._type)
        if isinstance(texts, Fault):
            return Fields((), [], [(0, texts)])
        values: list[Value | None] = []
        faults = []
        for field, (reader, text) in enumerate(zip(self._readers, texts, strict=True), start=self._type.first_field):
            value = text if isinstance(text, Fault) else reader.read(text)
            if isinstance(value, Fault):
                faults.append((field, value))
                values.append(None)
            else:
                values.append(value)
        faulty = {field - self._type.first_field for field, _fault in faults}
        for computation in self._computed:
            made = None if faulty.intersection(computation.needs) else computation.make(values)
            if isinstance(made, Fault):
                # What the header says stands in no field of the line.
                faults.append((computation.needs[0] + self._type.first_field if computation.needs else 0, made))
                made = None
            values.append(made)
        return Fields(texts, values, faults)


class DataReader:
    """Reads data records: ``quick`` takes most well-formed lines, ``careful`` every line; both make the same row of the same line."""

    def __init__(self, lines: LineFormat, definition: Definition, keys: Keys | None = None, head: Head | None = None) -> None:
        """``keys`` make a record's key of its values, without them it is made of columns alone; ``head`` is what its header says."""
        data = definition.layout.data
        self._careful = CarefulReader(lines, data, head)
        self._keys = keys or Keys(definition)
        self._computed = computations(data, head)
        self._holder = data.position(definition.roles.holder)
        self._amount = data.position(definition.roles.amount)
        amount = data.columns[self._amount]
        self._amount_below = None if amount.is_computed else amount_below_minimum(amount)
        self._first_field = data.first_field
        self._open = {place: data.columns[place].name for place in _looked_at(definition)}
        self.quick = self._quick_reader(lines, data)

    def careful(self, line: Line) -> tuple[Row | None, list[tuple[int, Fault]], int | None]:
        """Return the row, or None with the faults; and the amount wherever it can be read."""
        fields = self._careful.read(line)
        faults = fields.faults + self._card_numbers(fields)
        if faults:
            return None, faults, self._amount_of(fields)
        values = tuple(fields.values)
        key = self._keys.of(values, line.number)
        holder, amount = str(values[self._holder]), self._amount_of(fields)
        assert amount is not None, "a record without faults has an amount"  # noqa: S101 - its column may not be absent
        return Row(line.number, line.offset, len(line.content), key, holder, amount, values, line.content), [], amount

    def values(self, line: Line) -> Sequence[Value | None]:
        """Return the values of a line, None where one could not be read."""
        return self._careful.read(line).values

    def _amount_of(self, fields: Fields) -> int | None:
        """Return the amount, also one below its minimum, or None where it cannot be read."""
        value = fields.values[self._amount] if fields.values else None
        if isinstance(value, int):
            return value
        text = fields.texts[self._amount] if self._amount_below and fields.texts else None
        return self._amount_below(text) if self._amount_below and isinstance(text, str) else None

    def _card_numbers(self, fields: Fields) -> list[tuple[int, Fault]]:
        """Name the columns whose text would have a card number kept, and those in which one was masked when the file came."""
        found = []
        for place, name in self._open.items() if fields.texts else ():
            # The value is looked at too: what fills a field up hides the number in it.
            said = next(
                (each for each in (fields.texts[place], fields.values[place]) if isinstance(each, str) and holds_card(each)), None
            )
            if said is not None:
                facts = {"name": name, "found": shown(masked_text(said))}
                found.append((place + self._first_field, Fault("record.card_number", facts)))
        return found

    def _quick_reader(self, lines: LineFormat, data: RecordType) -> Callable[[bytes, int, int], Row | None]:
        read = lines.quick_reader(data)
        holder_place, amount_place = self._holder, self._amount
        key_of = self._keys.quick
        makes = [computation.make for computation in self._computed]
        ending_bytes = len(lines.layout.line_ending)
        open_places = tuple(self._open)
        is_told_by_bytes = lines.is_wide or lines.layout.encoding in _TOLD_BY_BYTES
        has_escapes = lines.layout.cutting is Cutting.JSON_LINES
        narrow = lines.narrow if lines.is_wide else None

        def may_hold(whole: bytes, values: list[Value | None]) -> bool:
            if has_escapes and b"\\" in whole:
                return may_hold_bytes("\n".join([str(values[place]) for place in open_places]).encode())
            if is_told_by_bytes or (whole.isascii() and _SHIFT not in whole):
                return may_hold_bytes(whole if narrow is None else narrow(whole))
            return may_hold_of_line("\n".join([str(values[place]) for place in open_places]))

        def quick(whole: bytes, number: int, offset: int) -> Row | None:
            values = read(whole)
            if values is None:
                return None
            if may_hold(whole, values) and any(holds_card(str(values[place])) for place in open_places):
                return None
            for make in makes:
                made = make(values)
                if isinstance(made, Fault):
                    return None
                values.append(made)
            raw = whole[:-ending_bytes] if ending_bytes else whole
            key = key_of(values, number)
            return _row((number, offset, len(raw), key, values[holder_place], values[amount_place], tuple(values), raw))

        return quick


def holds_card(text: str) -> bool:
    """Whether a text has a card number in it, or one that was masked when its file came."""
    return holds(text) or is_masked_on_arrival(text)


def _looked_at(definition: Definition) -> list[int]:
    """Return the places of the data columns that hold texts, but for those that the layout says to be of long numbers of its own or of cards."""
    data = definition.layout.data
    kind = KINDS.get(definition.roles.holder_kind)
    cards = definition.roles.holder if kind is not None and kind.is_secret else ""
    return [
        place
        for place, column in enumerate(data.columns)
        # What the header says is looked at where that is read.
        if column.kind.is_text and not column.is_computed
        if not column.may_look_like_card and column.name != cards
    ]
