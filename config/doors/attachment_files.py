"""Where the bytes of attachments lie, and how they are handed out."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404
from django.utils.translation import gettext as _

from config.doors.requests.bodies import ROUND_FILES_BYTES, takes_files
from ledger_app.adjustments.rules.adjustments import PROPOSE
from ledger_app.base.operations import filing
from ledger_app.erasures import queries as erasures
from ledger_app.models import Attachment

# A little more than an attachment may have, so that the rules say which file is too large, and keep that they said it.
takes_one = takes_files(right=PROPOSE, bytes_most=lambda: settings.KAKUTEI_ATTACHMENT_BYTES + ROUND_FILES_BYTES)
takes_several = takes_files(
    right=PROPOSE,
    bytes_most=lambda: settings.KAKUTEI_ATTACHMENT_BYTES * max(settings.KAKUTEI_ATTACHMENTS, 1) + ROUND_FILES_BYTES,
)


def directory() -> Path:
    """Return where the bytes of attachments are kept, by SHA-256."""
    return Path(settings.KAKUTEI_FILES_DIR) / "attachments"


def response(file: Attachment) -> FileResponse:
    """Return the bytes of an attachment under headers that keep a browser from doing anything with them but saving.

    :raises Http404: the bytes are not there as they were stored
    """
    if (erasure := erasures.of_attachments([file.pk]).get(file.pk)) is not None:
        raise Http404(_("This attachment was erased by request {erasure}.").format(erasure=erasure))
    sha256 = bytes(file.sha256)
    where = filing.path_of(directory(), sha256)
    if not where.exists() or filing.digest_of(where) != sha256:
        raise Http404(_("The bytes of this attachment are not there."))
    answer = FileResponse(where.open("rb"), as_attachment=True, filename=file.name, content_type=file.media_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
    answer["Cache-Control"] = "private, no-store"
    return answer
