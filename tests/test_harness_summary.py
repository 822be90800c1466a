"""The summary of `make test`: a line for each database, whatever happened on it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests import mariadb

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "both_databases.py"


@pytest.fixture
def both_databases(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("both_databases", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "both_databases", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def without_mariadb(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_directory: Path | None = None) -> None:
        raise mariadb.Unavailable("Install it.")

    monkeypatch.setattr(mariadb, "private_server", refuse)


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_without_mariadb_the_summary_says_so_and_ci_fails(
    both_databases, without_mariadb, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, status: int
) -> None:
    def run(outcome, url, arguments, output=None) -> None:
        assert url is None
        outcome.engine = "SQLite 3.40.1"
        outcome.counts.update(passed=3, skipped=1)

    monkeypatch.setattr(both_databases, "run", run)
    monkeypatch.setenv("CI", ci)
    assert both_databases.main([]) == status
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "SQLite 3.40.1: 6 passed, 2 skipped",
        "MariaDB: did not run. Install it.",
    ]


@pytest.mark.parametrize(
    ("statuses", "counts", "line", "is_failure"),
    [
        ([0, 0], {"passed": 2}, "SQLite 3: 4 passed", False),
        ([0, 5], {"passed": 2}, "SQLite 3: 4 passed", False),
        ([1, 0], {"passed": 2, "failed": 1}, "SQLite 3: 1 failed, 4 passed", True),
        ([5, 5], {}, "SQLite 3: no test ran", True),
        ([4, 4], None, "SQLite: pytest ended with status 4", True),
        ([0, 3], {"passed": 2}, "SQLite 3: 4 passed; pytest ended with status 3", True),
    ],
)
def test_both_passes_are_added_up(both_databases, monkeypatch: pytest.MonkeyPatch, statuses, counts, line, is_failure) -> None:
    left = list(statuses)

    class Ended:
        def __init__(self, command, **_options) -> None:
            self.returncode = left.pop(0)
            tally = Path(command[3].removeprefix("--tally="))
            if counts is not None:
                given = {name: number for name, number in counts.items() if name != "failed" or self.returncode == 1}
                tally.write_text(both_databases.json.dumps({"engine": "SQLite 3", **given}))

    monkeypatch.setattr(both_databases.subprocess, "run", Ended)
    outcome = both_databases.Outcome("SQLite")
    both_databases.run(outcome, None, ["together"])
    both_databases.run_at_once([(outcome, None)], ["one by one"])
    outcome.end()
    assert (outcome.line(), outcome.is_failure) == (line, is_failure)


def test_what_runs_at_once_is_shown_one_after_the_other(both_databases, capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(both_databases, "run", lambda outcome, url, arguments, output: output.write(f"{url} ".encode() * 3))
    both_databases.run_at_once([(None, "one"), (None, "two")], [])
    assert capfd.readouterr().out.split() == ["one", "one", "one", "two", "two", "two"]
