"""What webhooks are sent by: their secrets, and one request to a receiver, which is believed in nothing."""

import base64
import http.client
import ssl
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook as Signer

from config.doors import outgoing
from ledger_app.models import Webhook
from ledger_app.programs import rules
from ledger_app.programs.operations.deliveries import Message, Reply

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
    asked = rules.retry_after(after, datetime.now(UTC)) if status in rules.BUSY else rules.NO_WAIT
    return Reply(is_taken=False, why=f"status {status}", is_gone=status == rules.GONE, asked_wait=asked)


def _post(parts: SplitResult, message: Message) -> tuple[int, str]:
    """Return the status of the answer, and its ``Retry-After``."""
    sent = headers(message, datetime.now(UTC))
    request = outgoing.Request(parts, "POST", rules.target(parts), sent, message.body.encode())
    return outgoing.send(
        request, seconds=SECONDS_MOST, read=lambda answer: (answer.status, answer.getheader("Retry-After", "") or "")
    )
