"""What every answer carries, and what every request is called."""

import re
import uuid
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from config.doors.api import problems
from ledger_app.errors import card_numbers

# As long as the audit keeps it, and of nothing that means something to a log, a shell or a page.
NAME: Final = re.compile("[A-Za-z0-9._-]{1,64}", re.ASCII)
NAMED_BY: Final = "HTTP_X_REQUEST_ID"
ALSO_NAMED_BY: Final = "HTTP_X_CORRELATION_ID"

UNENCRYPTED: Final = _(
    "This came without encryption, and was not looked at. Send it by HTTPS. Whoever was on the way has seen its token: end it, and give another."
)

Answer = Callable[[HttpRequest], HttpResponseBase]


class NothingKept:
    """Tells browsers and proxies to keep no answer that has not said otherwise itself: it is about members, or about who may do what."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and say it."""
        response = self._answer(request)
        if _has_signed_out(request):
            # A page that stays open behind this one shows nothing that the browser would have kept.
            response["Clear-Site-Data"] = '"cache", "storage"'
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        if isinstance(response, HttpResponse) and not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response


class ProgramsByHttps:
    """Refuses what a program sends without encryption, where pages are led to HTTPS: led there, it would go on sending its token in the clear."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or say why not. Nobody is asked who they are, and no body is read."""
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and problems.is_for_programs(request):
            return problems.answer(request, 403, "https_required", UNENCRYPTED)
        return self._answer(request)


class RequestNames:
    """Gives each request an id that is safe to store, log and show: the id that it came with, or a new one."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Name the request, and answer with its name."""
        name = request.META.get(NAMED_BY, "")
        request.META[NAMED_BY] = name if _is_safe(name) else str(uuid.uuid4())
        if not _is_safe(request.META.get(ALSO_NAMED_BY, "")):
            request.META.pop(ALSO_NAMED_BY, None)
        response = self._answer(request)
        response["X-Request-Id"] = request.META[NAMED_BY]
        return response


def _has_signed_out(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name == "admin:logout" and request.method == "POST"


def _is_safe(name: str) -> bool:
    return NAME.fullmatch(name) is not None and not card_numbers.holds(name)
