"""Errors of the API as problem+json (RFC 9457)."""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from django.core.exceptions import DisallowedHost, ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views import csrf, defaults
from rest_framework import exceptions, status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from config.doors import callers as doorways
from ledger_app import errors
from ledger_app.base.operations import refusals, transactions
from ledger_app.errors import card_numbers
from ledger_app.errors import files as file_errors
from ledger_app.errors.requests import AccountNotNamed
from ledger_app.errors.tokens import TokenBound
from ledger_app.models import User

MEDIA_TYPE: Final = "application/problem+json"
SECONDS_TO_WAIT: Final = 5

STATUS: dict[type[errors.LedgerError], int] = {
    errors.NotPermitted: status.HTTP_403_FORBIDDEN,
    AccountNotNamed: status.HTTP_400_BAD_REQUEST,
    TokenBound: status.HTTP_403_FORBIDDEN,
    errors.NotFound: status.HTTP_404_NOT_FOUND,
    errors.TryAgain: status.HTTP_503_SERVICE_UNAVAILABLE,
    file_errors.DiskFull: status.HTTP_503_SERVICE_UNAVAILABLE,
    file_errors.ScannerAway: status.HTTP_503_SERVICE_UNAVAILABLE,
    errors.WrittenDiffers: status.HTTP_500_INTERNAL_SERVER_ERROR,
}
TITLES: Final = {
    status.HTTP_400_BAD_REQUEST: _("The request is not in the right form"),
    status.HTTP_401_UNAUTHORIZED: _("Nobody is signed in"),
    status.HTTP_403_FORBIDDEN: _("Not permitted"),
    status.HTTP_404_NOT_FOUND: _("Not found"),
    status.HTTP_405_METHOD_NOT_ALLOWED: _("The address does not take this method"),
    status.HTTP_406_NOT_ACCEPTABLE: _("The answer is given as JSON only"),
    status.HTTP_408_REQUEST_TIMEOUT: _("The request came too slowly"),
    status.HTTP_409_CONFLICT: _("A rule refuses"),
    status.HTTP_411_LENGTH_REQUIRED: _("The length of the body is not said"),
    status.HTTP_412_PRECONDITION_FAILED: _("It is not any more what you were shown"),
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: _("The body is too large"),
    status.HTTP_414_REQUEST_URI_TOO_LONG: _("The address is too long"),
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: _("The address does not take this kind of body"),
    status.HTTP_417_EXPECTATION_FAILED: _("What was expected cannot be met"),
    status.HTTP_429_TOO_MANY_REQUESTS: _("Too many requests"),
    status.HTTP_431_REQUEST_HEADER_FIELDS_TOO_LARGE: _("The headers are too large"),
    status.HTTP_500_INTERNAL_SERVER_ERROR: _("A fault of the program"),
    status.HTTP_501_NOT_IMPLEMENTED: _("The request is in a form that is not known here"),
    status.HTTP_503_SERVICE_UNAVAILABLE: _("Try again later"),
}
# One word for one thing: the frameworks' own names where the ledger has one too.
CODES: Final = {"permission_denied": "not_permitted", "invalid": "shape_invalid", "parse_error": "shape_invalid"}

CUT: Final = _("The body ended before its end; nothing of it was looked at. Send it again.")
IN_PROGRAMS: Final = re.compile("/api(/|$)")

log = logging.getLogger(__name__)


class BodyRefused(Exception):
    """A request that came in in a way in which its body cannot be trusted. Nothing of it was looked at."""

    def __init__(self, number: int, code: str, sentence: object, headers: Mapping[str, str] | None = None) -> None:
        """Keep the HTTP status, the code and the sentence of the answer, and the headers that it needs."""
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.headers = number, code, str(sentence), headers


