"""Runs a command that kills itself: ``python -m tests.faults.die_at STEP before|after COMMAND ARGUMENT...``.

A step is one statement or one COMMIT, counted from 1; 0 lives on. ``begun`` is printed at the first step, so that another may kill it in time.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def main(step: int, when: str, command: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command

    from tests.faults import disturbing

    taken = 0

    def take(_name: str, work: Callable[[], Any]) -> Any:
        nonlocal taken
        taken += 1
        if taken == 1:
            sys.stderr.write("begun\n")
            sys.stderr.flush()
        if taken == step and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = work()
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    with disturbing.steps(take):
        call_command(*command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
