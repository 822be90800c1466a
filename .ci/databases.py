"""Run the tests on SQLite, on a private MariaDB and on a private MySQL, and end with one line for each: `make test`.

`--databases` says on which; other arguments go to pytest. Exits 1 if a test failed, if no test ran, or if a server that was named
cannot be had. Where none are named, these are SQLite and MariaDB, whose line says where it cannot be had; that is a failure with
CI=true. With CI=true, CI_MYSQL=1 and no arguments, what is written under locks is tried on MySQL too, where that can be had.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests import mariadb, mysql, servers

# pytest's exit status when it found no test to run.
NOTHING_COLLECTED = 5
SLOWEST = 20
SERVERS: Mapping[str, servers.Engine] = {"mariadb": mariadb.ENGINE, "mysql": mysql.ENGINE}
NAMES: Mapping[str, str] = {"sqlite": "SQLite", **{name: engine.name for name, engine in SERVERS.items()}}
# Tests that start processes of their own or measure time come after the others, one by one on each database. A worker keeps to its half of the list
# as long as there is one: neighbours stand on the same ground (tests/support/kept.py).
TOGETHER = ("--serial=none", "--dist=worksteal")
# Beside a server tests wait for each other's locks: one worker more than there are processors has something to do meanwhile.
WORKERS = {"sqlite": ("-n", "2"), "mariadb": ("-n", "3"), "mysql": ("-n", "3")}
ONE_BY_ONE = ("--serial=only",)
# What is written under locks, and what is tried of it in CI on a database that has no half of its own.
UNDER_LOCKS = ("tests/ledger_app/posting", "tests/ingestion_app/applying", "tests/concurrency")


@dataclass
class Outcome:
    """What the tests came to on one database."""

    engine: str
    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
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

    def slowest(self) -> str:
        """Return the slowest tests, a line each, with the seconds that each took with its fixtures."""
        lines = [f"{seconds:8.1f} s  {test}\n" for test, seconds in self.seconds.most_common(SLOWEST)]
        return f"\nThe slowest tests on {self.engine}:\n" + "".join(lines) if lines else ""


@dataclass(frozen=True)
class Place:
    """A database that tests run on: SQLite where it has no address."""

    outcome: Outcome
    database: str
    url: str | None = None
    # What is run of the tests where that is not all of them.
    part: Sequence[str] = ()


def run(place: Place, arguments: Sequence[str], output: IO[bytes] | None = None) -> None:
    """Run pytest once on the database of a place, and add what came of it to its outcome."""
    outcome = place.outcome
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"DATABASE_URL": place.url} if place.url else {}
    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder, "tally.json")
        command = [sys.executable, "-m", "pytest", f"--tally={tally}", *arguments]
        status = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode
        if tally.exists():
            told = json.loads(tally.read_text())
            outcome.engine = told["engine"]
            outcome.counts.update(told["counts"])
            outcome.seconds.update(told["seconds"])
    if status not in (0, NOTHING_COLLECTED):
        outcome.is_failure = True
        outcome.trouble = "" if outcome.counts["failed"] + outcome.counts["error"] else f"pytest ended with status {status}"


def run_at_once(places: Sequence[Place], arguments: Sequence[str]) -> None:
    """Run pytest on each database at the same time, the part of a place in the place of ``arguments``; what each says is shown when all have ended."""
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _place in places]
        pending = [
            pool.submit(run, place, place.part or arguments, output) for place, output in zip(places, outputs, strict=True)
        ]
        for each, output in zip(pending, outputs, strict=True):
            each.result()
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
            sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run them; return the exit status."""
    parser = argparse.ArgumentParser(prog="make test", allow_abbrev=False, add_help=False)
    parser.add_argument("--databases", type=_names, default=())
    options, arguments = parser.parse_known_args(arguments)
    is_ci = os.environ.get("CI") == "true"
    tries_mysql = is_ci and os.environ.get("CI_MYSQL") == "1" and not arguments
    outcomes, places = [], []
    with ExitStack() as stack:
        for name in options.databases or ("sqlite", "mariadb", *(["mysql"] if tries_mysql else [])):
            outcome = Outcome(NAMES[name])
            outcomes.append(outcome)
            is_part = name == "mysql" and not options.databases
            try:
                url = (
                    stack.enter_context(servers.private_server(SERVERS[name], servers.in_memory())).url
                    if name in SERVERS
                    else None
                )
            except servers.Unavailable as error:
                outcome.trouble = f"did not run. {error}"
                if options.databases:
                    sys.stderr.write(f"{error}\n")
                    return 1
                outcome.is_failure = is_ci and not is_part
            else:
                places.append(Place(outcome, name, url, UNDER_LOCKS if is_part else ()))
        for place in places:
            if not place.part:
                run(place, [*TOGETHER, *WORKERS[place.database], *arguments])
        run_at_once(places, [*ONE_BY_ONE, *arguments])
    for place in places:
        place.outcome.end()
        sys.stdout.write(place.outcome.slowest())
    sys.stdout.write("\n" + "".join(f"{outcome.line()}\n" for outcome in outcomes))
    return int(any(outcome.is_failure for outcome in outcomes))


def _names(given: str) -> tuple[str, ...]:
    """Return the names of databases, each once, in our order."""
    wanted = {name.strip() for name in given.split(",")}
    if not wanted <= NAMES.keys():
        raise argparse.ArgumentTypeError(f"{given!r} is none of {', '.join(NAMES)}, with commas between them")
    return tuple(name for name in NAMES if name in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
