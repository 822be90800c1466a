"""Files that are made while somebody waits, and taken away: whole before the first byte is sent, and kept by nobody in between."""

import tempfile
from collections.abc import Callable
from typing import BinaryIO

from django.http import FileResponse


def taken(write: Callable[[BinaryIO], tuple[str, str]]) -> FileResponse:
    """Return the answer with the file that ``write`` makes; it returns the file's name and what it is."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        name, content_type = write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    answer = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    answer["Cache-Control"] = "private, no-store"
    return answer
