"""The world in which ingestion is tested, and its commands as they are run from a shell."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from tests.support import kept
from tests.support import world as worlds

world = kept.fixture(worlds.GROUND)


class Said(NamedTuple):
    """What a command came to: its exit status, the JSON object on standard output, and standard error."""

    status: int
    data: dict[str, Any]
    complaint: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process, with --json, and return what it came to."""

    def run(name: str, *arguments: object) -> Said:
        capsys.readouterr()
        status = 0
        try:
            call_command(name, *[str(argument) for argument in arguments], "--json")
        except SystemExit as ended:
            status = int(ended.code or 0)
        except CommandError as error:
            return Said(error.returncode, {}, str(error))
        printed = capsys.readouterr()
        return Said(status, worlds.last_json(printed.out), printed.err)

    return run
