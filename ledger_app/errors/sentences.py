"""Sentences that are kept to be told again: a text that remembers the message it was made of and its facts, so that a reader has it in their language."""

from typing import Any, SupportsIndex

from django.utils.translation import gettext, override

SOURCE = "en"  # the language that messages are written in
TEMPLATE, FACTS = "template", "facts"


class Sentence(str):
    """A text in the active language. ``template`` is its message, and ``facts`` what it was filled with: texts, numbers and sentences."""

    __slots__ = ("facts", "template")

    template: str
    facts: dict[str, Any]

    def format(self, *_args: object, **facts: object) -> "Sentence":
        """Return the sentence filled with facts."""
        return _made(str.format(self, **facts), self.template, facts)

    def __reduce_ex__(self, _protocol: SupportsIndex) -> Any:
        """Let it cross a process boundary with what it remembers."""
        return _made, (str(self), self.template, self.facts)


def say(message: str) -> Sentence:
    """Return a message in the active language, to be filled by ``format``."""
    return _made(gettext(message), message, {})


def kept(text: str) -> Any:
    """Return a text as it is kept beside itself, as JSON: its message and facts; None where it is no message."""
    if not isinstance(text, Sentence):
        return None
    facts = {name: kept(fact) or str(fact) if isinstance(fact, str) else _plain(fact) for name, fact in text.facts.items()}
    return {TEMPLATE: text.template, FACTS: facts}


def translated(text: str, said: Any) -> str:
    """Return a text that was kept in the active language; as it stands where it was kept as a text alone."""
    if not isinstance(said, dict):
        return text
    facts = {name: translated("", fact) if isinstance(fact, dict) else fact for name, fact in said[FACTS].items()}
    try:
        return gettext(said[TEMPLATE]).format(**facts)
    except (KeyError, IndexError, ValueError):
        return text


def in_source(words: object) -> str:
    """Return a word of the language as it is written in the program, by which it is found again."""
    with override(SOURCE):
        return str(words)


def _plain(fact: object) -> object:
    return fact if isinstance(fact, int) else str(fact)


def _made(text: str, template: str, facts: dict[str, Any]) -> Sentence:
    made = Sentence(text)
    made.template, made.facts = template, facts
    return made
