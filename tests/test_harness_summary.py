"""The summary of `make test`: a line for each database, whatever happened on it."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / ".ci" / "databases.py"


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("databases", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "databases", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the servers that cannot be had; the others are had without being started."""
    names: set[str] = set()

    @contextmanager
    def private_server(engine: servers.Engine, _directory: Path | None = None) -> Iterator[SimpleNamespace]:
        if engine.name in names:
            raise servers.Unavailable(f"Install {engine.name}.")
        yield SimpleNamespace(url=f"mysql://{engine.name}")

    monkeypatch.setattr(servers, "private_server", private_server)
    return names


@pytest.fixture
def runs(databases, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What is run, each as database and arguments, in order; three tests pass in each run, and one is skipped."""
    found = []

    def run(place, arguments, output=None) -> None:
        found.append((place.database, list(arguments)))
        place.outcome.counts.update(passed=3, skipped=1)

    monkeypatch.setattr(databases, "run", run)
    return found


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_without_mariadb_the_summary_says_so_and_ci_fails(
    databases, missing, runs, monkeypatch, capsys, ci: str, status: int
) -> None:
    missing |= {"MariaDB", "MySQL"}
    monkeypatch.setenv("CI", ci)
    assert databases.main(["tests/docs"]) == status
    assert capsys.readouterr().out.splitlines()[-2:] == ["SQLite: 6 passed, 2 skipped", "MariaDB: did not run. Install MariaDB."]
    assert {database for database, _arguments in runs} == {"sqlite"}


def test_where_mysql_cannot_be_had_ci_says_so_and_goes_on(databases, missing, runs, monkeypatch, capsys) -> None:
    missing.add("MySQL")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("CI_MYSQL", "1")
    assert databases.main([]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "SQLite: 6 passed, 2 skipped",
        "MariaDB: 6 passed, 2 skipped",
        "MySQL: did not run. Install MySQL.",
    ]


@pytest.mark.parametrize(("name", "engine"), [("mariadb", "MariaDB"), ("mysql", "MySQL")])
@pytest.mark.parametrize("ci", ["true", ""])
def test_a_server_that_is_named_and_cannot_be_had_is_refused_before_anything_runs(
    databases, missing, runs, monkeypatch, capsys, ci: str, name: str, engine: str
) -> None:
    missing.add(engine)
    monkeypatch.setenv("CI", ci)
    assert databases.main([f"--databases=sqlite,{name}"]) == 1
    assert capsys.readouterr().err == f"Install {engine}.\n"
    assert runs == []


def test_ci_tries_on_mysql_what_is_written_under_locks_beside_the_tests_one_by_one(databases, missing, runs, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("CI_MYSQL", "1")
    assert databases.main([]) == 0
    together, one_by_one = runs[:2], runs[2:]
    assert [database for database, _arguments in together] == ["sqlite", "mariadb"]
    assert sorted(one_by_one) == [
        ("mariadb", list(databases.ONE_BY_ONE)),
        ("mysql", list(databases.UNDER_LOCKS)),
        ("sqlite", list(databases.ONE_BY_ONE)),
    ]
    assert [part for part in databases.UNDER_LOCKS if not (ROOT / part).is_dir()] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "sqlite mariadb"),
        (["--databases=mysql, sqlite"], "sqlite mysql"),
        (["--databases=sqlite,mariadb,mysql"], "sqlite mariadb mysql"),
    ],
)
def test_whichever_are_named_run_whole_and_what_follows_goes_to_pytest(
    databases, missing, runs, monkeypatch, given, expected
) -> None:
    monkeypatch.setenv("CI", "")
    assert databases.main([*given, "tests/docs", "-k", "grants"]) == 0
    assert [database for database, arguments in runs if "--serial=none" in arguments] == expected.split()
    assert sorted(database for database, arguments in runs if "--serial=only" in arguments) == sorted(expected.split())
    assert {tuple(arguments[-3:]) for _database, arguments in runs} == {("tests/docs", "-k", "grants")}


@pytest.mark.parametrize("given", ["postgres", "sqlite,", "SQLite", "sqlite mariadb"])
def test_another_name_is_refused_by_the_names_there_are(databases, runs, capsys, given: str) -> None:
    with pytest.raises(SystemExit) as ended:
        databases.main([f"--databases={given}"])
    assert ended.value.code == 2
    assert "is none of sqlite, mariadb, mysql" in capsys.readouterr().err
    assert runs == []


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
def test_both_passes_are_added_up(databases, monkeypatch: pytest.MonkeyPatch, statuses, counts, line, is_failure) -> None:
    left = list(statuses)

    class Ended:
        def __init__(self, command, **_options) -> None:
            self.returncode = left.pop(0)
            tally = Path(command[3].removeprefix("--tally="))
            if counts is not None:
                given = {name: number for name, number in counts.items() if name != "failed" or self.returncode == 1}
                seconds = {f"test_{number}": number / 10 for number in range(15, 40)} | {command[-1]: 99.5}
                tally.write_text(json.dumps({"engine": "SQLite 3", "counts": given, "seconds": seconds}))

    monkeypatch.setattr(databases.subprocess, "run", Ended)
    place = databases.Place(databases.Outcome("SQLite"), "sqlite")
    databases.run(place, ["together"])
    databases.run_at_once([place], ["one by one"])
    place.outcome.end()
    assert (place.outcome.line(), place.outcome.is_failure) == (line, is_failure)
    slowest = place.outcome.slowest().splitlines()
    assert len(slowest) == (0 if counts is None else 22)
    assert slowest[:4] == (
        [] if counts is None else ["", "The slowest tests on SQLite 3:", "    99.5 s  together", "    99.5 s  one by one"]
    )


def test_what_runs_at_once_is_shown_one_after_the_other(databases, capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(databases, "run", lambda place, arguments, output: output.write(f"{place.database} ".encode() * 3))
    databases.run_at_once([databases.Place(None, "one"), databases.Place(None, "two")], [])
    assert capfd.readouterr().out.split() == ["one", "one", "one", "two", "two", "two"]
