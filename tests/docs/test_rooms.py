"""The drawing of the rooms is that of the import contracts, and every file that a document names is there."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
ARCHITECTURE = DOCS / "architecture.md"
DOCUMENTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FOLDERS = ("config", "ledger_app", "ingestion_app", "tests", "templates", "docs", "locale", ".ci", ".github")
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|html|toml|txt|lock|yml|yaml|po|sh))(?:::\w+)?`")
FOLDER = re.compile(rf"`((?:{'|'.join(map(re.escape, FOLDERS))})/(?:[\w.-]+/)*)`")
WALK = re.compile(r"^### A walk: .*?(?=^## )", re.MULTILINE | re.DOTALL)


def floors(application: str) -> list[list[str]]:
    """Return the floors of an application by its contract, the highest first; rooms beside each other are on one."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each.get("containers") == [application]]
    return [re.findall(r"\w+", floor) for floor in layers]


def drawn(text: str, application: str) -> list[list[str]]:
    """Return the floors of an application as they are drawn, from the one that nothing points to downwards."""
    (box,) = re.findall(rf"^ *subgraph {application}\n(.*?)^ *end$", text, re.MULTILINE | re.DOTALL)
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', box))
    below: dict[str, str] = {}
    for line in re.sub(r'\["[^"]+"\]', "", box).splitlines():
        chain = line.split(" --> ")
        below |= {upper.strip(): lower.strip() for upper, lower in pairwise(chain)}
    (highest,) = set(labels) - set(below.values())
    found = [highest]
    while found[-1] in below:
        found.append(below[found[-1]])
    assert set(found) == set(labels)
    return [re.split(r"[ ·]+", labels[each].partition(":")[0].strip()) for each in found]


@pytest.mark.parametrize("application", ["ledger_app", "ingestion_app"])
def test_the_drawing_has_each_room_of_the_contracts_in_their_order(application):
    assert drawn(ARCHITECTURE.read_text(encoding="utf-8"), application) == floors(application)


def test_a_room_on_another_floor_is_seen():
    text = 'subgraph one\n  a["first · beside: what it does"] --> b["second"]\n  c["third"]\n  b --> c\nend\n'
    assert drawn(text, "one") == [["first", "beside"], ["second"], ["third"]]
    assert drawn(text.replace("b --> c", "c --> a"), "one") == [["third"], ["first", "beside"], ["second"]]


def missing(text: str) -> list[str]:
    """Return the files and folders that a text names and that are not there, from the top of the tree."""
    return [path for path in (*PATH.findall(text), *FOLDER.findall(text)) if not (ROOT / path).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(document):
    assert missing(document.read_text(encoding="utf-8")) == []


def test_a_file_that_is_not_there_is_seen():
    text = "`ledger_app/locks.py` `queries/gone.py` `config/doors/` `ledger_app/gone/` `tests/docs/test_rooms.py::test_a`"
    assert missing(text) == ["queries/gone.py", "ledger_app/gone/"]


def test_the_walk_names_a_file_at_each_step():
    (walk,) = WALK.findall(ARCHITECTURE.read_text(encoding="utf-8"))
    steps = re.split(r"^\d+\. ", walk, flags=re.MULTILINE)[1:]
    assert [step for step in steps if not PATH.search(step)] == []
    # From bytes to balance, through every phase before the freeze.
    assert [re.findall(r"`(receive|validate|approve|apply|post)`", step)[:1] for step in steps] == [
        ["receive"],
        ["validate"],
        [],
        ["approve"],
        ["apply"],
        ["post"],
        [],
    ]
