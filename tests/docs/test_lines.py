"""Lines of documents are short, so that a change shows what was changed: at most 120 characters, rows of tables and code excepted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from ingestion_app.management.commands.draw_rights import INTRODUCTION

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
LENGTH_MOST = 120


def too_long(text: str) -> Iterator[int]:
    """Yield the numbers of lines that are too long, from 1 on."""
    fence, is_code, before = "", False, ""
    for number, line in enumerate(text.splitlines(), 1):
        begins = line.lstrip()[:3]
        if fence:
            fence = "" if begins == fence else fence
        elif begins in {"```", "~~~"}:
            fence = begins
        else:
            # A line that is indented after an empty one begins a block of code; in the midst of an item it is text.
            is_code = line.startswith("    ") and (is_code or not before.strip())
            if not is_code and not line.startswith("|") and len(line) > LENGTH_MOST:
                yield number
        before = line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_too_long(document):
    assert list(too_long(document.read_text(encoding="utf-8"))) == []


def test_what_is_drawn_into_documents_has_short_lines():
    assert list(too_long(INTRODUCTION)) == []


def test_a_line_that_is_too_long_is_seen():
    long = "x " * 70
    text = "\n".join(
        [
            long,
            f"| {long} |",
            "```",
            long,
            "```",
            "",
            f"    {long}",
            "- an item",
            f"    {long}",
            "~~~",
            "```",
            long,
            "~~~",
            long,
        ]
    )
    assert list(too_long(text)) == [1, 9, 14]
