"""Every address that takes what changes something, found in the address book of the program itself: a new one is among them."""

import re
from typing import Any, NamedTuple

from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.urls import Resolver404, get_resolver, resolve

UNSAFE = ("post", "put", "patch", "delete")
PART = re.compile(r"<(?:\w+:)?(\w+)>")
# What stands in an address for one of its parts; where the part is the number of a thing, 1.
PARTS = {"code": "CARD", "name": "freeze", "app_label": "ledger_app", "content_type_id": "1", "url": "nowhere/"}


class Door(NamedTuple):
    """A method and an address; whether programs come in by it, and whether it takes files."""

    method: str
    path: str
    is_api: bool
    takes_files: bool


def doors() -> list[Door]:
    """Return all of them."""
    found = set()
    for view, pattern, *_ in extract_views_from_urlpatterns(get_resolver().url_patterns):
        path = PART.sub(
            lambda part: PARTS.get(part[1], "1"), simplify_regex(str(pattern).replace("([^/]+)", "1").replace("^", ""))
        )
        if not resolves(path):
            continue
        actions: dict[str, str] | None = getattr(view, "actions", None)
        if path.startswith("/api/"):
            for method in (each for each in UNSAFE if actions and each in actions):
                found.add(Door(method.upper(), path, is_api=True, takes_files=takes_files(view, actions, method)))
        else:
            found.add(Door("POST", path, is_api=False, takes_files=takes_files(view, None, "post")))
    return sorted(found)


def takes_files(view: Any, actions: dict[str, str] | None, method: str) -> bool:
    handler = getattr(view.cls, actions[method]) if actions else view
    return getattr(handler, "takes_files", None) is not None


def resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
