"""Saves rows of models that keep a history, each line of which names who made it and when, and the versions of definitions."""

import hashlib
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import models

from ledger_app import errors
from ledger_app.base.operations import audit, bulk
from ledger_app.base.operations.audit import Caller
from ledger_app.values.most import HISTORY_REASON_MOST

ROWS_A_CALL = 900  # below the thousand from which MariaDB turns a list of keys into a join

Row = TypeVar("Row", bound=models.Model)


class Kept(NamedTuple, Generic[Row]):
    """A row that was to be kept as somebody says: whether it was made for that, and whether anything changed."""

    row: Row
    is_new: bool
    is_changed: bool


def create(row: Row, *, caller: Caller, reason: str = "") -> Row:
    """Insert ``row`` and the first line of its history, made by the caller at ``caller.at``; return the row."""
    _save(row, caller, reason, {"force_insert": True})
    return row


def create_all(rows: Sequence[Row], *, caller: Caller) -> None:
    """Insert ``rows`` of one model and the first lines of their histories, made by the caller at ``caller.at``. The database gives the numbers.

    :raises errors.WrittenDiffers: where fewer rows or lines are there than were to be written
    """
    if not rows:
        return
    model: Any = type(rows[0])
    bulk.numbered(rows)
    numbers = sorted({row.pk for row in rows if row.pk is not None})
    model.history.bulk_history_create(rows, batch_size=ROWS_A_CALL, default_user=caller.user, default_date=caller.at)
    parts = [numbers[start : start + ROWS_A_CALL] for start in range(0, len(numbers), ROWS_A_CALL)]
    for kept in (model._default_manager, model.history):  # noqa: SLF001 - as above
        found = sum(kept.filter(id__in=part).count() for part in parts)
        if found != len(rows):
            raise errors.WrittenDiffers(what=str(kept.model._meta.verbose_name_plural), planned=len(rows), found=found)  # noqa: SLF001 - as above


def save(row: Row, *, caller: Caller, reason: str = "") -> Row:
    """Save a ``row`` that is there and the next line of its history, made by the caller at ``caller.at``; return the row."""
    _save(row, caller, reason, {"force_update": True})
    return row


def next_version(versions: Any, text: str, *, kind: str, action: str, caller: Caller, **by: Any) -> Kept[Any]:
    """Write a definition down as the newest of a row's ``versions``, with its audit row; ``by`` says who and when. Its newest version's own text is no new one."""
    digest = hashlib.sha256(text.encode()).digest()
    last = versions.order_by("-number").first()
    if last is not None and bytes(last.digest) == digest:
        return Kept(last, False, False)
    version = versions.create(number=last.number + 1 if last else 1, text=text, digest=digest, **by)
    facts = {"version": version.number, "digest": digest.hex()}
    audit.record(subject=audit.Subject(kind, versions.instance.pk, str(version)), action=action, caller=caller, facts=facts)
    return Kept(version, last is None, True)


def delete(row: models.Model, *, caller: Caller, reason: str = "") -> None:
    """Delete a row that may go, and write the last line of its history, made by the caller at ``caller.at``."""
    for name, value in _said(caller, reason).items():
        setattr(row, name, value)
    row.delete()


def _said(caller: Caller, reason: str) -> dict[str, Any]:
    return {"_history_user": caller.user, "_history_date": caller.at, "_change_reason": reason[:HISTORY_REASON_MOST]}


def _save(row: Any, caller: Caller, reason: str, how: dict[str, bool]) -> None:
    """Save by the attributes that simple-history looks for; they are its documented interface, underscores notwithstanding."""
    said = _said(caller, reason)
    for name, value in said.items():
        setattr(row, name, value)
    row.save(**how)
    # Left on the row, they would be taken for those of its next change.
    for name in said:
        delattr(row, name)
