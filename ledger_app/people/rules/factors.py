"""What counts as a second factor: the codes of an app by RFC 6238, and the codes that help where it is lost."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Final

import pyotp

from ledger_app.rights.rules import rights

STEP_SECONDS: Final = 30
# A clock may be a step before or behind ours.
STEPS_ASIDE: Final = 1
DIGITS: Final = re.compile("[0-9]{6}")
# After so many wrong codes one after another, from wherever, an app's codes are taken no more (NIST SP 800-63B, 5.2.2).
FAILURES_MOST: Final = 100
FACTORS_MOST: Final = 10
NAME_MOST: Final = 60
SECRET_BYTES: Final = 20

# Letters and digits that are not taken for one another; 16 of them are 79 bits.
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
CODES_GIVEN: Final = 10
GROUPS, GROUP_LENGTH = 4, 4
BLANK: Final = re.compile(r"[\s-]")

NEEDED_OF: Final = ("voluntary", "deciders", "everyone")


def is_needed(policy: str, *, has: frozenset[str], is_superuser: bool) -> bool:
    """Return whether a user needs a second factor: by the policy, and by the rights that they have."""
    return policy == "everyone" or (policy == "deciders" and (is_superuser or bool(has & rights.DECIDING)))


def step_of(secret: bytes, said: str, *, at: datetime) -> int | None:
    """Return the time step whose code was said; None where it is the code of none that is near."""
    code = BLANK.sub("", said)
    if not DIGITS.fullmatch(code):
        return None
    totp = pyotp.TOTP(_base32(secret))
    now = int(at.timestamp()) // STEP_SECONDS
    near = range(now - STEPS_ASIDE, now + STEPS_ASIDE + 1)
    found = [step for step in near if hmac.compare_digest(totp.generate_otp(step), code)]
    return found[-1] if found else None


def address_for_app(secret: bytes, *, username: str) -> str:
    """Return what an app reads from a picture."""
    return pyotp.TOTP(_base32(secret)).provisioning_uri(name=username, issuer_name="Kakutei")


def secret_for_hand(secret: bytes) -> str:
    """Return a secret as it is typed into an app, in groups."""
    text = _base32(secret)
    return " ".join(text[start : start + GROUP_LENGTH] for start in range(0, len(text), GROUP_LENGTH))


def new_codes() -> list[str]:
    """Return recovery codes, each for one use."""
    return [
        "-".join("".join(secrets.choice(LETTERS) for _letter in range(GROUP_LENGTH)) for _group in range(GROUPS))
        for _code in range(CODES_GIVEN)
    ]


def is_like_recovery(said: str) -> bool:
    """Return whether something may be a recovery code."""
    return len(BLANK.sub("", said)) == GROUPS * GROUP_LENGTH


def digest_of(said: str, *, user_id: int) -> bytes:
    """Return what is kept of a recovery code. It is too long to be found by trying, so that no slow hash is needed."""
    return hashlib.sha256(f"{user_id}:{BLANK.sub('', said).lower()}".encode()).digest()


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode()
