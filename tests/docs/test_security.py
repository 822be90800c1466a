"""docs/security.md: each requirement of ASVS 5.0.0, levels 1 and 2, stands there once, and what it names is there. Files are read and nothing is imported."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| ([0-9]+(?:\.[0-9]+){2}) \| ([12]) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
DEFINED = re.compile(r"^def (test_\w+)\(", re.MULTILINE)
WORD = re.compile(r"`([A-Z][A-Z_]{3,})`")
PLACE = re.compile(r"`((?:config|ledger_app|ingestion_app|templates)/[\w./]+)`")
STANDS = {"met", "not applicable", "not met"}
# How many requirements of the two levels each section has. They are numbered from 1; those of level 3 stand behind them.
SECTIONS = """
1.1 2, 1.2 9, 1.3 11, 1.4 3, 1.5 2, 2.1 3, 2.2 3, 2.3 4, 2.4 1
3.2 2, 3.3 4, 3.4 6, 3.5 5, 3.7 2, 4.1 3, 4.2 1, 4.3 2, 4.4 4
5.1 1, 5.2 3, 5.3 2, 5.4 3, 6.1 3, 6.2 12, 6.3 4, 6.4 4, 6.5 5, 6.6 3, 6.8 4
7.1 3, 7.2 4, 7.3 2, 7.4 5, 7.5 2, 7.6 2, 8.1 2, 8.2 3, 8.3 1, 8.4 1, 9.1 3, 9.2 4
10.1 2, 10.2 2, 10.3 4, 10.4 11, 10.5 5, 10.6 2, 10.7 3
11.1 2, 11.2 3, 11.3 3, 11.4 4, 11.5 1, 11.6 1, 12.1 3, 12.2 2, 12.3 4
13.1 1, 13.2 5, 13.3 2, 13.4 5, 14.1 2, 14.2 4, 14.3 3, 15.1 3, 15.2 3, 15.3 7
16.1 1, 16.2 5, 16.3 4, 16.4 3, 16.5 3, 17.1 1, 17.2 4, 17.3 2
"""


def text() -> str:
    """Return the document."""
    return DOCUMENT.read_text(encoding="utf-8")


@cache
def defined_in(path: str) -> frozenset[str]:
    """Return the tests of a file; none where there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    return frozenset(DEFINED.findall((ROOT / path).read_text(encoding="utf-8")))


def not_there(said: str) -> list[str]:
    """Return the tests that a text names and that are not there."""
    return [f"{path}::{name}" for path, name in TEST.findall(said) if name not in defined_in(path)]


def constants(path: str, name: str) -> list[str]:
    """Return the texts of a constant of a module: of a tuple its items, of a dictionary its keys."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            items = node.value.keys if isinstance(node.value, ast.Dict) else getattr(node.value, "elts", [])
            return [str(item.value) for item in items if isinstance(item, ast.Constant)]
    return []


def test_each_requirement_of_the_two_levels_stands_there_once_in_its_order() -> None:
    counts = re.findall(r"([0-9.]+) ([0-9]+)", SECTIONS)
    expected = [f"{section}.{number}" for section, count in counts for number in range(1, int(count) + 1)]
    assert len(expected) == 253
    assert [found[1] for found in ROW.finditer(text())] == expected


def test_it_counts_its_own_rows() -> None:
    stands = [found[4] for found in ROW.finditer(text())]
    met, applies_not, left = (stands.count(each) for each in ("met", "not applicable", "not met"))
    said = f"Of {len(stands)} requirements, {met} are met, {applies_not} are not applicable and {left} are not met."
    assert said in text()


def test_each_row_says_how_it_stands_and_what_shows_it_or_has_it() -> None:
    for name, _level, asks, stands, shown in ROW.findall(text()):
        assert stands in STANDS, name
        assert asks.strip(), name
        if stands == "not met":
            assert re.search("issue [0-9]+ line [0-9]+|no issue has it|issue [0-9]+ has it", shown), name
        elif stands == "met":
            assert re.search(r"`|\]\(|Django", shown) or len(shown) > 10, name


def test_what_is_named_is_there() -> None:
    said = text()
    assert len(TEST.findall(said)) > 100
    assert not_there(said) == []
    assert [place for place in PLACE.findall(said) if not (ROOT / place).exists()] == []
    told = (ROOT / "config" / "settings.py").read_text(encoding="utf-8") + "SECONDS_VALID"
    assert [word for word in WORD.findall(said) if word not in told and word not in {"TRACE", "HTTP"}] == []


def test_a_test_that_is_not_there_is_seen() -> None:
    sample = "`tests/docs/test_security.py::test_a_test_that_is_not_there_is_seen`, `tests/docs/test_security.py::test_none`, `tests/a.py::test_b`"
    assert not_there(sample) == ["tests/docs/test_security.py::test_none", "tests/a.py::test_b"]


def test_the_words_and_kinds_that_it_lists_are_those_of_the_code() -> None:
    said = text()
    words = constants("config/doors/signing/passwords.py", "OF_THIS_PLACE")
    kinds = constants("ledger_app/adjustments/rules/attachments.py", "KINDS")
    assert len(words) >= 4
    assert len(kinds) >= 7
    assert [word for word in words if f"`{word}`" not in said] == []
    assert " ".join(f"`{kind}`" for kind in kinds) in said
