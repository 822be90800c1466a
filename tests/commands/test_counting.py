"""What commands count is said in the form that goes with the number: one line, two lines."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from config.doors.commands.counting import FORMS, counted
from tests.commands.conftest import Run
from tests.support.world import FIXED, World, card_file

ROOT = Path(settings.BASE_DIR)


def plural(what: str) -> str:
    return counted(2, what).removeprefix("2 ")


# A number that is put before a word that stands for many, as “{count} lines” is.
MANY = re.compile(rf"\}} (?:new |more )?({'|'.join(plural(what) for what in FORMS)})\b")


@pytest.mark.parametrize("what", FORMS)
def test_one_is_no_many(what: str) -> None:
    assert counted(1, what) == f"1 {what}"
    assert counted(0, what) == f"0 {plural(what)}"
    assert plural(what) != what
    with translation.override("ja"):
        assert counted(1200, what) != counted(1200, what).replace("1,200", "")


def counted_by_hand(text: str) -> list[str]:
    """Return the words that stand for many behind whatever number there is, but for those in the plural of ngettext."""
    lines = [line for line in text.splitlines() if "ngettext" not in line]
    return [found.group(1) for line in lines for found in MANY.finditer(line)]


def test_no_command_counts_by_hand() -> None:
    paths = [path for app in ("config", "ledger_app", "ingestion_app") for path in (ROOT / app / "management").rglob("*.py")]
    found = {path.name: words for path in paths if (words := counted_by_hand(path.read_text(encoding="utf-8")))}
    assert len(paths) > 50
    assert found == {"status.py": ["records"]}, "a rate is no number of records"


def test_a_count_by_hand_is_seen() -> None:
    assert counted_by_hand('f"{done} lines, {new} new entries"') == ["lines", "entries"]


@pytest.mark.django_db
def test_one_record_is_told_as_one(world: World, run: Run) -> None:
    batch = world.approved(card_file([FIXED]))
    applied = run("apply", batch.pk)
    assert "is applied: 1 chunk applied, 0 found applied, 0 stopped" in applied.out
    assert "found applied: 0 chunks with 0 records; new: 2 entries" in applied.out
    assert "planned 1 entry, debits 1.50 USD; in the ledger 1 entry, debits 1.50 USD: equal" in applied.out
    told = run("explain", "CARD/receivable.1001")
    assert "the sum of its lines (1 line)" in told.out
    assert "Since then: 1 line" in told.out
