"""Opens the files that a command line names: regular files alone, since nobody knows whether a pipe or a device ever ends."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ledger_app import errors
from ledger_app.errors import files as file_errors
from ledger_app.errors.printable import escaped


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Give the bytes of a regular file.

    :raises errors.Refused: file_not_regular
    :raises OSError: it is not there, is a folder, or may not be read
    """
    # Without O_NONBLOCK the opening itself waits for somebody to write into a pipe.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise errors.Refused([file_errors.FileNotRegular(path=escaped(str(path)))])
    with os.fdopen(handle, "rb") as stream:
        yield stream


def read_text(path: Path, *, most: int) -> str:
    """Return a regular file of UTF-8 whole, up to ``most`` bytes.

    :raises errors.Refused: file_not_regular, file_too_large
    :raises OSError: it is not there or may not be read
    :raises UnicodeDecodeError: it is not UTF-8
    """
    with reading(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise errors.Refused([file_errors.FileTooLarge(path=escaped(str(path)), most=most)])
    return content.decode("utf-8")
