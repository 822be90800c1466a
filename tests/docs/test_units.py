"""What the runbook has run by itself: its shell asks every book, and each of its units is enabled or is begun by one that is."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

RUNBOOK = Path(settings.BASE_DIR) / "docs" / "runbooks" / "production-on-mariadb.md"
SHELL = re.compile(r"^```sh\n(#!/bin/sh\nset -eu\npython=.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = "/srv/kakutei/app/.venv/bin/python"
UNIT = re.compile(r"kakutei[-@][\w@%-]*\.(?:service|timer)")
# It answers as the environment says, book by book, and writes down what it was asked.
STUB = """#!/bin/sh
echo "$*" >> "$ASKED"
case "$3" in -*) exit 0 ;; esac
eval "exit \\${STATUS_$3:-0}"
"""


def said() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


def run(folder: Path, name: str, **statuses: int) -> tuple[int, list[str]]:
    """Run the runbook's script with three books and a stub of Python; return its status and what was asked."""
    (script,) = SHELL.findall(said())
    assert PYTHON in script
    assert script.count("for book in POINTS;") == 1
    stub, asked = folder / "python", folder / "asked"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o700)
    asked.write_text("", encoding="utf-8")
    path = folder / "run"
    path.write_text(script.replace(PYTHON, str(stub)).replace("for book in POINTS;", "for book in A B C;"), encoding="utf-8")
    given = {f"STATUS_{book}": str(status) for book, status in statuses.items()}
    done = subprocess.run(["/bin/sh", str(path), name], env={**os.environ, **given, "ASKED": str(asked)}, check=False, timeout=30)
    return done.returncode, asked.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ({}, 0),
        ({"A": 1}, 1),
        ({"A": 75}, 75),
        ({"B": 1, "C": 75}, 75),
        ({"A": 75, "B": 1}, 75),
        ({"C": 1}, 1),
        ({"A": 1, "B": 1, "C": 1}, 1),
    ],
)
def test_every_book_is_expired_and_the_worst_is_told(tmp_path: Path, statuses: dict[str, int], worst: int) -> None:
    status, asked = run(tmp_path, "expire", **statuses)
    assert [each.split()[:3] for each in asked] == [["manage.py", "expire", book] for book in "ABC"]
    assert all(re.search(r"--through [0-9]{4}-[0-9]{2}-[0-9]{2} --json$", each) for each in asked)
    assert status == worst


@pytest.mark.parametrize(("statuses", "worst"), [({}, 0), ({"CARD": 1}, 1), ({"CARD": 75, "POINTS": 1}, 75)])
def test_every_book_is_closed_and_the_worst_is_told(tmp_path: Path, statuses: dict[str, int], worst: int) -> None:
    status, asked = run(tmp_path, "close", **statuses)
    assert asked == ["manage.py close CARD --json", "manage.py close POINTS --json"]
    assert status == worst


def test_what_else_runs_is_asked_once_and_its_status_told(tmp_path: Path) -> None:
    for name in ("verify", "prune"):
        assert run(tmp_path, name) == (0, [f"manage.py {name} --json"])
    assert run(tmp_path, "else") == (2, [])


def test_every_unit_is_enabled_or_is_begun_by_one_that_is() -> None:
    text = said()
    enabled = set(UNIT.findall(" ".join(re.findall(r"^    systemctl enable --now (.*)$", text, re.MULTILINE))))
    units = set(UNIT.findall(text))
    # Templates: what a timer names, and what tells the person who is on duty when one fails.
    templates = {unit for unit in units if "@" in unit}
    assert templates == {"kakutei@.service", "kakutei@expire.service", "kakutei-alert@.service", "kakutei-alert@%i.service"}
    assert units - templates == enabled
    # Each timer stands in the table, and the script knows what it begins.
    timers = set(re.findall(r"^\| `(kakutei-\w+\.timer)` \|", text, re.MULTILINE))
    assert timers == {unit for unit in enabled if unit.endswith(".timer")}
    (script,) = SHELL.findall(text)
    assert {f"kakutei-{name}.timer" for name in re.findall(r"^  (\w+)\)", script, re.MULTILINE)} == timers


def test_every_service_says_what_it_runs() -> None:
    text = said()
    services = {unit for unit in UNIT.findall(text) if unit.endswith(".service") and "@" not in unit}
    assert services == {f"kakutei-{name}.service" for name in ("wake", "worker", "webhooks", "web")}
    for command in ("db_worker", "deliver_webhooks --every 5", "wake --every 30", "gunicorn "):
        assert command in text
