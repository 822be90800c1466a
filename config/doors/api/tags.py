"""ETags: a client reads a row again only where it changed, and changes it only where it is still what the client read."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
VERSION: Final = "version"
# The version of what is shown, where it has one, and a digest of all that is shown of it. A proxy that packs an answer makes its tag weak.
TAG: Final = re.compile(r'(?:W/)?"(?P<version>[1-9][0-9]{0,9})?\.[0-9a-f]{32}"', re.ASCII)


def take_version(request: Request) -> None:
    """Have the version of the tag that a POST bears stand in its body: it is another way to say it.

    An address that takes no version refuses it so, by the field's name.

    :raises ValidationError: a header that is no tag of a row with a version, or that says another version than the body
    """
    given = request.headers.get(IF_MATCH)
    if given is None:
        return
    found = TAG.fullmatch(given)
    if found is None or found["version"] is None or type(request.data) is not dict:
        raise ValidationError({IF_MATCH: [_("Send the one ETag that a row with a version was answered with.")]})
    version = int(found["version"])
    if request.data.setdefault(VERSION, version) != version:
        raise ValidationError({IF_MATCH: [_("The body says another version.")]})


def tagged(request: HttpRequest) -> Callable[[Any], HttpResponse | None]:
    """Return what gives an answer its tag once it is written, and answers 304 in its place where the request has it already."""

    def tag(response: Response) -> HttpResponse | None:
        version = response.data.get(VERSION) if isinstance(response.data, dict) else None
        digest = hashlib.sha256(response.content).hexdigest()[:32]
        found = f'"{version if type(version) is int else ""}.{digest}"'
        response["ETag"] = found
        if request.method not in {"GET", "HEAD"} or found not in _without_weakness(request.headers.get(IF_NONE_MATCH, "")):
            return None
        return HttpResponseNotModified(headers={"ETag": found})

    return tag


def _without_weakness(given: str) -> list[str]:
    return [part.strip().removeprefix("W/") for part in given.split(",")]
