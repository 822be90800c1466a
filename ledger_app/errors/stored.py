"""Refusals as they are kept: the code, and the facts as they were; told in the language of whoever reads them, not of whoever was refused."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, override

from ledger_app.errors import LedgerError
from ledger_app.errors.units import Unit
from ledger_app.errors.words import Phrase, Words

SOURCE = "en"  # the language that messages are written in
SAID = "said"  # the names of the facts that are messages: translated when they are read
UNIT = "unit"  # of its amounts: name and decimals
TEMPLATE = "template"  # of a phrase: a message that has facts of its own


def stored(error: LedgerError) -> dict[str, Any]:
    """Return a refusal as it is kept. The sentence, in English, is for whoever reads the row without this program."""
    with override(SOURCE):
        kept = error.as_dict()
        words = {
            name: [_kept(each) if isinstance(each, Phrase) else str(each) for each in value]
            for name, value in error.facts.items()
            if isinstance(value, Words)
        }
        said = [name for name, value in error.facts.items() if isinstance(value, Promise)]
        phrases = {name: _kept(value) for name, value in error.facts.items() if isinstance(value, Phrase)}
    unit = {UNIT: list(error.unit)} if error.unit else {}
    return {**kept, **unit, SAID: {**{name: [kept["facts"][name]] for name in said}, **words, **phrases}}


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a refusal that was kept with its sentence in the active language; as it stands where it was kept as a text, or by a code of old."""
    kind = kinds().get(str(row.get("code")))
    if kind is None or SAID not in row:
        return _as_it_stands(row)
    facts = {**row["facts"], **{name: _said(each) for name, each in row[SAID].items()}}
    try:
        error = kind(**facts)
        error.keep_unit(Unit(*row[UNIT]) if UNIT in row else None)
        return error.as_dict()
    except (KeyError, IndexError, ValueError):
        # The sentence names other facts now than when it was refused.
        return _as_it_stands(row)


def _as_it_stands(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {SAID, UNIT}}


def _kept(phrase: Phrase) -> dict[str, Any]:
    """Return a phrase as JSON: its message, its facts, and which of them are messages."""
    said = [name for name, value in phrase.facts if isinstance(value, Promise)]
    facts = {name: value if isinstance(value, int) else str(value) for name, value in phrase.facts}
    return {TEMPLATE: str(phrase.template), "facts": facts, SAID: said}


def _said(each: Any) -> Words | Phrase:
    """Return the words or the phrase that was kept, in the active language."""
    if not isinstance(each, Mapping):
        return Words(_said(one) if isinstance(one, Mapping) else gettext(one) for one in each)  # type: ignore[misc]  # no words within words
    facts = {name: gettext(value) if name in each[SAID] else value for name, value in each["facts"].items()}
    return Phrase(gettext(each[TEMPLATE]), tuple(facts.items()))


def kinds() -> dict[str, type[LedgerError]]:
    """Return the errors of all applications, by code."""
    found: dict[str, type[LedgerError]] = {}
    left = [LedgerError]
    while left:
        each = left.pop()
        left += each.__subclasses__()
        found[each.code] = each
    return found
