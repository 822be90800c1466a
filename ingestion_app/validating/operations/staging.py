"""The checked rows of a file, on disk, until it is known which chunk each goes into."""

import marshal
import os
import struct
import tempfile
from collections.abc import Iterator
from functools import partial
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from ingestion_app.batches.queries import records
from ingestion_app.formats.definition import Definition, Kind
from ingestion_app.models import Record
from ingestion_app.validating.queries.ledger import Checked, card_number_column
from ledger_app.base.operations import bulk
from ledger_app.values.identifiers import hidden


class Staged(NamedTuple):
    """A checked row, as it lies on disk until its chunk is known. ``content`` is empty where the row posts nothing."""

    line: int
    offset: int
    length: int
    status: str
    key: str
    holder_id: int | None
    amount: int
    values: str
    content: bytes
    posted: tuple[tuple[str, int], ...]  # book code, amount
    watched: tuple[int, ...]  # accounts that it touches of which it matters what they have
    is_open: bool  # whether it takes from one of them, and so is still to be judged


_HEAD = struct.Struct(">Q")
_staged = partial(tuple.__new__, Staged)
_PLANNED = Record.Status.PLANNED
_VALUES = {status: status.value for status in Record.Status}  # which an enumeration looks up each time


class Stage:
    """The checked rows of a file, on disk: a file's records are never all in memory, and the file is not read twice."""

    def __init__(self, definition: Definition) -> None:
        """Begin with none, in an unnamed file that goes with the process."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``close``
        columns = enumerate(definition.layout.data.columns)
        self._moments = [place for place, column in columns if column.kind in {Kind.DATE, Kind.INSTANT}]
        self._secret = card_number_column(definition)
        self._rows: list[tuple[Any, ...]] = []

    @classmethod
    def of(cls, handle: int) -> "Stage":
        """Return what another process has staged in the file that ``handle`` stands for."""
        stage = cls.__new__(cls)
        stage._file, stage._rows = os.fdopen(handle, "w+b"), []  # noqa: SLF001 - its own kind
        return stage

    def fileno(self) -> int:
        """Return the file, for another process to read."""
        return self._file.fileno()

    def finish(self) -> None:
        """Write down what is still in memory: another process reads the file alone."""
        self._write_down()
        self._file.flush()

    def add(self, checked: Checked, status: Record.Status) -> None:
        """Take one in."""
        (line, offset, length, key, _holder, amount, typed, _raw), holder_id, planned, _, watched, is_open = checked
        values: list[Any] = list(typed)
        for place in self._moments:
            if values[place] is not None:
                values[place] = str(values[place])
        if self._secret is not None:
            values[self._secret] = hidden(values[self._secret])
        content = b""
        posted: tuple[Any, ...] = ()
        if status is _PLANNED:
            content = records.content(line, key, holder_id, amount, values)
            posted = tuple([each[:3:2] for each in planned])
        texts = [
            encode_basestring(each) if type(each) is str else "null" if each is None else int.__repr__(each) for each in values
        ]
        encoded = f"[{','.join(texts)}]"
        rows = self._rows
        rows.append((line, offset, length, _VALUES[status], key, holder_id, amount, encoded, content, posted, watched, is_open))
        if len(rows) == bulk.ROWS_A_CALL:
            self._write_down()

    def blocks(self) -> Iterator[list[Staged]]:
        """Yield the rows in their order, 5,000 at a time."""
        self._write_down()
        self._file.seek(0)
        while head := self._file.read(_HEAD.size):
            (size,) = _HEAD.unpack(head)
            yield [_staged(row) for row in marshal.loads(self._file.read(size))]  # noqa: S302 - this process wrote it  # nosec B302

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _write_down(self) -> None:
        if not self._rows:
            return
        block = marshal.dumps(self._rows)
        self._file.write(_HEAD.pack(len(block)))
        self._file.write(block)
        self._rows = []
