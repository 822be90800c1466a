"""What an audit row keeps of a secret's digest, so that another cannot be put in its place unnoticed. Pure."""

import hashlib
from typing import Final

# Letters alone, which chance makes no card number of.
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def of(*parts: bytes) -> str:
    """Return the fingerprint of what is kept of a secret: of its digest, or of what is sealed, and never of the secret itself."""
    running = hashlib.sha256()
    for part in parts:
        running.update(len(part).to_bytes(4, "big") + part)
    return running.hexdigest().translate(_LETTERS)


def of_factor(key_name: str, content: bytes | memoryview, credential_digest: bytes | memoryview | None) -> str:
    """Return the fingerprint of a second factor: of what is sealed, or of what a device told of itself."""
    return of(key_name.encode(), bytes(content), bytes(credential_digest or b""))
