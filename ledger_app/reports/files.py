"""Writes files that are either whole or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from ledger_app import errors
from ledger_app.errors import files as file_errors
from ledger_app.errors.printable import escaped

# The owner writes, the group reads: an export holds what members bought.
MODE = 0o640


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Give a text file to write to, which takes the place of ``path`` when the block ends and is on the disk by then.

    A block that raises leaves ``path`` as it was; a kill leaves a file beside it that begins with a full stop.

    :raises errors.Refused: file_not_regular, where something else than a file has that name
    :raises OSError: where the folder is not there or cannot be written to
    """
    with _replacing(path, mode="w", encoding="utf-8", newline="\n") as unfinished:
        yield unfinished


@contextmanager
def replacing_bytes(path: Path) -> Iterator[BinaryIO]:
    """Give a file of bytes to write to, as ``replacing`` does one of text.

    :raises OSError: where the folder is not there or cannot be written to
    """
    with _replacing(path, mode="w+b") as unfinished:
        yield unfinished


def refuse_irregular(path: Path) -> None:
    """Refuse a path that is there and is no file: a file in the place of a device or a pipe would take it away from the process that reads there.

    :raises errors.Refused: file_not_regular
    """
    if path.exists() and not path.is_file():
        raise errors.Refused([file_errors.FileNotRegular(path=escaped(str(path)))])


@contextmanager
def _replacing(path: Path, **how: str) -> Iterator[Any]:
    refuse_irregular(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False, **how) as unfinished:  # type: ignore[call-overload]
        try:
            yield unfinished
            unfinished.flush()
            os.fchmod(unfinished.fileno(), MODE)
            os.fsync(unfinished.fileno())
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
    # The new name is on the disk only when its folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
