"""Removes the bytes of old uploads that nothing rests on: files that never became a batch, and bytes that no row points to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.db.models import QuerySet

from ingestion_app.models import Batch, File, PrunedFile
from ledger_app import locks
from ledger_app.base.operations import audit, filing, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Attachment

NAME: Final = re.compile("[0-9a-f]{64}")
FOLDER: Final = re.compile("[0-9a-f]{2}")


@dataclass(slots=True)
class Pruned:
    """What one call removed: files with a row, bytes without a row, attachments without a proposal, and the number of bytes in all."""

    files: int = 0
    unknown: int = 0
    attachments: int = 0
    bytes: int = 0


def prune(*, directory: Path, attachments: Path, before: datetime, caller: Caller) -> Pruned:
    """Remove what arrived before an instant and that no batch and no proposal refers to. Safe to repeat, and beside arrivals of the same bytes.

    The receipts of a file stay, and say that it came and what it was; that its bytes were removed is written down before they are.
    """
    done = Pruned()
    for sha256, path in _kept(directory):
        file = File.objects.filter(sha256=sha256).first()
        if file is None:
            removed = _remove(path, before, File.objects.filter(sha256=sha256))
            done.unknown += removed is not None
        elif filing.is_old(path, before) and transactions.run(partial(_mark, file.pk, caller)):
            removed = _remove(path, before, Batch.objects.filter(file=file))
            done.files += removed is not None
        else:
            removed = None
        done.bytes += removed or 0
    for sha256, path in _kept(attachments):
        removed = _remove(path, before, Attachment.objects.filter(sha256=sha256))
        done.attachments += removed is not None
        done.bytes += removed or 0
    return done


def _kept(directory: Path) -> Iterator[tuple[bytes, Path]]:
    """Yield the bytes that lie under their digests. What was being removed when somebody was killed goes back first."""
    if not directory.is_dir():
        return
    for folder in sorted(each for each in directory.iterdir() if each.is_dir() and FOLDER.fullmatch(each.name)):
        for aside in folder.glob(f"{filing.ASIDE}*"):
            filing.put_back(aside)
        for path in sorted(folder.iterdir()):
            if NAME.fullmatch(path.name):
                yield bytes.fromhex(path.name), path


def _mark(file_id: int, caller: Caller) -> bool:
    """Write down that the bytes of a file are removed, where no batch has it; return whether they may go."""
    file = locks.own_row(File, file_id)
    if Batch.objects.filter(file=file).exists():
        return False
    if not PrunedFile.objects.filter(file=file).exists():
        PrunedFile.objects.create(file=file, pruned_by=caller.user, pruned_at=caller.at)
        names = list(file.receipts.order_by("id").values_list("name", flat=True)[:20])
        facts = {"sha256": str(file), "bytes": file.size, "receipts": names}
        audit.record(subject=audit.Subject("file", file.pk, str(file)), action="prune", caller=caller, facts=facts)
    return True


def _remove(path: Path, before: datetime, wanted_by: QuerySet[Any]) -> int | None:
    """Remove bytes and return how many they were; None where they are young or wanted.

    They are put aside first. Anyone who stores the same bytes meanwhile makes them anew, with a time of its own: bytes that turn out to be young, or
    that somebody refers to by then, go back. So nothing goes that was stored after the look, whatever is not committed yet.
    """
    if not filing.is_old(path, before) or wanted_by.all().exists():
        return None
    try:
        aside = filing.put_aside(path)
    except FileNotFoundError:
        return None  # another one prunes beside this
    if not filing.is_old(aside, before) or wanted_by.all().exists():
        filing.put_back(aside)
        return None
    size = aside.stat().st_size
    aside.unlink()
    return size
