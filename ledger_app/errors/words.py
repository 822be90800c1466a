"""Words and phrases that stand in the sentence of a refusal, translated into the language of the reader."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.printable import filled

# What stands in a reference of the ledger's own for the number of a proposal that is not kept yet.
UNNUMBERED: Final = "new"
_UNNUMBERED = re.compile(f"(?:adjustment|merge):{UNNUMBERED}(?::.*)?")
NOT_NUMBERED: Final = _("not numbered yet")
# What stands for nothing in a sentence, where a refusal has no word of its own for it.
NOTHING: Final = "–"

# A text, or a word of the language that is told where it is read.
Word = str | Promise


def numbered(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts as a sentence tells them: a reference that has no number yet says so, and nothing is a dash."""
    facts = {name: NOTHING if value is None else value for name, value in facts.items()}
    if _UNNUMBERED.fullmatch(str(facts.get("reference", ""))):
        return {**facts, "reference": NOT_NUMBERED}
    return facts


def clocked(facts: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the facts with the instants of these names as people read them everywhere: to the second, with their distance from UTC."""
    return {name: _clock(value) if name in names else value for name, value in facts.items()}


def _clock(value: Any) -> Any:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC).isoformat(sep=" ", timespec="seconds")
    except ValueError:
        return value  # what was kept before in another form


class Amount(int):
    """An amount in minor units that stands in a phrase: told in the unit of what the refusal is about."""

    __slots__ = ()


class Words(tuple["str | Promise | Phrase", ...]):
    """Several words or phrases that a sentence lists."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return them in the active language, with commas."""
        return ", ".join(map(str, self))


@dataclass(frozen=True)
class Phrase:
    """A part of a sentence with facts of its own, each a text, a number, an amount or a word of the language."""

    template: str | Promise
    facts: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        """Return it in the active language."""
        return filled(self.template, dict(self.facts))


def phrase(template: str | Promise, **facts: Any) -> Phrase:
    """Return a phrase; what is neither a number nor a word of the language is kept as its text, without any card number."""
    return Phrase(template, tuple((name, _kept(value)) for name, value in facts.items()))


def _kept(fact: Any) -> Any:
    """Return a fact as a phrase keeps it: nothing is a dash."""
    if fact is None:
        return NOTHING
    return fact if isinstance(fact, int | Promise) else masked_text(str(fact))


def differing(said: Iterable[tuple[Word, Any, Any]]) -> Words:
    """Return what differs of what was said twice, of names each with what stands and what was given."""
    return Words(
        phrase(_("{name} ({there} ≠ {given})"), name=name, there=there, given=given)
        for name, there, given in said
        if there != given
    )
