"""A browser that goes to a provider and comes back, and a provider that the settings name."""

import html
import re
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.support.oidc_provider import BACK

BEGIN, LOGIN = "/admin/login/provider/", "/admin/login/"
LEADS = re.compile('http-equiv="refresh" content="0;url=([^"]+)"')


class NotFollowed(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as it is."""

    def redirect_request(self, *_said: Any) -> None:
        return None


def led_to(page: Any) -> str:
    """Return where a page leads to."""
    assert page.status_code == 200, page
    return html.unescape(LEADS.findall(page.content.decode())[0])


def back_from(address: str) -> str:
    """Go to the provider, and return where it sends the browser back to, as the path and what stands behind it."""
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(NotFollowed).open(address, timeout=10)
    assert answer.value.code == 302
    place = str(answer.value.headers["Location"])
    answer.value.close()
    assert place.startswith(BACK + "?")
    return place.removeprefix("http://testserver")


def way_back(client: Client, *, begin: str = BEGIN, onward: str = "/admin/") -> str:
    """Begin, and return the address that the provider sends the browser back to."""
    return back_from(led_to(client.post(begin, {"next": onward})))


def sign_in(client: Client, **said: str) -> Any:
    """Go there and back, and return what the way back is answered with."""
    return client.get(way_back(client, **said))


def is_in(client: Client) -> bool:
    """Whether somebody is signed in."""
    return client.get("/admin/").status_code == 200


def told_at(client: Client, answer: Any) -> str:
    """Return the page that somebody is sent to."""
    assert answer.status_code == 302, answer
    assert urlsplit(answer["Location"]).netloc == ""
    return str(client.get(answer["Location"]).content.decode())
