"""Lists and pages say words and not codes; an instant bears its zone, and its label no other; the words of states are those of the glossary."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import gettext, override

from config.doors import telling
from ledger_app.admin.audit import MODELS, subject_link
from tests.admin.conftest import ClientOf, bring_to, step_of
from tests.docs.test_catalogue import CATALOGUE, read, texts
from tests.support.world import World

GLOSSARY = Path(settings.BASE_DIR) / "docs" / "glossary.md"
FILTERED = re.compile(r'<a href="\?(action|subject_type|door)(?:__exact)?=([a-z_]+)"[^>]*>\s*([^<]+?)\s*</a>')


def every_action() -> set[str]:
    found = {action for _subject, action in telling.acts()}
    return found | {each.name for machine in telling.MACHINES.values() for each in machine.transitions}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_filters_of_the_audit_list_show_words(world: World, client_of: ClientOf, language: str) -> None:
    bring_to(world, "frozen")
    client = client_of(world.superuser)
    text = client.get("/admin/ledger_app/auditrow/", headers={"Accept-Language": language}).content.decode()
    found = FILTERED.findall(text)
    assert {name for name, _value, _word in found} >= {"action", "subject_type"}
    with override(language):
        for name, value, word in found:
            told = {"action": telling.action_word, "subject_type": telling.subject_word, "door": telling.door_word}[name]
            assert word in {told(value), f"{told(value)} ({value})"}


def test_everything_that_is_written_down_has_its_word() -> None:
    assert [action for action in sorted(every_action()) if telling.action_word(action) == action] == []
    subjects = {subject for subject, _action in telling.acts()} | set(telling.MACHINES)
    assert subjects - telling.subjects() == set()
    # What has a page is a link to it in lists of changes and of events; these have none of their own.
    assert telling.subjects() - MODELS.keys() == {"accounttemplate", "file", "registration", "request"}
    assert [kind for kind in sorted(MODELS) if "<a " not in subject_link(kind, 1, "x")] == []


def test_no_label_says_a_zone_beside_a_value_that_bears_its_own() -> None:
    assert [text for message in read(CATALOGUE) for text in texts(message, "id") if "(UTC)" in text] == []


def test_no_form_asks_for_minor_units() -> None:
    asking = list((Path(settings.BASE_DIR) / "ledger_app" / "admin").rglob("*.py"))
    asking += (Path(settings.BASE_DIR) / "ingestion_app" / "admin").rglob("*.py")
    told = [path.name for path in asking if re.search(r"_\(\"[^\"]*minor unit", path.read_text(encoding="utf-8"))]
    assert (len(asking) > 20, told) == (True, [])


def test_the_freeze_asks_for_one_amount_and_says_so(world: World, client_of: ClientOf) -> None:
    page = client_of(world.finance).get(step_of(world.opened[0], "freeze")).content.decode()
    labels = dict(re.findall(r'<label for="id_control_([a-z_]+)">.*?<span class="([a-z]+)">', page))
    assert labels.pop("entries") == "optional"
    assert set(labels.values()) == {"needed"}
    assert "one of these is required" in page


def test_the_words_of_states_are_those_of_the_glossary() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| ([^|]*\bstates? of\b[^|]*) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) >= 5
    with override("ja"):
        told = {
            (english, gettext(english.capitalize()), japanese)
            for left, right, _about in rows
            for english, japanese in zip(left.split(", "), re.split(", |、", right), strict=True)
        }
    assert {row for row in told if row[1] != row[2]} == set()