class ProblemRenderer(JSONRenderer):
    """Errors, as the standard names them."""

    media_type = MEDIA_TYPE


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate any refusal into a problem: type, title, status, detail, code; for refusals each reason with its code."""
    if isinstance(error, DatabaseError | InterfaceError) and (told := transactions.as_refusal(error)) is not None:
        log.error("the database refused, or did not answer", exc_info=error)
        error = told
    _record(error, context)
    if isinstance(error, errors.LedgerError):
        return _fill(_refusal(error, is_tagged=_is_tagged(context)), context)
    if isinstance(error, UnreadablePostError | RequestDataTooBig | SuspiciousOperation):
        error = _of_body(error)
    if isinstance(error, BodyRefused):
        answered = Response(body(error.status, error.code, error.sentence), status=error.status, headers=error.headers)
        return _fill(answered, context)
    if isinstance(error, ObjectDoesNotExist):
        error = Http404(str(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    code = _code_of(error)
    detail = getattr(error, "detail", None)
    if isinstance(error, exceptions.ValidationError):
        faults = list(_faults(error.get_full_details()))
        sentence = " ".join(f"{fault['field']}: {fault['sentence']}" if fault["field"] else fault["sentence"] for fault in faults)
        response.data = body(response.status_code, code, sentence, faults=faults)
    else:
        sentence = str(detail) if detail is not None else str(TITLES.get(response.status_code, code))
        response.data = body(response.status_code, code, sentence)
    return _fill(response, context)


def _record(error: Exception, context: dict[str, Any]) -> None:
    """Have a refusal of what would have written something kept, where no operation has."""
    request: Request | None = context.get("request")
    if request is None or request.method in SAFE_METHODS or not isinstance(request.user, User):
        return
    reasons: Sequence[errors.LedgerError] = ()
    if isinstance(error, exceptions.PermissionDenied | PermissionDenied):
        right = f"{request.method} {request.path}"[:120]
        reasons = [errors.NotPermitted(user=request.user.username, right=right, who=_("Whoever has the right"))]
    elif isinstance(error, errors.Refused):
        reasons = error.reasons
    # A database that is away keeps nothing; the refusal is told all the same.
    with suppress(errors.TryAgain):
        if reasons:
            caller = doorways.from_request(request._request, "api")  # noqa: SLF001 - where the framework keeps the request
            refusals.record(what=f"{request.method} {request.path}", action="api", reasons=reasons, caller=caller)


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether an address is the API's, whose errors are problems; those of other addresses are pages."""
    return IN_PROGRAMS.match(request.path) is not None


