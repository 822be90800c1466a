"""What an everyday change must also say: a format, a kind of column, a key of a source, a page, a code. Each failure names the place that lacks it."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.conf import settings

from ingestion_app.checks.rules import RULES
from ingestion_app.formats.definition import Kind
from ledger_app.reports import exports

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
FORMATS = ROOT / "ingestion_app" / "formats"
READERS = frozenset({"text", "integer", "switch", "choice", "texts", "table", "tables"})
ADMINS = ("ledger_app", "ingestion_app")


def document(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def calls(text: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def sources(folder: Path, pattern: str) -> Mapping[str, str]:
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern))}
    assert found
    return found


def keys_read(text: str) -> set[str]:
    """Return the keys of a definition that a module reads: from a table, or by a function that is given the table."""
    found = set()
    for call in calls(text):
        is_method = isinstance(call.func, ast.Attribute) and call.func.attr in READERS
        is_given = len(call.args) > 1 and isinstance(call.args[0], ast.Name) and call.args[0].id in {"table", "row"}
        key = call.args[0] if is_method and call.args else call.args[1] if is_given else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.add(key.value)
    return found


def words_told(text: str) -> set[str]:
    """Return the names that a document writes as code, in a sentence or in a sample."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ *(\w+) = |^\[+([\w.]+)\]+$", text, re.MULTILINE)
    return set(re.findall(r"\w+", " ".join(each if isinstance(each, str) else " ".join(each) for each in code)))


def codes_named(text: str) -> set[str]:
    """Return the codes of findings that a module writes down."""
    return {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"record\.[a-z_]+", node.value)
    }


def is_page(text: str) -> bool:
    """Whether a module registers a page of the admin."""
    return re.search(r"^@admin\.register\(|^admin\.site\.register\(", text, re.MULTILINE) is not None


def test_every_format_of_export_is_told() -> None:
    told = set(re.findall(r"^### `(\w+)`$", document("exports.md"), re.MULTILINE))
    missing = set(exports.FORMATS) - told
    assert not missing, f"docs/exports.md needs a part “### `…`” for each of {missing}"
    line = re.search(r"^    export BOOK .*--format ([a-z|]+)", document("commands.md"), re.MULTILINE)
    assert line is not None
    assert set(line[1].split("|")) == set(exports.FORMATS), "docs/commands.md names the formats of export"


def test_every_kind_of_column_is_told() -> None:
    _, _, table = document("sources.md").partition("| kind | what passes |")
    told = set(re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE))
    assert told == set(Kind), "docs/sources.md has a row for each kind of column"


@pytest.mark.parametrize("module", sources(FORMATS, "toml*.py"))
def test_every_key_of_a_source_is_told(module: str) -> None:
    missing = keys_read((FORMATS / module).read_text(encoding="utf-8")) - words_told(document("sources.md"))
    assert not missing, f"docs/sources.md says nothing of {missing}, which {module} reads"


@pytest.mark.parametrize("module", sources(FORMATS, "*.py"))
def test_every_finding_of_a_field_has_its_rule(module: str) -> None:
    missing = codes_named((FORMATS / module).read_text(encoding="utf-8")) - RULES.keys()
    assert not missing, f"{missing} of {module} have no sentence: write one in ingestion_app/checks/rules.py or its family"


@pytest.mark.parametrize("application", ADMINS)
def test_every_page_is_there(application: str) -> None:
    folder = ROOT / application / "admin"
    named = set(re.findall(r"\b\w+\b", (folder / "__init__.py").read_text(encoding="utf-8")))
    missing = [name for name, text in sources(folder, "*.py").items() if is_page(text) and name.removesuffix(".py") not in named]
    assert not missing, f"{application}/admin/__init__.py imports none of {missing}, so their pages are not there"


def test_what_is_read_is_seen() -> None:
    assert keys_read('table.integer("records_most", least=1)\nnamed_column(table, "order", data)\ntable.add("x", "y")') == {
        "records_most",
        "order",
    }
    assert words_told("A `key = 1` and\n\n    [limits]\n    other = 2\n") >= {"key", "other"}
    assert codes_named('_fault("record.digits_invalid", column)\n"a record.is here"') == {"record.digits_invalid"}
    assert is_page("@admin.register(Book)\nclass BookAdmin: ...")
    assert not is_page('"""Says how @admin.register(Book) works."""')
