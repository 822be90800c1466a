"""Every refusal can be said: its facts are given where it is made, and docs/errors.md lists it as it is."""

import ast
import importlib
import json
import pkgutil
import re
import string
from pathlib import Path

import pytest
from django.utils.translation import override

import ingestion_app.errors
import ledger_app.errors
from ledger_app.adjustments.rules import adjustments
from ledger_app.errors import LedgerError, stored, words
from ledger_app.members.rules import merges

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/errors.md"
OF_THE_LEDGER = [each.name for each in pkgutil.iter_modules(ledger_app.errors.__path__)]
MODULES = (
    ledger_app.errors,
    ingestion_app.errors,
    *(importlib.import_module(f"ledger_app.errors.{name}") for name in OF_THE_LEDGER),
)
# Bases, which are never shown by themselves.
BASES = {"LedgerError", "Refused"}


def kinds(module):
    """Return the errors that a module defines, in the order of its source."""
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, LedgerError) and kind.__module__ == module.__name__
        if kind.__name__ not in BASES
    ]


ALL = {kind.__name__: kind for module in MODULES for kind in kinds(module)}


def fields(kind):
    with override("en"):
        return {name for _, name, _, _ in string.Formatter().parse(str(kind.template)) if name}


def calls(tree):
    """Yield (line, name of the error, names of its facts) for each error that is made with its facts spelt out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            facts = {keyword.arg for keyword in node.keywords}
            if name in ALL and None not in facts:
                yield node.lineno, name, facts


def incomplete(tree):
    return [(line, name, sorted(fields(ALL[name]) - facts)) for line, name, facts in calls(tree) if fields(ALL[name]) - facts]


def test_the_check_finds_a_fact_that_is_missing():
    sample = ast.parse("errors.Stale(shown=1)\nStale(shown=1, now=2)\nerrors.Stale(**facts)\nother(shown=1)")
    assert incomplete(sample) == [(1, "Stale", ["now"])]


def test_every_error_is_made_with_the_facts_that_its_sentence_names():
    sources = [path for name in ("ledger_app", "ingestion_app", "config") for path in (ROOT / name).rglob("*.py")]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources}
    found = [(str(path.relative_to(ROOT)), *each) for path, tree in trees.items() for each in incomplete(tree)]
    assert found == []
    assert sum(len(list(calls(tree))) for tree in trees.values()) > 60


def test_no_two_errors_share_a_code():
    codes = [kind.code for kind in ALL.values()]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("kind", ALL.values(), ids=lambda kind: kind.code)
def test_every_error_has_a_code_of_its_own_a_sentence_and_a_docstring(kind):
    assert "code" in vars(kind)
    assert re.fullmatch(r"[a-z_]{3,40}", kind.code)
    assert "template" in vars(kind)
    assert (kind.__doc__ or "").endswith(".")
    facts = dict.fromkeys(fields(kind), "{x}%s")
    assert kind(**facts).as_dict()["sentence"]


@pytest.mark.parametrize("kind", ALL.values(), ids=lambda kind: kind.code)
def test_every_sentence_names_the_same_facts_in_japanese(kind):
    with override("ja"):
        japanese = {name for _, name, _, _ in string.Formatter().parse(str(kind.template)) if name}
    assert japanese == fields(kind)


def documented():
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return [(code, sentence) for code, sentence, _remedy in rows], [remedy for _code, _sentence, remedy in rows]


def test_the_documented_errors_are_those_of_the_code():
    rows, remedies = documented()
    with override("en"):
        coded = {kind.code: str(kind.template) for kind in ALL.values()}
    assert dict(rows) == coded
    assert len(rows) == len(coded)
    assert all(len(remedy) > 10 for remedy in remedies)


def test_the_documented_order_of_posting_is_that_of_the_code():
    from ledger_app.posting.rules import posting

    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("## Posting") : text.index("## ", text.index("## Posting") + 3)]
    assert re.findall(r"^\| `([a-z_]+)` ", section, re.MULTILINE) == [kind.code for kind in posting.ORDER]


@pytest.mark.parametrize("name", [name for name, kind in ALL.items() if "reference" in fields(kind)])
def test_a_reference_without_a_number_is_told_as_one(name):
    for reference in (adjustments.reference(0), merges.merge_reference(None, "points", "2017-01-31")):
        error = ALL[name](**{**dict.fromkeys(fields(ALL[name]), ""), "reference": reference})
        assert reference not in error.sentence
        assert "not numbered yet" in error.sentence
        assert error.as_dict()["facts"]["reference"] == reference
    # What others call an entry is theirs.
    for given in ("new:till:1", "till:new", "till:new:1", "merge-new", "adjustment:newer"):
        stands = ALL[name](**{**dict.fromkeys(fields(ALL[name]), ""), "reference": given})
        assert given in stands.sentence


# Facts that are words of the language: told in the language of the person who reads, so none is a text of the program.
WORDS = {"what", "who", "right", "differs", "cause"}
# Faults of the program, told to the person who mends it, and not to the person who uses it.
FAULTS = {"WrittenDiffers"}


def plain_words(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for keyword in node.keywords if name in ALL and name not in FAULTS else ():
                is_text = isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
                if keyword.arg in WORDS and (is_text or isinstance(keyword.value, ast.JoinedStr)):
                    yield node.lineno, name, ast.unparse(keyword.value)


def test_words_in_refusals_are_of_the_language():
    for plain in ("'book'", "f'account of {book}'"):
        assert list(plain_words(ast.parse(f"NotFound(what={plain}, name=1)"))) == [(1, "NotFound", plain)]
    found = {
        (str(path.relative_to(ROOT)), *each)
        for application in ("ledger_app", "ingestion_app", "config")
        for path in (ROOT / application).rglob("*.py")
        for each in plain_words(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_a_phrase_in_a_refusal_has_no_card_number():
    said = words.differing([("--reason", "5105105105105100", "Lost card 4111 1111 1111 1111.")])
    error = ALL["DefinitionConflict"](what=words.phrase("account of {book}", book="4111111111111111"), name="x", differs=said)
    assert not re.search("[0-9]{6}|4111 1111", error.sentence + str(error.as_dict()))


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_refusal_tells_the_program_s_word_for_nothing(name):
    """A fact that there is not is a dash, or a word that the refusal has for it, in every language; in JSON it is null."""
    refusal = ALL[name](**dict.fromkeys(fields(ALL[name])))
    for language in ("en", "ja"):
        with override(language):
            assert "None" not in refusal.sentence
    assert set(refusal.as_dict()["facts"].values()) <= {None}
    kept = json.loads(json.dumps(stored.stored(refusal)))
    assert "None" not in stored.translated(kept)["sentence"]


def test_a_phrase_tells_nothing_as_a_dash():
    assert str(words.differing([("floor", None, 0), ("role", "a", "a"), ("unit", "x", None)])) == "floor (– ≠ 0), unit (x ≠ –)"
