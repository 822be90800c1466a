"""The Japanese catalogue: whole, none of it doubtful, and with the placeholders of the English."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.utils import translation

from ingestion_app.states import BATCH
from ledger_app.books.rules.periods import PERIOD
from ledger_app.reversals.rules import REVERSAL
from ledger_app.rights.rules import rights

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "locale" / "ja" / "LC_MESSAGES" / "django.po"
SOURCES = ("config", "ledger_app", "ingestion_app", "templates")
# {name} of str.format, and %(name)s and %s of the percent operator; doubled braces and percent signs stand for themselves.
PLACEHOLDER = re.compile(r"(?<!\{)\{[a-z_!:,]*\}(?!\})|%\([a-z_]+\)[sd]|%[sd]")


def read(path: Path) -> Catalog:
    """Return a catalogue."""
    with path.open("rb") as stream:
        return read_po(stream, locale="ja")


def texts(message: Message, part: str) -> list[str]:
    """Return a message's texts, singular and plural alike."""
    found = message.id if part == "id" else message.string
    return [found] if isinstance(found, str) else list(found or ())


def placeholders(text: str) -> list[str]:
    """Return the placeholders of a text, sorted."""
    return sorted(PLACEHOLDER.findall(text))


def names(catalogue: Catalog) -> set[tuple[str | None, tuple[str, ...]]]:
    """Return what identifies each message."""
    return {(message.context, tuple(texts(message, "id"))) for message in catalogue if message.id}


def test_nothing_is_left_untranslated_doubtful_or_obsolete():
    catalogue = read(CATALOGUE)
    messages = [message for message in catalogue if message.id]
    assert len(messages) > 100
    assert [message.id for message in messages if not all(texts(message, "string"))] == []
    assert [message.id for message in messages if message.fuzzy] == []
    assert list(catalogue.obsolete) == []


def test_a_translation_has_the_placeholders_of_the_english():
    differing = [
        (message.id, text)
        for message in read(CATALOGUE)
        if message.id
        for text in texts(message, "string")
        # Japanese has one form, which stands for the plural: what the singular says in words, it says with the number.
        if placeholders(text) != placeholders(texts(message, "id")[-1])
    ]
    assert differing == []


def test_placeholders_are_seen():
    assert placeholders("{user} {did} %(count)d of %s, {{not}} 100%") == ["%(count)d", "%s", "{did}", "{user}"]


def test_translations_begin_and_end_as_the_english_does():
    # Sentences are joined with blanks and put into lines: a line break too many would show.
    differing = [
        message.id
        for message in read(CATALOGUE)
        if message.id
        for text in texts(message, "string")
        if text != text.strip() and texts(message, "id")[0] == texts(message, "id")[0].strip()
    ]
    assert differing == []


@pytest.mark.parametrize("machine", [BATCH, PERIOD, REVERSAL], ids=lambda machine: machine.subject)
def test_states_are_called_as_the_glossary_calls_them(machine):
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = {word.strip() for row in glossary.splitlines() if row.startswith("|") for word in row.split("|")[2].split(",")}
    catalogue = read(CATALOGUE)
    with translation.override("en"):
        labels = [str(label) for label in machine.states.values()]
    called = {label: message.string for label in labels if (message := catalogue.get(label)) is not None}
    assert set(called) == set(labels)
    assert {label: word for label, word in called.items() if word not in words} == {}


def unknown_names(source: str) -> list[str]:
    """Return the names under which a module imports gettext's functions and which makemessages does not look for."""
    return [
        f"{name.name} as {name.asname}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if name.asname not in {None, "_"}
    ]


def test_gettext_goes_by_names_that_makemessages_knows():
    paths = [path for source in SOURCES for path in (ROOT / source).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): unknown_names(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_name_that_makemessages_does_not_know_is_seen():
    imported = "from django.utils.translation import gettext as _, gettext as _t, ngettext"
    assert unknown_names(imported) == ["gettext as _t"]


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext: apt-get install gettext")
def test_every_marked_string_is_in_the_catalogue_and_no_other(tmp_path):
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "locale").mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "ja", "--no-location"],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    marked = names(read(tmp_path / "locale" / "ja" / "LC_MESSAGES" / "django.po"))
    known = names(read(CATALOGUE))
    assert marked - known == set(), "locale/ja/LC_MESSAGES/django.po lacks these: give each its Japanese"
    assert known - marked == set(), "locale/ja/LC_MESSAGES/django.po has these, which nothing says any more: take them out"


def test_each_right_of_a_group_is_told_in_japanese():
    models = {each for app in ("ledger_app", "ingestion_app") for each in apps.get_app_config(app).get_models()}
    names = {f"{each._meta.app_label}.{code}": name for each in models for code, name in each._meta.permissions}
    acts = {act for group in rights.ACTIONS.values() for act in group}
    assert acts <= names.keys()
    with translation.override("ja"):
        assert [act for act in sorted(acts) if translation.gettext(names[act]) == names[act]] == []
