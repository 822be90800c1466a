"""What webhooks are sent by: their secrets, and one request to a receiver, which is believed in nothing."""

import base64
import http.client
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from threading import Timer
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook as Signer

from ledger_app.models import Webhook
from ledger_app.operations.deliveries import Message, Reply
from ledger_app.rules import webhooks as rules

SALT: Final = "kakutei.webhook"
PREFIX: Final = "whsec_"
# From the first look for the host to the status of the answer; a receiver that is slower is told again.
SECONDS_MOST: Final = 10.0
TAKEN: Final = range(200, 300)
AGENT: Final = "Kakutei-Webhook/1"


def rules_here() -> dict[str, Any]:
    """Return where events may be sent to from here, as operations are given it."""
    return {"hosts": settings.KAKUTEI_WEBHOOK_HOSTS, "may_be_here": settings.IS_DEVELOPMENT}


def secret(webhook_id: int, generation: int, *, key_of: str | None = None) -> str:
    """Return the secret of a webhook, as receivers are given it; ``key_of`` is the installation's key that it is made of, by default the one in force.

    It is made each time and kept nowhere.
    """
    key = salted_hmac(SALT, f"{webhook_id}:{generation}", secret=key_of, algorithm="sha256").digest()
    return PREFIX + base64.b64encode(key).decode("ascii")


def secret_of(row: Webhook) -> str:
    """Return the secret that is in force."""
    return secret(row.pk, row.generation)


def headers(message: Message, at: datetime) -> dict[str, str]:
    """Return the headers of a message, signed under each of its generations as Standard Webhooks says, and under the keys that were there before."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    made = [secret(message.webhook_id, generation, key_of=key) for generation in message.generations for key in keys]
    signers = [Signer(each) for each in made]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signer.sign(message.id, at, message.body) for signer in signers),
    }


def send(message: Message) -> Reply:
    """Send a message; return whether the receiver took it, by an answer of 200 to 299, and else what it asks for.

    No redirect is followed, and of the answer nothing is read but its status and, where it is busy, when it wants to be asked again. However slowly a
    receiver answers, it is cut off in time.
    """
    if refusals := rules.address_refusals(message.url, **rules_here()):
        return Reply(is_taken=False, why=refusals[0].code)
    try:
        status, after = _post(urlsplit(message.url), message)
    except TimeoutError:
        return Reply(is_taken=False, why="timeout")
    except ssl.SSLError:
        return Reply(is_taken=False, why="tls")
    except OSError:
        return Reply(is_taken=False, why="unreachable")
    except http.client.HTTPException:
        return Reply(is_taken=False, why="answer_unreadable")
    if status in TAKEN:
        return Reply(is_taken=True)
    asked = rules.asked_wait(after, datetime.now(UTC)) if status in rules.BUSY else rules.NO_WAIT
    return Reply(is_taken=False, why=f"status {status}", is_gone=status == rules.GONE, asked_wait=asked)


def _post(parts: SplitResult, message: Message) -> tuple[int, str]:
    """Return the status of the answer, and its ``Retry-After``."""
    is_plain = parts.scheme == "http"
    host, port = parts.hostname or "", parts.port or (80 if is_plain else rules.HTTPS_PORT)
    reached = socket.create_connection((host, port), timeout=SECONDS_MOST)
    context = ssl.create_default_context()
    wrapped = reached if is_plain else context.wrap_socket(reached, server_hostname=host, do_handshake_on_connect=False)
    is_late: list[bool] = []
    # The timeout of a socket begins anew with each byte: whoever sends one a second would never be too late.
    guard = Timer(SECONDS_MOST, _cut, [wrapped, is_late])
    guard.start()
    try:
        if isinstance(wrapped, ssl.SSLSocket):
            wrapped.do_handshake()
        asked = http.client.HTTPConnection(host, port) if is_plain else http.client.HTTPSConnection(host, port, context=context)
        asked.sock = wrapped
        sent = headers(message, datetime.now(UTC)) | {"Connection": "close"}
        asked.request("POST", rules.target(parts), message.body.encode(), sent)
        answer = asked.getresponse()
        told = answer.status, answer.getheader("Retry-After", "")
    except (OSError, http.client.HTTPException) as error:
        if is_late:
            raise TimeoutError from error
        raise
    finally:
        guard.cancel()
        wrapped.close()
    if is_late:
        raise TimeoutError  # the end that was read was the one that was made here
    return told


def _cut(reached: socket.socket, is_late: list[bool]) -> None:
    """End a connection that somebody else waits on. Of the socket below TLS, which asks nobody."""
    is_late.append(True)
    with suppress(OSError):
        socket.socket.shutdown(reached, socket.SHUT_RDWR)
