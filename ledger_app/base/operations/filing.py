"""Keeps bytes: written once, under their SHA-256, and on the disk before anything points to them."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from ledger_app import errors
from ledger_app.errors import files as file_errors

PIECE_BYTES = 1 << 20
UNFINISHED = "incoming-"
ASIDE = "aside-"
# A process that stored bytes writes the row that refers to them within this time, or never.
YOUNG: Final = timedelta(hours=1)
# No room on the disk, none left of a quota, or a file larger than the file system takes.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


# Looks at bytes before they get their place, and returns what speaks against them; None where nothing does.
Scan = Callable[[Path], str | None]


class Readable(Protocol):
    """What gives bytes, some at a time."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none at the end."""


def is_no_room(error: OSError) -> bool:
    """Return whether a disk has no room left."""
    return error.errno in NO_ROOM


def forget_unfinished(directory: Path, before: datetime) -> None:
    """Remove what arrivals that were killed have left, none of which has a row. ``before`` keeps out of the way of those under way."""
    for left in directory.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):  # another arrival may be removing it
            if left.stat().st_mtime < before.timestamp():
                left.unlink()


def path_of(directory: Path, sha256: bytes) -> Path:
    """Return where the bytes of a file lie."""
    name = sha256.hex()
    return directory / name[:2] / name


def store(stream: Readable, directory: Path, *, scan: Scan | None = None) -> tuple[bytes, int]:
    """Store all that ``stream`` gives, where ``scan`` finds nothing in it, and return its SHA-256 and its size in bytes.

    When this returns, the bytes are on the disk. A kill before leaves a temporary file that nothing points to.

    :raises errors.Refused: file_not_clean; nothing of the file is kept
    :raises file_errors.DiskFull: nor then
    :raises file_errors.ScannerAway: nor then
    """
    try:
        return _store(stream, directory, scan)
    except OSError as error:
        if is_no_room(error):
            raise file_errors.DiskFull(cause=error.strerror) from error
        raise


def _store(stream: Readable, directory: Path, scan: Scan | None) -> tuple[bytes, int]:
    directory.mkdir(parents=True, exist_ok=True)
    hasher, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=directory, prefix=UNFINISHED, delete=False) as incoming:
        try:
            while piece := stream.read(PIECE_BYTES):
                hasher.update(piece)
                size += len(piece)
                incoming.write(piece)
            incoming.flush()
            os.fsync(incoming.fileno())
            os.fchmod(incoming.fileno(), 0o440)
            _look(Path(incoming.name), scan)
        except BaseException:
            Path(incoming.name).unlink(missing_ok=True)
            raise
    final = path_of(directory, hasher.digest())
    final.parent.mkdir(exist_ok=True)
    # Atomic, and over an equal file where two arrive at once: the name is the content.
    Path(incoming.name).replace(final)
    for folder in (final.parent, directory):
        _sync(folder)
    return hasher.digest(), size


def _look(path: Path, scan: Scan | None) -> None:
    said = None if scan is None else scan(path)
    if said is not None:
        raise errors.Refused([file_errors.FileNotClean(said=said or "–")])


def is_old(path: Path, before: datetime) -> bool:
    """Whether there are bytes that were stored before an instant. A call that stores the same again makes them young."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < before.timestamp()
    return False


def put_aside(path: Path) -> Path:
    """Take bytes out of their place in one step, and return where they are.

    :raises FileNotFoundError: where there are none
    """
    aside = aside_of(path)
    path.rename(aside)
    return aside


def aside_of(path: Path) -> Path:
    """Return where bytes are while they are being removed."""
    return path.with_name(f"{ASIDE}{path.name}")


def put_back(aside: Path) -> None:
    """Put bytes back into their place; equal ones may have come there meanwhile."""
    with suppress(FileNotFoundError):
        aside.replace(aside.with_name(aside.name.removeprefix(ASIDE)))


def digest_of(path: Path) -> bytes:
    """Return the SHA-256 of stored bytes.

    :raises FileNotFoundError: where there are none
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def piece(path: Path, offset: int, length: int) -> bytes:
    """Return ``length`` of the stored bytes from ``offset``; fewer where the file ends before.

    :raises FileNotFoundError: where there are none
    """
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def find_line(path: Path, number: int, most: int) -> tuple[int, bytes] | None:
    """Return the offset of line ``number`` (from 1) and its bytes without the ending, at most ``most``; None past the end.

    :raises FileNotFoundError: where there are none
    """
    with path.open("rb") as stream:
        line, offset = 1, 0
        while part := stream.readline(PIECE_BYTES):
            if line == number:
                return offset, part.removesuffix(b"\n").removesuffix(b"\r")[:most]
            offset += len(part)
            line += part.endswith(b"\n")
    return None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
