"""The commands as a shell runs them: output, errors and exit status."""

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from tests.support import kept
from tests.support import world as worlds


class Ended(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    complaints: str

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object that was printed, which is all that was printed."""
        read: dict[str, Any] = json.loads(self.out)
        return read


ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
# The one form of instants in what commands print for programs.
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def texts(found: Any) -> Iterator[str]:
    """Yield every text within what JSON gave."""
    if isinstance(found, dict):
        for value in found.values():
            yield from texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from texts(value)
    elif isinstance(found, str):
        yield found


def strays(data: Any) -> list[str]:
    """Return the instants that are not written in the one form."""
    return [text for text in texts(data) if ISO.fullmatch(text) and not STAMP.fullmatch(text)]


Run = Callable[..., Ended]


@pytest.fixture
def run() -> Run:
    """Return a function that runs a command in this process."""

    def run_command(name: str, *arguments: object) -> Ended:
        out, complaints, status = io.StringIO(), io.StringIO(), 0
        try:
            call_command(name, *[str(each) for each in arguments], stdout=out, stderr=complaints)
        except SystemExit as ended:
            status = int(ended.code or 0)
        except CommandError as error:
            # Django's own entry point exits with this, and argparse with 2.
            return Ended(2 if error.returncode == 1 else error.returncode, out.getvalue(), str(error))
        if "--json" in map(str, arguments) and out.getvalue():
            # Whatever is run in any test: a command that is new is asked as well.
            assert strays(json.loads(out.getvalue())) == []
        return Ended(status, out.getvalue(), complaints.getvalue())

    return run_command


world = kept.fixture(worlds.GROUND)
