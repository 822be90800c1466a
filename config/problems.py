"""Errors of the API as problem+json (RFC 9457)."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ledger_app import errors

STATUS: dict[type[errors.LedgerError], int] = {
    errors.NotPermitted: status.HTTP_403_FORBIDDEN,
    errors.NotFound: status.HTTP_404_NOT_FOUND,
    errors.TryAgain: status.HTTP_503_SERVICE_UNAVAILABLE,
    errors.WrittenDiffers: status.HTTP_500_INTERNAL_SERVER_ERROR,
}


class ProblemRenderer(JSONRenderer):
    """Errors, as the standard names them."""

    media_type = "application/problem+json"


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate any refusal into a problem: type, title, status, detail, and for refusals each reason with its code."""
    if isinstance(error, errors.LedgerError):
        reasons: Sequence[errors.LedgerError] = error.reasons if isinstance(error, errors.Refused) else (error,)
        gravest = max((STATUS.get(type(reason), status.HTTP_409_CONFLICT) for reason in reasons), key=_weight)
        facts = {"reasons": [reason.as_dict() for reason in reasons]}
        return _fill(Response(status=gravest), context, error.code, error.sentence, **facts)
    if isinstance(error, ObjectDoesNotExist):
        error = Http404(str(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = response.data
    code = error.default_code if isinstance(error, exceptions.APIException) else "not_found"
    title = detail.get("detail", code) if isinstance(detail, dict) else code
    extra = {"fields": detail} if isinstance(error, exceptions.ValidationError) else {}
    return _fill(response, context, code, str(title), **extra)


def _weight(code: int) -> int:
    """A missing right outweighs a conflict: who may not act is not told that it would have worked."""
    order = [status.HTTP_409_CONFLICT, status.HTTP_404_NOT_FOUND, status.HTTP_403_FORBIDDEN]
    return order.index(code) if code in order else len(order)


def _fill(response: Response, context: dict[str, Any], code: str, title: str, **extra: Any) -> Response:
    response.data = {"type": f"urn:kakutei:{code}", "title": title, "status": response.status_code, "code": code, **extra}
    request: Request | None = context.get("request")
    if request is not None:
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = ProblemRenderer.media_type
    return response
