"""Requests that may be sent again under a key of the caller's: what was done once is answered again, and not done again."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors.api.fields import KEY_MOST
from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import card_numbers, members, requests
from ledger_app.programs.operations import idempotency
from ledger_app.programs.operations.idempotency import Answer, KeyedRequest

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
SALT: Final = "kakutei.idempotency"
# The attribute of an answer that names what of it is told once: where the request is repeated it is null.
SECRETS: Final = "kakutei_secrets"
# What these tell of is undone as a whole; after any other refusal, what an operation has finished before it stays, as it would without a key.
UNFINISHED: Final = (errors.TryAgain, errors.WrittenDiffers)

Handler = Callable[..., HttpResponse]


def once(handler: Handler, request: Request, caller: Caller) -> Handler:
    """Return ``handler`` as it answers under the key that ``request`` bears.

    All that it does is one transaction, with the key and the answer in it. A request that is refused leaves no key: it may be sent again.

    :raises errors.Refused: idempotency_key_invalid, idempotency_key_reused, idempotency_key_running; else as ``handler``
    """
    asked = _asked(request, caller)

    def answer(*args: Any, **kwargs: Any) -> HttpResponse:
        tries = count()

        def work() -> HttpResponse | Answer | errors.LedgerError:
            row = idempotency.claim(asked, is_new=not next(tries))
            if isinstance(row, Answer):
                return row
            for file in request.FILES.values():
                file.seek(0)  # a try before may have read it
            try:
                response = handler(*args, **kwargs)
            except UNFINISHED:
                raise
            except errors.LedgerError as refusal:
                idempotency.forget(row)
                return refusal
            if response.status_code >= 400:
                idempotency.forget(row)
            else:
                idempotency.keep(row, _answer(response))
            return response

        done = idempotency.find(asked) or transactions.whole(work)
        if isinstance(done, errors.LedgerError):
            raise done
        return _again(done) if isinstance(done, Answer) else done

    return answer


def _asked(request: Request, caller: Caller) -> KeyedRequest:
    key = request.headers[HEADER]
    if card_numbers.holds(key):
        raise errors.Refused([members.CardNumberInText()])
    if KEY.fullmatch(key) is None:
        raise errors.Refused([requests.IdempotencyKeyInvalid(most=KEY_MOST)])
    path = request.get_full_path()
    fields = {name: _digest(value) for name, value in _said(request).items()}
    whole = json.dumps([request.method, path, sorted(fields.items())])
    return KeyedRequest(caller.user, key, path[:500], hashlib.sha256(whole.encode()).digest(), fields, caller.at)


def _said(request: Request) -> Mapping[str, Any]:
    """Return what the body says, by name."""
    data = request.data
    if hasattr(data, "lists"):
        return dict(data.lists())
    return data if isinstance(data, Mapping) else {"": data}


def _digest(value: Any) -> str:
    """Return a keyed digest of a value: short values could be found by trying, if anybody could compute it."""
    return salted_hmac(SALT, json.dumps(value, sort_keys=True, default=_file), algorithm="sha256").hexdigest()[:32]


def _file(value: Any) -> str:
    if not isinstance(value, UploadedFile):
        return str(value)
    running = hashlib.sha256((value.name or "").encode("utf-8", "backslashreplace"))
    for part in value.chunks():
        running.update(part)
    value.seek(0)
    return running.hexdigest()


def _answer(response: HttpResponse) -> Answer:
    if isinstance(response, Response):
        once_only: tuple[str, ...] = getattr(response, SECRETS, ())
        kept = {**response.data, **dict.fromkeys(once_only)} if once_only else response.data
        body = JSONRenderer().render(kept).decode()
    else:
        body = response.content.decode()
    return Answer(response.status_code, body, response.headers.get("Location", ""))


def _again(answer: Answer) -> HttpResponse:
    headers = {REPLAYED: "true", **({"Location": answer.location} if answer.location else {})}
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)
