"""Says between two requests which files somebody has uploaded: signed, for that user, and for a day."""

from collections.abc import Iterable

from django.core import signing

from ledger_app import errors
from ledger_app.adjustments.rules.attachments import StoredFile
from ledger_app.errors import adjusting
from ledger_app.models import User

SECONDS_VALID = 86_400


def token_of(file: StoredFile, user: User) -> str:
    """Return the token of a file that ``user`` has uploaded."""
    return signing.dumps([file.name, file.media_type, file.size, file.sha256.hex()], salt=_salt(user))


def files_of(tokens: Iterable[str], user: User) -> tuple[StoredFile, ...]:
    """Return the files that these tokens stand for.

    :raises errors.Refused: attachment_lost, where a token is not one of this user's or is older than a day
    """
    found = []
    for token in tokens:
        try:
            name, media_type, size, sha256 = signing.loads(token, salt=_salt(user), max_age=SECONDS_VALID)
        except signing.BadSignature as error:
            raise errors.Refused([adjusting.AttachmentLost(name=token[:20])]) from error
        found.append(StoredFile(name, media_type, size, bytes.fromhex(sha256)))
    return tuple(found)


def _salt(user: User) -> str:
    return f"kakutei.attachment.{user.pk}"
