"""Passkeys, by WebAuthn: what a browser is asked, and whether what it answers is true. The questions lie in the session until they are answered."""

import hashlib
import json
import struct
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ledger_app.models import SecondFactor, User
from ledger_app.people.queries import factors

SESSION_KEY: Final = "passkey_asked"
ANSWER_MOST: Final = 20_000
VERIFICATION: Final = UserVerificationRequirement.PREFERRED


class Made(NamedTuple):
    """A passkey that a browser has made."""

    credential_digest: bytes
    content: bytes
    step: int


def ask_to_make(request: HttpRequest, user: User) -> str:
    """Return, as JSON, what a browser is asked that is to make a passkey."""
    # The number says nothing of the user to the person who finds the device.
    number = hashlib.sha256(f"user:{user.pk}".encode()).digest()
    entity = PublicKeyCredentialUserEntity(id=number, name=user.username, display_name=user.username)
    options, state = _server(request).register_begin(
        entity, _credentials(user), resident_key_requirement=ResidentKeyRequirement.DISCOURAGED, user_verification=VERIFICATION
    )
    request.session[SESSION_KEY] = state
    return json.dumps(dict(options))


def made(request: HttpRequest, answer: str) -> Made | None:
    """Return the passkey that was made; None where the answer is none to what was asked."""
    state, response = request.session.pop(SESSION_KEY, None), _read(answer)
    if state is None or response is None:
        return None
    try:
        told = _server(request).register_complete(state, response)
    except _WRONG:
        return None
    data = told.credential_data
    return None if data is None else Made(hashlib.sha256(data.credential_id).digest(), bytes(data), told.counter)


def ask_to_show(request: HttpRequest, user: User) -> str:
    """Return, as JSON, what a browser is asked that is to show a passkey of the user's; an empty text where the user has none."""
    there = _credentials(user)
    if not there:
        return ""
    options, state = _server(request).authenticate_begin(there, user_verification=VERIFICATION)
    request.session[SESSION_KEY] = state
    return json.dumps(dict(options))


def shown(request: HttpRequest, user: User, answer: str) -> tuple[SecondFactor, int] | None:
    """Return the passkey that was shown, with what it counts; None where the answer is none to what was asked."""
    state, response = request.session.pop(SESSION_KEY, None), _read(answer)
    if state is None or response is None:
        return None
    try:
        found = _server(request).authenticate_complete(state, _credentials(user), response)
        count = AuthenticationResponse.from_dict(response).response.authenticator_data.counter
    except _WRONG:
        return None
    digest = hashlib.sha256(found.credential_id).digest()
    row = next((each for each in factors.of(user, "passkey") if bytes(each.credential_digest or b"") == digest), None)
    return None if row is None else (row, count)


# What the library says of an answer that is none, whatever was sent in its place.
_WRONG: Final = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, NotImplementedError),
    *(struct.error, UnsupportedAlgorithm),
)


def _server(request: HttpRequest) -> Fido2Server:
    """Return the one that asks. A passkey is bound to the name in the address: the browser holds to it, and here the whole origin is compared with it."""
    here = request.get_host()
    host = urlsplit(f"//{here}").hostname or ""

    def is_ours(origin: str) -> bool:
        told = urlsplit(origin)
        return told.netloc == here and (told.scheme == "https" or (told.scheme == "http" and host == "localhost"))

    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name="Kakutei"), verify_origin=is_ours)


def _credentials(user: User) -> list[AttestedCredentialData]:
    return [AttestedCredentialData(bytes(row.content)) for row in factors.of(user, "passkey")]


def _read(answer: str) -> dict[str, Any] | None:
    if not answer or len(answer) > ANSWER_MOST:
        return None
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