def answer(
    request: HttpRequest, number: int, code: str, sentence: object, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Refuse a request outside of any view: as a problem for programs, as a page for people."""
    if is_for_programs(request):
        return JsonResponse(
            body(number, code, str(sentence)), status=number, content_type=MEDIA_TYPE, headers=dict(headers or {})
        )
    context = {"title": TITLES.get(number, _("Refused")), "sentence": sentence}
    return HttpResponse(render_to_string("kakutei/not_taken.html", context), status=number, headers=dict(headers or {}))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of the program: a problem for the API, a page for people."""
    if not is_for_programs(request):
        return defaults.server_error(request)
    sentence = _("The program failed; nothing of this request was kept half done. The fault is in the log.")
    return answer(request, status.HTTP_500_INTERNAL_SERVER_ERROR, "server_error", sentence)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for what Django itself does not take: a host that is not ours, a form that is none or has too many fields."""
    if isinstance(exception, DisallowedHost):
        return answer(request, 400, "host_unknown", _("No such host is served here."))
    refused = _of_body(exception)
    return answer(request, refused.status, refused.code, refused.sentence)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a user who lacks a right, outside of the API's views."""
    if not is_for_programs(request):
        return defaults.permission_denied(request, exception)
    return answer(request, 403, "not_permitted", TITLES[status.HTTP_403_FORBIDDEN])


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that leads nowhere."""
    if not is_for_programs(request):
        return defaults.page_not_found(request, exception)
    return answer(request, 404, "not_found", TITLES[status.HTTP_404_NOT_FOUND])


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was too old, or came from another site."""
    if not is_for_programs(request):
        page: HttpResponse = csrf.csrf_failure(request, reason)
        return page
    return answer(request, 403, "not_permitted", _("A session needs its token against forgery: send X-CSRFToken."))


def _of_body(error: Exception) -> BodyRefused:
    """Return what is said of a body that could not be read to its end, or that is more than is read of one."""
    if isinstance(error, UnreadablePostError):
        return BodyRefused(400, "body_cut", CUT)
    if isinstance(error, RequestDataTooBig):
        return BodyRefused(413, "body_too_large", TITLES[status.HTTP_413_REQUEST_ENTITY_TOO_LARGE])
    return BodyRefused(400, "shape_invalid", TITLES[status.HTTP_400_BAD_REQUEST])


def text_of(number: int, code: str) -> bytes:
    """Return a problem as bytes, for what is refused before there is a request."""
    sentence = str(TITLES.get(number, code))
    return json.dumps(body(number, code, sentence)).encode()


def _is_tagged(context: dict[str, Any]) -> bool:
    """Whether the request said by a tag what it was shown."""
    request: Request | None = context.get("request")
    return request is not None and "If-Match" in request.headers


def _refusal(error: errors.LedgerError, *, is_tagged: bool) -> Response:
    reasons: Sequence[errors.LedgerError] = error.reasons if isinstance(error, errors.Refused) else (error,)
    gravest = max(reasons, key=lambda reason: _weight(_status_of(reason)))
    number = _status_of(gravest)
    moved = next((reason for reason in reasons if isinstance(reason, errors.Stale)), None)
    if is_tagged and moved is not None and number == status.HTTP_409_CONFLICT:
        gravest, number = moved, status.HTTP_412_PRECONDITION_FAILED
    headers = {"Retry-After": str(SECONDS_TO_WAIT)} if number == status.HTTP_503_SERVICE_UNAVAILABLE else None
    listed = [reason.as_dict() for reason in reasons]
    return Response(body(number, gravest.code, error.sentence, reasons=listed), status=number, headers=headers)


def _status_of(reason: errors.LedgerError) -> int:
    return STATUS.get(type(reason), status.HTTP_409_CONFLICT)


def _weight(number: int) -> int:
    """A missing right outweighs a conflict: who may not act is not told that it would have worked."""
    order = [status.HTTP_409_CONFLICT, status.HTTP_404_NOT_FOUND, status.HTTP_403_FORBIDDEN]
    return order.index(number) if number in order else len(order)


def _code_of(error: Exception) -> str:
    if isinstance(error, exceptions.APIException):
        return CODES.get(error.default_code, error.default_code)
    return "not_found" if isinstance(error, Http404) else "not_permitted"


def _faults(details: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Yield each fault of a body or a query: the field by its dotted name, a code and a sentence."""
    if (
        isinstance(details, Mapping)
        and {"message", "code"} == set(details)
        and not isinstance(details["message"], Mapping | list)
    ):
        yield {"field": field, "code": str(details["code"]), "sentence": str(details["message"])}
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            yield from _faults(inner, ".".join(part for part in (field, "" if name == "non_field_errors" else str(name)) if part))
    else:
        for inner in details:
            yield from _faults(inner, field)


def body(number: int, code: str, sentence: str, **extra: Any) -> dict[str, Any]:
    """Return a problem as it goes out. Whatever it repeats of what came in, no card number is among it."""
    title = str(TITLES.get(number, _("Refused")))
    told: dict[str, Any] = card_numbers.masked_all({"detail": sentence, "code": code, **extra})
    return {"type": f"urn:kakutei:{code}", "title": title, "status": number, **told}


def _fill(response: Response, context: dict[str, Any]) -> Response:
    request: Request | None = context.get("request")
    if request is not None:
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = MEDIA_TYPE
    return response
