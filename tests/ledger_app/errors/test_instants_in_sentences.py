"""An instant in the sentence of a refusal stands there as on every page; its fact is as programs read it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from ledger_app.errors import stored
from ledger_app.errors.stored import kinds

STAMP = "2017-02-01T00:00:00.123456Z"
SAID = "2017-02-01 00:00:00+00:00"
INSTANT_NAMES = re.compile(r"\{(at|since|until|expires|known_at|when|ends_at|placed_at|locked_until)\}")
# A day, and no instant.
DAYS = {("lot_invalid", "expires")}


def given() -> Iterator[tuple[str, str]]:
    """Yield (name of the error, name of the fact) of each instant that a refusal is given."""
    for application in ("ledger_app", "ingestion_app", "config"):
        for path in sorted((Path(settings.BASE_DIR) / application).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            named = {
                each.targets[0].id
                for each in ast.walk(tree)
                if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and is_stamp(each.value)
            }
            for call in ast.walk(tree):
                if not isinstance(call, ast.Call):
                    continue
                kind = getattr(call.func, "id", getattr(call.func, "attr", ""))
                for each in call.keywords:
                    of_name = isinstance(each.value, ast.Name) and each.value.id in named
                    if each.arg and (is_stamp(each.value) or of_name):
                        yield kind, each.arg


def is_stamp(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "id", getattr(value.func, "attr", "")) == "stamp"


def test_every_instant_that_a_refusal_is_given_is_declared() -> None:
    by_name = {kind.__name__: kind for kind in kinds().values()}
    found = {(kind, name) for kind, name in given() if kind in by_name}
    assert len(found) >= 8
    assert not {(kind, name) for kind, name in found if name not in by_name[kind].instants}
    declared = {(kind.__name__, name) for kind in by_name.values() for name in kind.instants}
    assert declared == found


def test_no_sentence_names_what_reads_like_an_instant_and_is_declared_for_none() -> None:
    named = {(kind.code, name) for kind in kinds().values() for name in INSTANT_NAMES.findall(str(kind.template))}
    assert not {(code, name) for code, name in named - DAYS if name not in kinds()[code].instants}


@pytest.mark.parametrize("code", sorted(code for code, kind in kinds().items() if kind.instants))
def test_it_is_told_as_people_read_it_and_kept_as_programs_do(code: str) -> None:
    kind = kinds()[code]
    names = set(re.findall(r"\{(\w+)\}", str(kind.template)))
    error = kind(**{name: STAMP if name in kind.instants else 1 for name in names})
    assert SAID in error.sentence
    assert STAMP not in error.sentence
    assert {error.as_dict()["facts"][name] for name in kind.instants} == {STAMP}
    assert stored.translated(stored.stored(error))["sentence"] == error.sentence
