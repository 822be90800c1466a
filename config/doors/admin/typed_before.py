"""Keeps what a person typed on a page that a POST answered, so that going back to the page, or loading it again, is no error of the browser.

The page is told an address of its own, which its script puts in the place of the POST's: anyone who comes back asks for that by GET, gets the form as
it was filled in, and nothing is done. What was typed lies in the session, the last few pages of it; what may be secret is left out.
"""

import secrets
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.encoding import escape_uri_path
from django.utils.html import escape

from ledger_app.errors import card_numbers

NAME: Final = "typed"
SESSION_KEY: Final = "typed_before"
PAGES_KEPT: Final = 5
CHARACTERS_MOST: Final = 20_000
SECRET: Final = ("csrfmiddlewaretoken", "value", "shown", "code", "answer", "sealed")


class TypedBefore:
    """Gives each page that answers a POST an address to come back to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and keep what was typed where the answer is a page of the admin."""
        response = self._answer(request)
        is_page = not response.streaming and response.get("Content-Type", "").startswith("text/html")
        is_of_user = (
            request.path.startswith("/admin/") and getattr(request, "user", None) is not None and request.user.is_authenticated
        )
        if request.method == "POST" and is_page and is_of_user and response.status_code in {200, 403, 409}:
            # A path holds whatever was asked for: quoted it is an address, and ends no attribute.
            address = escape(keep(request)).encode()
            response.content = response.content.replace(b"<body", b'<body data-address="' + address + b'"', 1)
        return response


def typed(request: HttpRequest) -> QueryDict | None:
    """Return what was typed on the page that a GET comes back to; None where it comes back to none."""
    token = request.GET.get(NAME, "")
    if request.method != "GET" or not token:
        return None
    found = [text for key, path, text in request.session.get(SESSION_KEY, []) if (key, path) == (token, request.path)]
    return QueryDict(found[0]) if found else None


def keep(request: HttpRequest) -> str:
    """Keep what a POST said, and return the address at which it is there again."""
    said = QueryDict(mutable=True)
    for name, values in request.POST.lists():
        is_secret = name in SECRET or "password" in name
        if not is_secret and not any(map(card_numbers.holds, values)):
            said.setlist(name, values)
    text = said.urlencode()
    if len(text) > CHARACTERS_MOST:
        return escape_uri_path(request.path)
    token = secrets.token_hex(12)
    kept = request.session.get(SESSION_KEY, [])
    request.session[SESSION_KEY] = [*kept, [token, request.path, text]][-PAGES_KEPT:]
    return f"{escape_uri_path(request.path)}?{NAME}={token}"
