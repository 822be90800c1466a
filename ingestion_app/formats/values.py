"""Strict reading of one field: text to a typed value, or the fault that explains why not.

Every column has two readers that must agree. The careful one reads any text and names what is wrong with it. The quick one is a pattern and
a conversion that together take only texts which the careful one takes, with the same value; what they do not take is left to the careful one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from ingestion_app.formats.amount_styles import AmountStyle
from ingestion_app.formats.amounts import amount_parser, example
from ingestion_app.formats.definition import Column, DateFormat, InstantFormat, Kind, Side
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.moments import compile_format
from ledger_app.errors import printable
from ledger_app.errors.printable import code_point
from ledger_app.values.most import AMOUNT_MOST

AMOUNT_LIMIT = AMOUNT_MOST  # the largest amount of a record or of a trailer, either sign, in minor units
FIRST_YEAR, LAST_YEAR = 1900, 2999  # years outside are mistakes, and databases differ in what they make of them

Value = str | int | date | datetime

_AMOUNT = re.compile(r"0|-?[1-9][0-9]*")
_COUNT = re.compile(r"0|[1-9][0-9]*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]+")
_YEAR = "(?:19[0-9]{2}|2[0-9]{3})"
_DATE_SHAPES = {DateFormat.COMPACT: _YEAR + "[0-9]{4}", DateFormat.DASHED: _YEAR + "-[0-9]{2}-[0-9]{2}"}
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_INSTANT_SHAPES = {
    InstantFormat.UTC: f"{_DATE_SHAPES[DateFormat.DASHED]}T{_CLOCK}Z",
    InstantFormat.LOCAL: f"{_DATE_SHAPES[DateFormat.DASHED]} {_CLOCK}",
}
_LINE_ENDING = re.compile("\r?\n")
_SHOWN_CHARACTERS = 60
_DIGITS_OF_LIMIT = len(str(AMOUNT_LIMIT))
_REMEMBERED_DAYS = 4096
_MOMENT_CHARACTERS = 64  # more than any format spells


@dataclass(frozen=True, slots=True)
class FieldReader:
    """Reads one column: ``read`` carefully; ``pattern`` and ``convert`` quickly (None: the text is the value; ValueError: ask ``read``).

    The value None is that of a column that may be absent, and is.
    """

    column: Column
    read: Callable[[str], Value | Fault | None]
    pattern: str
    convert: Callable[[str], Value | None] | None


def field_reader(column: Column, *, never: str = "") -> FieldReader:
    """Return the reader of ``column``; its pattern takes none of the characters in ``never`` (written as in a character class)."""
    present = _present(column, never)
    if not column.optional:
        return _unpadded(present, never)
    # The default may be filled up, as the sender fills up what it writes.
    default = None if column.default is None else _unpadded(present, never).read(column.default)
    assert not isinstance(default, Fault), default.rule  # noqa: S101 - such a definition is refused
    return _unpadded(_optional(present, default), never)


def _optional(reader: FieldReader, default: Value | None) -> FieldReader:
    """Return the reader of a column that may be empty: it then has its default, or no value."""
    column, read, convert = reader.column, reader.read, reader.convert
    empties = ("", *column.empties)

    def converted(text: str) -> Value | None:
        if text in empties:
            return default
        return text if convert is None else convert(text)

    # What stands for an empty field and reads otherwise is left to the careful way.
    return FieldReader(column, lambda text: default if text in empties else read(text), f"(?:{reader.pattern})?", converted)


def _present(column: Column, never: str) -> FieldReader:
    if column.constant is not None:
        is_quick = not never or re.search(f"[{never}]", column.constant) is None
        return FieldReader(
            column, lambda text: _read_constant(column, text), re.escape(column.constant) if is_quick else "(?!)", None
        )
    if (read := _written_otherwise(column)) is not None:
        return _by_care(column, read, never)
    match column.kind:
        case Kind.TEXT:
            pattern = f"[^{printable.DOUBTFUL}{never}]{{1,{column.width}}}"
            return FieldReader(column, lambda text: _read_text(column, text), pattern, None)
        case Kind.IDENTIFIER:
            return FieldReader(column, lambda text: _read_identifier(column, text), f"[A-Za-z0-9._-]{{1,{column.width}}}", None)
        case Kind.AMOUNT:
            sign = "-?" if column.minimum < 0 else ""
            pattern = f"(?:{sign}[1-9][0-9]{{0,14}}|0)"
            return FieldReader(column, lambda text: _read_amount(column, text), pattern, _amount_conversion(column.minimum))
        case Kind.COUNT:
            return FieldReader(column, lambda text: _read_count(column, text), "(?:[1-9][0-9]{0,14}|0)", int)
        case Kind.DATE:
            shape = _DATE_SHAPES[DateFormat(column.format or DateFormat.DASHED)]
            return FieldReader(column, lambda text: _read_date(column, text), shape, date.fromisoformat)
        case Kind.INSTANT:
            return _instant_reader(column)
        case Kind.UNUSED:
            return FieldReader(column, lambda _text: None, f"[^\\r\\n\\0{never}]*", lambda _text: None)


def _written_otherwise(column: Column) -> Callable[[str], Value | Fault] | None:
    """Return what reads a column that is held to more, or written in other ways, than its kind is by itself; None for the others."""
    if column.values or column.pattern is not None:
        return _chosen(column)
    if column.kind is Kind.AMOUNT and column.amount is not None:
        return _styled(column, column.amount)
    if column.kind is Kind.DATE and column.format not in {None, *DateFormat}:
        return _dated(column)
    if column.kind is Kind.INSTANT and column.format not in {None, *InstantFormat}:
        return _dated(column)
    return None


def _by_care(column: Column, read: Callable[[str], Value | Fault | None], never: str) -> FieldReader:
    """Return a reader whose quick way asks the careful one: of any text but what needs quotes."""

    def convert(text: str) -> Value | None:
        value = read(text)
        if isinstance(value, Fault):
            raise ValueError(value.rule)  # noqa: TRY004 - as every conversion refuses
        return value

    return FieldReader(column, read, f"[^\\r\\n\\0{never}]*", convert)


def _unpadded(reader: FieldReader, never: str) -> FieldReader:
    """Return the reader of a column that may be filled up: what it is filled up with is taken off before it is read."""
    padding = reader.column.padding
    if padding is None:
        return reader
    empties, character = reader.column.empties, padding.character
    strip = str.lstrip if padding.side is Side.LEFT else str.rstrip
    is_zero_kept = character == "0"

    def read(text: str) -> Value | Fault | None:
        # What stands for an empty field does so as it is written.
        bare = text if text in empties else strip(text, character)
        return reader.read("0" if is_zero_kept and text and not bare else bare)

    return _by_care(reader.column, read, never)


def _chosen(column: Column) -> Callable[[str], Value | Fault]:
    """Return what reads a text that is one of a few, or of one form."""
    read = _read_text if column.kind is Kind.TEXT else _read_identifier
    has_form = re.compile(column.pattern).fullmatch if column.pattern is not None else None

    def chosen(text: str) -> Value | Fault:
        value = read(column, text)
        if isinstance(value, Fault):
            return value
        if column.values and text not in column.values:
            return _fault("record.value_unknown", column, text, known=", ".join(column.values))
        if has_form is not None and has_form(text) is None:
            return _fault("record.form_differs", column, text, form=column.pattern or "")
        return value

    return chosen


def _styled(column: Column, style: AmountStyle) -> Callable[[str], Value | Fault]:
    parse = amount_parser(style)

    def read(text: str) -> Value | Fault:
        amount = parse(text)
        if amount is None:
            return _fault("record.amount_written_otherwise", column, text, example=example(style))
        if not max(column.minimum, -AMOUNT_LIMIT) <= amount <= AMOUNT_LIMIT:
            return _fault("record.amount_out_of_range", column, text, minimum=column.minimum, maximum=AMOUNT_LIMIT)
        return amount

    return read


def _dated(column: Column) -> Callable[[str], Value | Fault]:
    spelled = column.format or ""
    # Without the day of its file, as where a definition is loaded, nothing passes that needs it.
    compiled = compile_format(spelled, century=column.century, era=column.era, near=column.near)
    assert compiled is not None, spelled  # noqa: S101 - such a definition is refused
    rule = "record.date_invalid" if column.kind is Kind.DATE else "record.instant_invalid"
    # Days come again and again, and times hardly ever.
    moment_of = lru_cache(maxsize=_REMEMBERED_DAYS)(compiled.read) if column.kind is Kind.DATE else compiled.read

    def read(text: str) -> Value | Fault:
        # The length is looked at first: nothing as long as a line may be remembered.
        moment = moment_of(text) if len(text) <= _MOMENT_CHARACTERS else None
        if moment is None or not FIRST_YEAR <= moment.clock.year <= LAST_YEAR:
            return _fault(rule, column, text, format=spelled, first_year=FIRST_YEAR, last_year=LAST_YEAR)
        if column.kind is Kind.DATE:
            return moment.clock.date()
        if moment.offset is not None:
            return moment.clock - moment.offset
        return _in_zone(column, text, moment.clock)

    return read


def amount_below_minimum(column: Column) -> Callable[[str], int | None]:
    """Return what reads an amount as its column is written, one below its minimum too; None where it cannot be read."""
    read = field_reader(replace(column, minimum=-AMOUNT_LIMIT)).read

    def amount(text: str) -> int | None:
        value = read(text)
        return value if isinstance(value, int) else None

    return amount


def shown(text: str) -> str:
    """Return ``text`` fit to stand in a sentence: cut short, with what cannot be seen written as its code point."""
    cut = text[:_SHOWN_CHARACTERS] + ("…" if len(text) > _SHOWN_CHARACTERS else "")
    return "".join([f"<{code_point(each)}>" if printable.unseen(each) else each for each in cut])


def _fault(rule: str, column: Column, text: str, **facts: str | int) -> Fault:
    return Fault(rule, {"name": column.name, "found": shown(text), **facts})


def _read_constant(column: Column, text: str) -> Value | Fault:
    if text == column.constant:
        return text
    return _fault("record.constant_differs", column, text, expected=column.constant or "")


def _read_text(column: Column, text: str) -> Value | Fault:
    if column.joins_lines:
        text = _LINE_ENDING.sub(" ", text)
    if not text:
        return Fault("record.text_empty", {"name": column.name})
    if len(text) > column.width:
        return _fault("record.text_too_long", column, text, length=len(text), width=column.width)
    if unseen := printable.unseen(text):
        return _fault("record.text_control_character", column, text, character=code_point(unseen))
    return text


def _read_identifier(column: Column, text: str) -> Value | Fault:
    if _IDENTIFIER.fullmatch(text) is None or len(text) > column.width:
        return _fault("record.identifier_invalid", column, text, width=column.width)
    return text


def _read_amount(column: Column, text: str) -> Value | Fault:
    if _AMOUNT.fullmatch(text) is None:
        return _fault("record.amount_invalid", column, text)
    # The length is looked at first: turning a line-long row of digits into a number would take long.
    amount = int(text) if len(text) <= _DIGITS_OF_LIMIT + 1 else None
    if amount is None or not max(column.minimum, -AMOUNT_LIMIT) <= amount <= AMOUNT_LIMIT:
        return _fault("record.amount_out_of_range", column, text, minimum=column.minimum, maximum=AMOUNT_LIMIT)
    return amount


def _amount_conversion(minimum: int) -> Callable[[str], int]:
    if minimum == 0:
        return int

    def convert(text: str) -> int:
        amount = int(text)
        if amount < minimum:
            raise ValueError
        return amount

    return convert


def _read_count(column: Column, text: str) -> Value | Fault:
    if _COUNT.fullmatch(text) is None or len(text) > _DIGITS_OF_LIMIT or int(text) > AMOUNT_LIMIT:
        return _fault("record.count_invalid", column, text, maximum=AMOUNT_LIMIT)
    return int(text)


def _read_date(column: Column, text: str) -> Value | Fault:
    written = DateFormat(column.format or DateFormat.DASHED)
    fault = _fault("record.date_invalid", column, text, format=str(written), first_year=FIRST_YEAR, last_year=LAST_YEAR)
    if re.fullmatch(_DATE_SHAPES[written], text) is None:
        return fault
    digits = text.replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return fault


def _instant_reader(column: Column) -> FieldReader:
    written = InstantFormat(column.format or InstantFormat.UTC)
    convert = _local_conversion(column.zone) if column.zone is not None else datetime.fromisoformat
    return FieldReader(column, lambda text: _read_instant(column, written, text), _INSTANT_SHAPES[written], convert)


def _read_instant(column: Column, written: InstantFormat, text: str) -> Value | Fault:
    fault = _fault("record.instant_invalid", column, text, format=str(written), first_year=FIRST_YEAR, last_year=LAST_YEAR)
    if re.fullmatch(_INSTANT_SHAPES[written], text) is None:
        return fault
    year, month, day, hour, minute, second = (
        int(text[start:end]) for start, end in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return fault
    return moment if column.zone is None else _in_zone(column, text, moment)


def _in_zone(column: Column, text: str, moment: datetime) -> Value | Fault:
    """Return the instant at which clocks in the column's zone show this, where they do so once."""
    assert column.zone is not None, column.name  # noqa: S101 - a definition without it is refused
    before, after = _offsets(moment, column.zone)
    if before < after:
        return _fault("record.instant_skipped", column, text, zone=str(column.zone))
    if before > after:
        return _fault("record.instant_ambiguous", column, text, zone=str(column.zone))
    return moment - before


def _offsets(clock: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """Return what the zone adds to UTC when its clocks show this, before and after they change; equal: the time exists once."""
    local = clock.replace(tzinfo=zone)
    return local.utcoffset() or timedelta(0), local.replace(fold=1).utcoffset() or timedelta(0)


def _local_conversion(zone: tzinfo) -> Callable[[str], datetime]:
    # Asking the zone for every record costs more than all the rest of reading it, so it is asked once a day.
    @lru_cache(maxsize=_REMEMBERED_DAYS)
    def offset_of_day(day: str) -> timedelta | None:
        midnight = datetime.fromisoformat(day)
        moments = [midnight + timedelta(hours=hour) for hour in range(24)] + [midnight + timedelta(seconds=86_399)]
        offsets = {offset for moment in moments for offset in _offsets(moment, zone)}
        return offsets.pop() if len(offsets) == 1 else None

    def convert(text: str) -> datetime:
        offset = offset_of_day(text[:10])
        if offset is None:
            # The clocks change on this day: only the careful reader says which of its times exist once.
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC) - offset

    return convert
