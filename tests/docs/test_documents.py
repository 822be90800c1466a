"""The documents: links lead somewhere, commands and settings that they name exist, and lists are whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MERMAID = re.compile(r"```mermaid\nstateDiagram-v2\n.*?```", re.DOTALL)
README_LINES_MOST = 120
RECORD_PARTS = ["Context", "Decision", "Consequences", "Rejected"]


def links(document: Path) -> Iterator[str]:
    """Yield what a document links to, code left out."""
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if not target.startswith(("http:", "https:", "mailto:")):
            yield target


def anchors(document: Path) -> set[str]:
    """Return the names under which a document's headings are linked to."""
    headings = HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """Return the links of a document that lead nowhere."""
    found = []
    for target in links(document):
        path, _, anchor = target.partition("#")
        place = (document.parent / path).resolve() if path else document
        if not place.exists() or (anchor and anchor not in anchors(place)):
            found.append(target)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    assert broken(document) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path):
    document = tmp_path / "sample.md"
    document.write_text("# Here it is\n[a](missing.md) [b](#here-it-is) [c](#not-here)\n```\n[d](code.md)\n```\n")
    assert broken(document) == ["missing.md", "#not-here"]


def test_every_document_can_be_reached_from_the_readme():
    reached, edge = set(), [ROOT / "README.md"]
    while edge:
        document = edge.pop()
        reached.add(document)
        targets = [(document.parent / target.partition("#")[0]).resolve() for target in links(document)]
        edge += [target for target in targets if target.suffix == ".md" and target.exists() and target not in reached]
    assert [str(document.relative_to(ROOT)) for document in DOCUMENTS if document not in reached] == []


def test_the_readme_is_one_page_and_shows_the_states_as_they_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < README_LINES_MOST
    drawn = MERMAID.search((DOCS / "states-batch.md").read_text(encoding="utf-8"))
    assert drawn is not None
    assert drawn.group() in readme


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    # At the beginning of an indented line, or quoted: elsewhere "make" is a verb.
    named = {name for text in texts for name in re.findall(r"(?:^    |`)make ([a-z]+)", text, re.MULTILINE)}
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_every_target_is_explained_to_developers():
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = (DOCS / "development.md").read_text(encoding="utf-8")
    assert {target for target in targets - {"help"} if f"    make {target} " not in told} == set()


def test_every_command_that_is_named_exists():
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    named = {name for text in texts for name in re.findall(r"manage\.py ([a-z][a-z_-]*)", text)}
    assert "verify" in named
    assert named - set(get_commands()) == set()


def settings_read(source: str) -> set[str]:
    """Return the names that a settings file reads from the environment."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "env":
            found.add(str(node.args[0].value))
    return found


def test_every_setting_that_is_read_is_told_and_no_other():
    read = settings_read((ROOT / "config" / "settings.py").read_text(encoding="utf-8"))
    told = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "configuration.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(told) == len(set(told))
    assert read - set(told) == set(), "docs/configuration.md needs a row for each of these"
    assert set(told) - read == set(), "docs/configuration.md tells of these, and config/settings.py reads none of them"


def test_a_setting_is_seen_however_it_is_read():
    assert settings_read('A = env.text("ONE", most=2, default="")\nB = env.switch("TWO", default=True)\nC = dict("no")') == {
        "ONE",
        "TWO",
    }


def test_decision_records_are_numbered_whole_and_listed():
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    numbers = [int(record.name[:4]) for record in records]
    assert len(set(numbers)) == len(numbers)
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    for record in records:
        text = record.read_text(encoding="utf-8")
        title = text.splitlines()[0].removeprefix(f"# {record.name[:4]}. ")
        assert f"| [{record.name[:4]}]({record.name}) | {title} |" in index
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == RECORD_PARTS, record.name
    listed = [int(number) for number in re.findall(r"^\| \[(\d{4})\]", index, re.MULTILINE)]
    assert listed == numbers
    # Of a number without a record the list says what became of it, and the record that took its place names it.
    _, _, missing = index.partition("Numbers that are missing: ")
    told = {int(number) for number in re.findall(r"(?<!\[)\b(\d{4})\b(?!-)", missing)}
    assert told == set(range(1, max(numbers) + 1)) - set(numbers)
    for number, heir in re.findall(r"(\d{4}) (?:is replaced )?by\s\[\d{4}\]\(([^)]+)\)", missing):
        assert f"In place of {number}" in (DOCS / "decisions" / heir).read_text(encoding="utf-8"), heir
    # A record says what holds: none is left that another replaces, and none tells twice.
    heirs = {record.name for record in records if "In place of " in record.read_text(encoding="utf-8")}
    assert heirs == set(re.findall(r"\]\(([^)]+)\)", missing))
    assert [record.name for record in records if "Replaced by" in record.read_text(encoding="utf-8")] == []
