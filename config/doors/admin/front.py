"""What the side and the first page of the admin have: each application registers its places, its work and what is looked for in it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The sections of the side, in their order.
SECTIONS: Final[Mapping[str, str | Promise]] = {
    "ledger": _("Ledger"),
    "ingestion": _("Ingestion"),
    "close": pgettext_lazy("section", "Close"),
    "audit": _("Audit"),
    "administration": _("Administration"),
}


class MenuLine(NamedTuple):
    """One line of the menu: its section, its label, the list that it opens, and the right that shows it."""

    section: str
    label: str | Promise
    list_name: str
    permission: str
    query: str = ""


class Waiting(NamedTuple):
    """One kind of work: the things of a model that are in some states, that wait for a user with some right.

    ``not_by`` names the columns of those who may not do it, because it is their own work that it decides; ``past`` names the date that
    must lie behind; ``kinds`` are the kinds of the things, where they have some and others decide the rest. The page shows them by ``turn``.
    """

    label: str | Promise
    model: str
    states: tuple[str, ...]
    permission: str
    not_by: tuple[str, ...] = ()
    past: str = ""
    kinds: tuple[str, ...] = ()
    turn: int = 50


# What an application adds to the first page: asked with the site and the request, it answers what the page's template shows.
Shown = Callable[[Any, HttpRequest], dict[str, Any]]

_menu: dict[str, list[MenuLine]] = {section: [] for section in SECTIONS}
_waiting: list[Waiting] = []
_searched: list[str] = []
_shown: list[Shown] = []


def register(*, menu: Iterable[MenuLine], waiting: Iterable[Waiting], searched: Iterable[str], shown: Shown) -> None:
    """Add what one application has. Called once by each, when its pages are loaded."""
    for line in menu:
        _menu[line.section].append(line)
    _waiting.extend(waiting)
    _waiting.sort(key=lambda kind: kind.turn)
    _searched.extend(searched)
    _shown.append(shown)


def menu() -> list[MenuLine]:
    """Return the lines of the side, by section."""
    return [line for of_section in _menu.values() for line in of_section]


def waiting() -> list[Waiting]:
    """Return the kinds of work, in the order of the first page."""
    return list(_waiting)


def searched() -> list[str]:
    """Return the models that the search over all lists asks."""
    return list(_searched)


def shown(site: Any, request: HttpRequest) -> dict[str, Any]:
    """Return what all applications add to the first page."""
    return {name: value for each in _shown for name, value in each(site, request).items()}
