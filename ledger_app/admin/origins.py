"""Where an entry came from, as pages show it."""

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger_app.posting.queries.origins import Fact, Provenance, Target
from ledger_app.templatetags import look


class Shown(NamedTuple):
    """One row of a card: label, value and link; the link is empty where there is none."""

    label: Any
    text: Any
    url: str


def shown_rows(told: Provenance) -> list[Shown]:
    """Return the origin of an entry as the rows of a card."""
    return [Shown(fact.label, _text(fact), address(fact.target)) for fact in told.shown]


def sentence_link(told: Provenance) -> SafeString | str:
    """Return the origin of an entry as a sentence that leads to what the entry came from."""
    url = address(told.target)
    return format_html('<a href="{}">{}</a>', url, told.sentence) if url else told.sentence


def address(target: Target | None) -> str:
    """Return the address of the page of a row; empty where there is none."""
    if target is None:
        return ""
    label, key = target
    return reverse(f"admin:{label.replace('.', '_')}_change", args=[key])


def _text(fact: Fact) -> Any:
    if fact.is_digest:
        return look.digest_cell(fact.text)
    return format_html("<code>{}</code>", fact.text) if fact.is_raw else fact.text
