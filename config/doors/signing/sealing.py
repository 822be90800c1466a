"""Seals the secrets of apps with codes, so that a reader of the database, or of a copy of it, cannot make their codes."""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


def can_seal() -> bool:
    """Return whether there is a key to seal under."""
    return bool(settings.KAKUTEI_FACTOR_KEYS)


def seal(secret: bytes, *, user_id: int) -> tuple[str, bytes]:
    """Return the name of the newest key and the secret sealed under it, for this user and no other."""
    name, key = next(iter(settings.KAKUTEI_FACTOR_KEYS.items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    return name, nonce + AESGCM(key[:KEY_BYTES]).encrypt(nonce, secret, str(user_id).encode())


def opened(key_name: str, sealed: bytes, *, user_id: int) -> bytes | None:
    """Return a secret; None where its key is there no more, or it was sealed for somebody else."""
    key = settings.KAKUTEI_FACTOR_KEYS.get(key_name)
    if key is None:
        return None
    try:
        return AESGCM(key[:KEY_BYTES]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], str(user_id).encode())
    except InvalidTag:
        return None
