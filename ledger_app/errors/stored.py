"""Refusals as they are kept: the code, and the facts as they were. A reader gets the sentence in their own language, not in that of the refused user."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, override

from ledger_app.errors import LedgerError
from ledger_app.errors.units import Unit, in_unit
from ledger_app.errors.words import Amount, Phrase, Words

SOURCE = "en"  # the language that messages are written in
SAID = "said"  # the names of the facts that are messages: translated when they are read
UNIT = "unit"  # of its amounts: name and decimals
TEMPLATE = "template"  # of a phrase: a message that has facts of its own
AMOUNTS = "amounts"  # of a phrase: the names of its facts that are amounts


def stored(error: LedgerError) -> dict[str, Any]:
    """Return a refusal as it is kept. The sentence, in English, is for a reader of the row who has not this program."""
    with override(SOURCE):
        kept = error.as_dict()
        return _encodable_in({**kept, **({UNIT: list(error.unit)} if error.unit else {}), SAID: _said_of(error, kept["facts"])})


def stored_facts(error: LedgerError) -> dict[str, Any]:
    """Return the facts of a refusal as they are kept without it: with its unit and its messages among them; ``facts_in_words`` tells them."""
    with override(SOURCE):
        facts = error.all_facts()
        said = _said_of(error, facts)
        return _encodable_in({**facts, **({UNIT: list(error.unit)} if error.unit else {}), **({SAID: said} if said else {})})


def facts_in_words(facts: Mapping[str, Any], amounts: Collection[str] = ()) -> dict[str, Any]:
    """Return facts that ``stored_facts`` kept as a sentence tells them in the active language. ``amounts``: those of its facts that are amounts."""
    unit = Unit(*facts[UNIT]) if UNIT in facts else None
    said = {name: in_unit(_said(each), unit) for name, each in facts.get(SAID, {}).items()}
    told = {name: unit.text(facts[name]) for name in amounts if unit and type(facts.get(name)) is int}
    return {**{name: value for name, value in facts.items() if name not in {SAID, UNIT}}, **told, **said}


def _encodable(value: Any) -> Any:
    """Return what can be kept by every database: half a surrogate pair is no character, and MySQL takes no JSON that has one."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return _encodable_in(value)
    return [_encodable(each) for each in value] if isinstance(value, list | tuple) else value


def _encodable_in(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _encodable(each) for name, each in values.items()}


def _said_of(error: LedgerError, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a refusal that are messages, words or phrases, by their names."""
    words = {
        name: [_kept(each) if isinstance(each, Phrase) else str(each) for each in value]
        for name, value in error.facts.items()
        if isinstance(value, Words)
    }
    said = {name: [facts[name]] for name, value in error.facts.items() if isinstance(value, Promise) and name in facts}
    return {**said, **words, **{name: _kept(value) for name, value in error.facts.items() if isinstance(value, Phrase)}}


def translated(row: Mapping[str, Any]) -> dict[str, Any]:
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
    amounts = [name for name, value in phrase.facts if isinstance(value, Amount)]
    facts = {name: value if isinstance(value, int) else str(value) for name, value in phrase.facts}
    return {TEMPLATE: str(phrase.template), "facts": facts, SAID: said, **({AMOUNTS: amounts} if amounts else {})}


def _said(each: Any) -> Words | Phrase:
    """Return the words or the phrase that was kept, in the active language."""
    if not isinstance(each, Mapping):
        return Words(_said(one) if isinstance(one, Mapping) else gettext(one) for one in each)  # type: ignore[misc]  # no words within words
    facts = {name: gettext(value) if name in each[SAID] else value for name, value in each["facts"].items()}
    facts |= {name: Amount(facts[name]) for name in each.get(AMOUNTS, ())}
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
