"""Each rule is decided in one place, and modules do not import one another in circles."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.architecture import homes

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("ledger_app", "ingestion_app", "config")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_each_rule_is_spelled_in_its_home_alone() -> None:
    assert [found for name, tree in modules() for found in homes.breaches(name, tree)] == []


def test_each_home_spells_its_rule() -> None:
    # A home that moved leaves nothing behind that nobody looks at.
    for home in (*homes.IN_CODE, *homes.IN_SQL):
        for name in home.homes:
            assert (ROOT / name).is_file(), f"{home.rule}: {name}"


@pytest.mark.parametrize(
    ("sample", "rule"),
    [
        ("if after < account.floor:\n    pass", "a balance is held against a floor"),
        ("found = lowest >= floor", "a balance is held against a floor"),
        ("is_under = (opening.floor or 0) > 0", "a balance is held against a floor"),
        ("sign = 1 if category in sides.DEBIT_CATEGORIES else -1", "a category says the natural direction"),
        ("DEBITS = frozenset({'asset', 'expense'})", "a category says the natural direction"),
        ("found = [each for each in periods if each.starts_on <= on <= each.ends_on]", "a period takes a date"),
        ("Period.objects.filter(starts_on__lte=on, ends_on__gte=on)", "a period takes a date"),
        ("Entry.objects.filter(effective_on__gte=period.starts_on)", "a period takes a date"),
        ("STRIPES_MOST = 64", "how many stripes there are"),
        ("LIST_MOST: Final = 900", "how long a list may be"),
        ("TICKET_MOST = 40", "how long a reason, a ticket or a chain of merges may be"),
        ("sql = \"CASE WHEN account.category IN ('asset') THEN 1 ELSE -1 END\"", "the natural direction in SQL"),
        ("sql = 'SELECT 1 FROM json_each(%s) AS given'", "a list that is given"),
        ("sql = f\"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS ({x})) AS given\"", "a list that is given"),
        ("sql = 'SELECT account_id * 64 + stripe FROM t'", "the key of a balance"),
        ("sql = 'entry.effective_on BETWEEN period.starts_on AND period.ends_on'", "a period takes an entry's date in SQL"),
        ("sql = 'OR balance.sequence <> COALESCE(summed.line_count, 0)'", "a balance is what its lines come to"),
        ("then = {'mysql': 'STRAIGHT_JOIN', 'sqlite': 'CROSS JOIN'}", "an ordered join by the database's name"),
        ("CODE = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')", "what a code looks like"),
    ],
)
def test_a_second_spelling_is_found(sample: str, rule: str) -> None:
    found = list(homes.breaches("ledger_app/queries/planted.py", ast.parse(sample)))
    assert {told.rpartition(": ")[2] for told in found} == {rule}


def circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Return modules that import one another, the first also last; none where there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def imports_of(*packages: str) -> dict[str, set[str]]:
    graph = grimp.build_graph(*packages, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def test_no_module_imports_one_that_imports_it() -> None:
    # Imports inside functions and for types alone count: a circle that is hidden is one.
    assert circle(imports_of(*PACKAGES)) == []


def test_the_ledger_reaches_ingestion_through_nothing() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    for package in ("ledger_app", "config"):
        assert graph.find_shortest_chains(package, "ingestion_app", as_packages=True) == set(), package


def test_a_hidden_circle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = tmp_path / "planted_circle"
    sample.mkdir()
    (sample / "__init__.py").write_text("")
    (sample / "one.py").write_text("from planted_circle import other\n")
    (sample / "other.py").write_text("def late():\n    from planted_circle import one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(circle(imports_of("planted_circle"))) == {"planted_circle.one", "planted_circle.other"}
