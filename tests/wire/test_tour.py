"""The tour of docs/api.md is carried out, to the letter, against the server that `make serve` starts: each command, its status, and each field that it names."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings as configured
from django.core.management import call_command

from ingestion_app.models import Source
from ledger_app.models import Book
from tests.api.conftest import work
from tests.commands.test_getting_started import steps as steps_of_getting_started
from tests.support.serving import Server

pytestmark = [pytest.mark.serial, pytest.mark.django_db(transaction=True)]

DOCUMENT = (Path(configured.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```sh tour\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWER = re.compile(r"# ([0-9]{3}) (\{.*\})")
KEPT = re.compile(r"([a-z]+)=([a-z0-9_.]+)")
ANYTHING = "…"
# How a token is issued, as the page says it, and whose is called what there.
GIVEN = re.compile(r'python manage\.py issue_token "\$1"')
USERS = {"engineer": "erika", "finance": "fumiko", "second": "fuyuki", "till": "till-1", "machine": "machine-1"}


class Step(NamedTuple):
    """A command, and the status and fields that it is answered with; of what prints nothing there is neither. Or a name that is kept."""

    line: str
    status: int = 0
    fields: Any = None
    kept: tuple[str, str] = ("", "")


def steps() -> Iterator[Step]:
    """Yield the steps of the tour, in their order."""
    lines = [line for block in FENCE.findall(DOCUMENT) for line in block.splitlines()]
    for place, line in enumerate(lines):
        if kept := KEPT.fullmatch(line):
            yield Step(line, kept=(kept[1], kept[2]))
        elif not line.startswith("#"):
            answer = ANSWER.fullmatch(lines[place + 1]) if place + 1 < len(lines) else None
            assert (answer is not None) is line.startswith("curl "), line
            yield Step(line, int(answer[1]), json.loads(answer[2])) if answer else Step(line)


def unlike(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Return the places at which an answer is not what is wanted of it; fields that are not named are free."""
    if wanted == ANYTHING:
        return [] if found not in (None, "") else [f"{where}: nothing"]
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [each for name, value in wanted.items() for each in unlike(value, found.get(name, "missing"), f"{where}.{name}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = zip(wanted, found, strict=True)
        return [each for place, (value, other) in enumerate(pairs) for each in unlike(value, other, f"{where}.{place}")]
    return [] if wanted == found else [f"{where}: {found!r} for {wanted!r}"]


def part(answer: Any, path: str) -> str:
    """Return a field of an answer, by its names with dots between."""
    for name in path.split("."):
        answer = answer[int(name)] if name.isdigit() else answer[name]
    return str(answer)


def tokens() -> dict[str, str]:
    """Register the users of the page and issue them tokens, by the commands that it names: the one place that says how a token is issued."""
    assert GIVEN.search(DOCUMENT)
    found = {}
    for name, username in USERS.items():
        group = re.search(rf'"{username} (\w+)"', DOCUMENT)
        assert group, username
        assert f'{name}="Authorization: Token …"' in DOCUMENT, name
        call_command("keep_user", username, "--group", group[1], stdout=StringIO())
        said = StringIO()
        call_command("issue_token", username, "--json", stdout=said)
        found[name] = f"Authorization: Token {json.loads(said.getvalue())['key']}"
    return found


def test_an_answer_that_is_another_is_seen() -> None:
    wanted = {"a": [{"b": 1}], "c": ANYTHING}
    assert unlike(wanted, {"a": [{"b": 1, "d": 2}], "c": 7}) == []
    assert unlike(wanted, {"a": [{"b": 2}]}) == [".a.0.b: 2 for 1"]
    assert unlike(wanted, {"a": [], "c": ""}) == [".a: [] for [{'b': 1}]", ".c: nothing"]


def test_the_tour_goes_as_the_page_says(server: Server, tmp_path: Path, settings: Any) -> None:
    known = {
        "api": f"http://127.0.0.1:{server.port}/api/v1",
        "json": "Content-Type: application/json",
        **tokens(),
    }
    settings.KAKUTEI_FILES_DIR = server.said.parent  # the worker, which is this process, has the files of the server
    answer: Any = None
    done = 0
    for step in steps():
        if step.kept[0]:
            known[step.kept[0]] = part(answer, step.kept[1])
            continue
        if not Source.objects.exists() and Book.objects.filter(code="POINTS").exists() and "batches" in step.line:
            load_source(tmp_path)
        sets = " ".join(f"{name}={shlex.quote(value)}" for name, value in known.items())
        told = 'curl() { command curl -sS -w "\\n%{http_code}" "$@"; }'
        ran = subprocess.run(
            ["bash", "-c", f"{told}; {sets}; {step.line}"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (ran.returncode, ran.stderr) == (0, ""), step.line
        if step.fields is None:
            continue
        body, _, status = ran.stdout.rpartition("\n")
        answer = json.loads(body)
        assert int(status) == step.status, (step.line, body)
        assert unlike(step.fields, answer) == [], (step.line, body)
        if step.status == 202:
            assert work(), step.line
        done += 1
    assert done >= 25


def load_source(folder: Path) -> None:
    """Load the source of the page that the tour refers to, as it says."""
    assert "python manage.py load_source purchases.toml" in DOCUMENT
    (text,) = [text for name, text, _command in steps_of_getting_started() if name == "purchases.toml"]
    (folder / "purchases.toml").write_text(text, encoding="utf-8")
    call_command("load_source", str(folder / "purchases.toml"))
