"""Keeps card numbers out of addresses and forms: a person who types one is told so, and the number goes no further, not even back to the page.

The API's fields refuse what programs send in bodies (``config.doors.api.fields``); what passed a door unseen is refused where it would be kept
(``ledger_app.base.queries.lookout``).
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from config.doors.api import problems
from ledger_app.errors import card_numbers, members
from ledger_app.errors.printable import escaped

# Fields of forms in which one may stand: the search of all lists, and an identifier, of which a hash is kept; one asks for another by itself; the next is
# made of chance, against forgery; the last two are bytes as text, which may look like anything, and of which nothing is kept as it is.
MAY_BE_CARD: Final = frozenset({"q", "value", "survivor", "csrfmiddlewaretoken", "sealed", "answer"})
PASSWORD: Final = "password"  # noqa: S105 - a part of the names of fields
NAME_MOST: Final = 60

Answer = Callable[[HttpRequest], HttpResponseBase]


class CardDoors:
    """Refuses addresses, and forms of pages, with card numbers in them."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, where the address has none."""
        if card_numbers.holds(request.get_full_path()):
            remedy = _("Use the search at the top of the page, or send it in the body of a search.")
            return _refused(request, members.CardNumberInAddress(remedy=remedy))
        return self._answer(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Look at a form before its page does."""
        if request.method != "POST" or problems.is_for_programs(request):
            return None
        found = ", ".join(dict.fromkeys(_fields(request)))
        return _refused(request, members.CardNumberInForm(fields=found)) if found else None


def _fields(request: HttpRequest) -> Iterator[str]:
    """Yield the name of each field of a form that holds one."""
    for name, values in request.POST.lists():
        is_looked_at = name not in MAY_BE_CARD and PASSWORD not in name
        if card_numbers.holds(name) or (is_looked_at and any(map(card_numbers.holds, values))):
            yield escaped(card_numbers.masked_text(name))[:NAME_MOST]


def _refused(request: HttpRequest, error: members.CardNumberInAddress | members.CardNumberInForm) -> HttpResponse:
    return problems.answer(request, 400, error.code, error.sentence)
