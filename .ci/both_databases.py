"""Run the tests on SQLite and again on a private MariaDB, and end with one line for each: `make test`.

Arguments go to pytest. Exits 1 if a test failed, or if no test ran. Where MariaDB cannot be had, its line says so; with
CI=true that is a failure.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests import mariadb

# pytest's exit status when it found no test to run.
NOTHING_COLLECTED = 5
# Tests that start processes of their own or measure time come after the others, one by one on each database. A worker keeps to its half of the list
# as long as there is one: neighbours stand on the same ground (tests/support/kept.py).
TOGETHER = ("--serial=none", "--dist=worksteal")
# Beside MariaDB tests wait for each other's locks: one worker more than there are processors has something to do meanwhile.
WORKERS = {"SQLite": ("-n", "2"), "MariaDB": ("-n", "3")}
ONE_BY_ONE = ("--serial=only",)


@dataclass
class Outcome:
    """What the tests came to on one database."""

    engine: str
    counts: Counter[str] = field(default_factory=Counter)
    trouble: str = ""
    is_failure: bool = False

    def end(self) -> None:
        """Take it for a failure where nothing was asked."""
        if not self.counts.total() and not self.is_failure:
            self.is_failure, self.trouble = True, "no test ran"

    def line(self) -> str:
        """Return the line of the summary."""
        words = {"failed": "failed", "error": "errors", "passed": "passed", "skipped": "skipped", "xfailed": "expected failures"}
        told = [f"{self.counts[name]} {word}" for name, word in words.items() if self.counts[name] or name == "passed"]
        return f"{self.engine}: " + "; ".join(
            [*([", ".join(told)] if self.counts else []), *([self.trouble] if self.trouble else [])]
        )


def run(outcome: Outcome, url: str | None, arguments: Sequence[str], output: IO[bytes] | None = None) -> Outcome:
    """Run pytest once on the database at ``url``, on SQLite where there is none, and add what came of it to ``outcome``."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"DATABASE_URL": url} if url else {}
    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder, "tally.json")
        command = [sys.executable, "-m", "pytest", f"--tally={tally}", *arguments]
        status = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode
        if tally.exists():
            counts = json.loads(tally.read_text())
            outcome.engine = counts.pop("engine")
            outcome.counts.update(counts)
    if status not in (0, NOTHING_COLLECTED):
        outcome.is_failure = True
        outcome.trouble = "" if outcome.counts["failed"] + outcome.counts["error"] else f"pytest ended with status {status}"
    return outcome


def run_at_once(places: Sequence[tuple[Outcome, str | None]], arguments: Sequence[str]) -> None:
    """Run pytest on each database at the same time; what each says is shown when all have ended."""
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _place in places]
        pending = [pool.submit(run, *place, arguments, output) for place, output in zip(places, outputs, strict=True)]
        for each, output in zip(pending, outputs, strict=True):
            each.result()
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
            sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run both; return the exit status."""
    outcomes = [Outcome("SQLite"), Outcome("MariaDB")]
    with ExitStack() as stack:
        places: list[tuple[Outcome, str | None]] = [(outcomes[0], None)]
        try:
            places.append((outcomes[1], stack.enter_context(mariadb.private_server(mariadb.in_memory())).url))
        except mariadb.Unavailable as error:
            outcomes[1].trouble, outcomes[1].is_failure = f"did not run. {error}", os.environ.get("CI") == "true"
        for place in places:
            run(*place, [*TOGETHER, *WORKERS[place[0].engine], *arguments])
        run_at_once(places, [*ONE_BY_ONE, *arguments])
    for outcome, _url in places:
        outcome.end()
    sys.stdout.write("\n" + "".join(f"{outcome.line()}\n" for outcome in outcomes))
    return int(any(outcome.is_failure for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
