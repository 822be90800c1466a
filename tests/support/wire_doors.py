"""Every address that takes what changes something, found in the address book of the program itself: a new one is among them."""

import re
from typing import Any, NamedTuple

from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.urls import Resolver404, get_resolver, resolve

from config.doors.requests import bodies

UNSAFE = ("post", "put", "patch", "delete")
PART = re.compile(r"<(?:\w+:)?(\w+)>")
# What stands in an address for one of its parts; where the part is the number of a thing, 1.
PARTS = {"code": "CARD", "name": "freeze", "app_label": "ledger_app", "content_type_id": "1", "url": "nowhere/"}


class Door(NamedTuple):
    """A method and an address; whether programs come in by it, whether it takes files, and whether it is one of Django's own pages of a model."""

    method: str
    path: str
    is_api: bool
    takes_files: bool
    is_of_django: bool


def doors() -> list[Door]:
    """Return all of them."""
    found = set()
    for view, pattern, *_ in extract_views_from_urlpatterns(get_resolver().url_patterns):
        path = PART.sub(
            lambda part: PARTS.get(part[1], "1"), simplify_regex(str(pattern).replace("([^/]+)", "1").replace("^", ""))
        )
        if not resolves(path):
            continue
        is_api = path.startswith("/api/")
        is_of_django = str(view.__module__).startswith("django.contrib.admin.options")
        for method in methods_of(view) if is_api else ("post",):
            takes = bodies.files_of(view, method) is not None
            found.add(Door(method.upper(), path, is_api=is_api, takes_files=takes, is_of_django=is_of_django))
    return sorted(found)


def methods_of(view: Any) -> list[str]:
    """Return the methods by which an address of the API changes something."""
    actions: dict[str, str] | None = getattr(view, "actions", None)
    return [each for each in UNSAFE if (each in actions if actions is not None else hasattr(view.cls, each))]


def views_of_api() -> list[Any]:
    """Return every view of the API that takes what changes something."""
    found = extract_views_from_urlpatterns(get_resolver().url_patterns)
    return [view for view, pattern, *_ in found if str(pattern).lstrip("^").startswith("api") and methods_of(view)]


def resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
