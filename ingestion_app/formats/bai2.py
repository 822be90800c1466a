"""Reads BAI2 files strictly: records cut at commas and ended by a slash, each continued by the lines marked 88 behind it."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from ingestion_app.formats.definition import RecordType
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.lines import Line, LineFormat, QuickReader, ReadsOn
from ingestion_app.formats.values import Value, field_reader, shown

CONTINUATION = "88"
SUMMARIES = "all"  # what a column has that is the sum of all summaries of an account
# How many fields each record has behind its marker; of a transaction those that its kind of funds adds are always there.
FIELDS = {"01": 8, "02": 7, "03": 2, "16": 9, "49": 2, "98": 3, "99": 3}
MARKERS = dict(
    zip(
        ("file_header", "section_header", "header", "data", "trailer", "section_trailer", "end"),
        ("01", "02", "03", "16", "49", "98", "99"),
        strict=True,
    )
)
ACCOUNT, TRANSACTION = "03", "16"

_CONTINUES = f"{CONTINUATION},".encode()
_PIECE_BYTES = 65_536
_OF_SUMMARY = 4  # type code, amount, number of items, funds
_BEFORE_FUNDS = 2  # type code and amount
_DAYS_MOST = 99  # how many pairs of days and amounts a distribution has at most


class _Funds(NamedTuple):
    """When money can be used: its type, the day and time of value, and how amounts are spread over days, as it is written."""

    kind: str = ""
    valued_on: str = ""
    valued_at: str = ""
    availability: str = ""


class Bai2Format(LineFormat):
    """How the records of BAI2 are put together of lines, and cut into fields."""

    def complete(self, stream: BinaryIO, piece: bytes, *, number: int, offset: int) -> Line:
        """Return the record that begins with ``piece``, with all that continues it; of one that is too long its beginning alone."""
        size, tail, lines = len(piece), piece[-4:], piece.count(b"\n")
        while more := self._goes_on(stream, tail, _PIECE_BYTES):
            size += len(more)
            lines += more.count(b"\n")
            tail = (tail + more)[-4:]
        ending = self.ending_of(tail)
        length = size - len(ending)
        # The last line of a file may have no ending.
        return Line(number, offset, piece[:length], ending, size, length > self.layout.line_bytes, lines + (not ending))

    def reads_on(self, stream: BinaryIO) -> ReadsOn:
        """Return what reads a record of ``stream`` with the lines that continue it, or about so many bytes of it."""

        def read_on(size: int) -> bytes:
            piece = stream.readline(size)
            if not piece.strip():
                return piece
            while len(piece) <= self.piece_bytes and (more := self._goes_on(stream, piece, self.piece_bytes)):
                piece += more
            return piece

        return read_on

    def _goes_on(self, stream: BinaryIO, before: bytes, size: int) -> bytes:
        """Return what comes next where it is of the same record: the rest of a line, or a line that continues it; else nothing."""
        if not before.endswith(b"\n"):
            return stream.readline(size)
        behind = stream.tell()
        more = stream.readline(size)
        if more.startswith(_CONTINUES):
            return more
        stream.seek(behind)
        return b""

    def marker(self, content: bytes) -> bytes:
        """Return the first field."""
        return content.partition(b",")[0].partition(b"/")[0]

    def cut(self, line: Line, record_type: RecordType) -> Sequence[str | Fault] | Fault:
        """Return the text of each column."""
        text = self.unreadable(line) or self.decode(line.content, line.offset)
        if isinstance(text, Fault):
            return text
        joined = self._joined(text, record_type, line.ending or self.layout.line_ending)
        if isinstance(joined, Fault):
            return joined
        if record_type.marker == TRANSACTION:
            return _transaction(joined)
        if record_type.marker == ACCOUNT:
            return _account(joined, record_type)
        fields = joined.split(",")
        return fields if len(fields) == len(record_type.written) else _field_count(fields, record_type)

    def _joined(self, text: str, record_type: RecordType, ending: bytes) -> str | Fault:
        """Return the fields of a record, its lines put together: behind a slash begins another field, and without one a text goes on."""
        whole, is_open = "", False
        lines = text.split("\n")
        for number, each in enumerate(lines):
            is_last = number == len(lines) - 1
            if not is_last and each.endswith("\r") != (ending == b"\r\n"):
                # How the whole of it ends is looked at with all lines.
                found, expected = ("LF", "CRLF") if ending == b"\r\n" else ("CRLF", "LF")
                return Fault("line.ending", {"found": found, "expected": expected, "lines": 1})
            # Behind its slash a line may be filled up to the length of a block.
            written = each.rstrip("\r ")
            body = written.partition(",")[2]
            separator = "" if not number else " " if is_open else ","
            is_open = not body.endswith("/")
            whole += separator + (body if is_open else body[:-1])
            if is_open and not (record_type.marker == TRANSACTION and _has_text(whole)):
                return Fault("line.record_end_missing", {"found": shown(each[-20:])})
        return whole

    def quick_reader(self, record_type: RecordType) -> QuickReader:
        """Return a function from a whole line to its values: of records of one line, read as carefully as all others."""
        readers: list[Callable[[str], Value | Fault | None]] = [field_reader(each).read for each in record_type.written]
        ending = self.layout.line_ending

        def read(whole: bytes) -> list[Value | None] | None:
            if whole.count(b"\n") != 1 or not whole.endswith(ending) or self.record_type(whole) is not record_type:
                return None
            content = whole[: -len(ending)]
            texts = self.cut(Line(0, 0, content, ending, len(whole), len(content) > self.layout.line_bytes), record_type)
            if isinstance(texts, Fault):
                return None
            values: list[Value | None] = []
            for text, reader in zip(texts, readers, strict=True):
                value = text if isinstance(text, Fault) else reader(text)
                if isinstance(value, Fault):
                    return None
                values.append(value)
            return values

        return read


def _field_count(fields: Sequence[str], record_type: RecordType) -> Fault:
    facts: dict[str, str | int] = {"found": len(fields) + 1, "expected": FIELDS[record_type.marker or ""] + 1}
    return Fault("line.field_count", {**facts, "marker": record_type.marker or ""})


def _has_text(fields: str) -> bool:
    """Whether the last field that there is is the text of a transaction, or a part of it."""
    cut = _cut_transaction(fields.split(","))
    return not isinstance(cut, Fault) and bool(cut[1])


def _cut_transaction(fields: list[str]) -> tuple[list[str], str] | Fault:
    """Return the fields before the text of a transaction, and the text."""
    funds = _funds(fields[_BEFORE_FUNDS:])
    if isinstance(funds, Fault):
        return funds
    told, size = funds
    rest = fields[_BEFORE_FUNDS + size :]
    if len(rest) < 2:
        return Fault(
            "line.field_count", {"found": len(fields) + 1, "expected": len(fields) + 3 - len(rest), "marker": TRANSACTION}
        )
    return [*fields[:_BEFORE_FUNDS], *told, *rest[:2]], ",".join(rest[2:])


def _transaction(joined: str) -> list[str] | Fault:
    cut = _cut_transaction(joined.split(","))
    if isinstance(cut, Fault):
        return cut
    fields, text = cut
    return [*fields, text]


def _funds(fields: Sequence[str]) -> tuple[_Funds, int] | Fault:
    """Return what the fields from the type of funds on say of it, and how many of them do."""
    kind = fields[0] if fields else ""
    size = {"V": 2, "S": 3}.get(kind, 0)
    if kind == "D":
        pairs = fields[1] if len(fields) > 1 else ""
        if not (pairs.isascii() and pairs.isdigit() and int(pairs[:4]) <= _DAYS_MOST):
            return Fault("line.funds_invalid", {"found": shown(pairs)})
        size = 1 + 2 * int(pairs)
    if len(fields) <= size:
        return Fault("line.funds_invalid", {"found": shown(",".join(fields))})
    added = fields[1 : size + 1]
    if kind == "V":
        return _Funds(kind, added[0], added[1]), size + 1
    return _Funds(kind, availability=",".join(added)), size + 1


def _account(joined: str, record_type: RecordType) -> Sequence[str | Fault] | Fault:
    """Return account and currency, and of the summaries behind them those amounts that the columns ask for."""
    fields = joined.split(",")
    fixed = FIELDS[ACCOUNT]
    if len(fields) < fixed:
        return _field_count(fields, record_type)
    summaries = _summaries(fields[fixed:])
    if isinstance(summaries, Fault):
        return summaries
    found: list[str | Fault] = []
    for column in record_type.written:
        if column.summary is None:
            found.append(fields[len(found)])
        elif column.summary == SUMMARIES:
            found.append(_sum(summaries))
        else:
            said = [amount for code, amount in summaries if code == column.summary]
            found.append(said[0] if len(said) == 1 else "" if not said else Fault("line.summary_twice", {"code": column.summary}))
    return found


def _summaries(fields: list[str]) -> list[tuple[str, str]] | Fault:
    """Return type code and amount of each summary."""
    found, rest = [], fields
    while any(rest):
        funds = _funds(rest[_OF_SUMMARY - 1 :]) if len(rest) >= _OF_SUMMARY else Fault("line.funds_invalid", {"found": ""})
        if isinstance(funds, Fault):
            return Fault("line.summary_cut", {"found": shown(",".join(rest)), "number": len(found) + 1})
        found.append((rest[0], rest[1]))
        rest = rest[_OF_SUMMARY - 1 + funds[1] :]
    return found


def _sum(summaries: Sequence[tuple[str, str]]) -> str | Fault:
    total = 0
    for code, amount in summaries:
        digits = amount.removeprefix("-") if amount.startswith("-") else amount.removeprefix("+")
        if amount and not (digits.isascii() and digits.isdigit() and len(digits) <= 64):
            return Fault("line.summary_amount", {"code": shown(code), "found": shown(amount)})
        total += int(amount or "0")
    return str(total)
