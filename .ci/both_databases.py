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
from dataclasses import dataclass, field
from pathlib import Path

from tests import mariadb

# pytest's exit status when it found no test to run.
NOTHING_COLLECTED = 5
# Tests that start processes of their own or measure time run alone, after the others. A worker keeps to its half of the list as long as
# there is one: neighbours stand on the same ground (tests/kept.py).
PASSES = (["--serial=none", "-n", "2", "--dist=worksteal"], ["--serial=only"])


@dataclass
class Outcome:
    """What the tests came to on one database."""

    engine: str
    counts: Counter[str] = field(default_factory=Counter)
    trouble: str = ""
    is_failure: bool = False

    def line(self) -> str:
        """Return the line of the summary."""
        words = {"failed": "failed", "error": "errors", "passed": "passed", "skipped": "skipped", "xfailed": "expected failures"}
        told = [f"{self.counts[name]} {word}" for name, word in words.items() if self.counts[name] or name == "passed"]
        return f"{self.engine}: " + "; ".join(
            [*([", ".join(told)] if self.counts else []), *([self.trouble] if self.trouble else [])]
        )


def run_passes(engine: str, environment: dict[str, str], arguments: Sequence[str]) -> Outcome:
    """Run pytest in its passes on one database and add them up."""
    outcome = Outcome(engine)
    for options in PASSES:
        with tempfile.TemporaryDirectory() as folder:
            tally = Path(folder, "tally.json")
            command = [sys.executable, "-m", "pytest", f"--tally={tally}", *options, *arguments]
            status = subprocess.run(command, env=environment, check=False).returncode
            if tally.exists():
                counts = json.loads(tally.read_text())
                outcome.engine = counts.pop("engine")
                outcome.counts.update(counts)
        if status not in (0, NOTHING_COLLECTED):
            outcome.is_failure = True
            outcome.trouble = "" if outcome.counts["failed"] + outcome.counts["error"] else f"pytest ended with status {status}"
    if not outcome.counts.total() and not outcome.is_failure:
        outcome.is_failure = True
        outcome.trouble = "no test ran"
    return outcome


def run_on_sqlite(arguments: Sequence[str]) -> Outcome:
    """Run the tests on SQLite, whatever DATABASE_URL says."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return run_passes("SQLite", environment, arguments)


def run_on_mariadb(arguments: Sequence[str]) -> Outcome:
    """Run the tests on a private MariaDB, or say that they did not run."""
    try:
        with mariadb.private_server(mariadb.in_memory()) as server:
            return run_passes("MariaDB", {**os.environ, "DATABASE_URL": server.url}, arguments)
    except mariadb.Unavailable as error:
        return Outcome("MariaDB", trouble=f"did not run. {error}", is_failure=os.environ.get("CI") == "true")


def main(arguments: Sequence[str]) -> int:
    """Run both; return the exit status."""
    outcomes = [run_on_sqlite(arguments), run_on_mariadb(arguments)]
    sys.stdout.write("\n" + "".join(f"{outcome.line()}\n" for outcome in outcomes))
    return int(any(outcome.is_failure for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
