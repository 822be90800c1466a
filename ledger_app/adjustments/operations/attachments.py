"""Takes in what is attached to proposals: checked, then kept by its digest before any row points to it."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.adjustments.rules import attachments as rules
from ledger_app.adjustments.rules.adjustments import PROPOSE, PROPOSERS
from ledger_app.adjustments.rules.attachments import KINDS, StoredFile
from ledger_app.base.operations import filing, refusals
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import adjusting
from ledger_app.errors.card_numbers import masked_text
from ledger_app.rights.queries.rights import rights_of


def take_in(
    *, stream: BinaryIO, name: str, directory: Path, bytes_most: int, caller: Caller, scan: filing.Scan | None = None
) -> StoredFile:
    """Check a file and store its bytes. Nothing points to them until a proposal is sent with it. A refused file leaves an audit row.

    :raises errors.Refused: not_permitted; attachment_name_invalid, attachment_kind_unknown, attachment_empty, attachment_too_large,
        attachment_not_what_it_says; file_not_clean, by ``scan``
    """
    content = stream.read(bytes_most + 1)
    try:
        _check(name, content, bytes_most, caller)
        sha256, size = filing.store(BytesIO(content), directory, scan=scan)
    except errors.Refused as refusal:
        refusals.record(what=masked_text(name), action="upload", reasons=refusal.reasons, caller=caller)
        raise
    return StoredFile(name, KINDS[rules.ending_of(name)].media_type, size, sha256)


def _check(name: str, content: bytes, bytes_most: int, caller: Caller) -> None:
    found: list[errors.LedgerError] = []
    if PROPOSE not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=_("Propose adjustments"), who=PROPOSERS))
    if found := found or rules.refusals(name, content, bytes_most=bytes_most):
        raise errors.Refused(found)


def check_kept(files: Sequence[StoredFile], *, directory: Path, count_most: int) -> None:
    """Refuse files that together are too many or named alike, and any whose bytes are not there as they were stored.

    :raises errors.Refused: attachments_too_many, attachment_twice, attachment_lost
    """
    found = rules.set_refusals(files, count_most=count_most)
    for file in files[: count_most + 1]:
        path = filing.path_of(directory, file.sha256)
        if not path.exists() or filing.digest_of(path) != file.sha256:
            found.append(adjusting.AttachmentLost(name=file.name))
    if found:
        raise errors.Refused(found)
