"""Saves rows of models that keep a history, each line of which names who made it and when."""

from typing import Any, TypeVar

from django.db import models

from ledger_app.operations.audit import Caller

REASON_MOST = 100

Row = TypeVar("Row", bound=models.Model)


def create(row: Row, *, caller: Caller, reason: str = "") -> Row:
    """Insert ``row`` and the first line of its history, made by the caller at ``caller.at``; return the row."""
    _save(row, caller, reason, {"force_insert": True})
    return row


def save(row: Row, *, caller: Caller, reason: str = "") -> Row:
    """Save a ``row`` that is there and the next line of its history, made by the caller at ``caller.at``; return the row."""
    _save(row, caller, reason, {"force_update": True})
    return row


def delete(row: models.Model, *, caller: Caller, reason: str = "") -> None:
    """Delete a row that may go, and write the last line of its history, made by the caller at ``caller.at``."""
    for name, value in _said(caller, reason).items():
        setattr(row, name, value)
    row.delete()


def _said(caller: Caller, reason: str) -> dict[str, Any]:
    return {"_history_user": caller.user, "_history_date": caller.at, "_change_reason": reason[:REASON_MOST]}


def _save(row: Any, caller: Caller, reason: str, how: dict[str, bool]) -> None:
    """Save by the attributes that simple-history looks for; they are its documented interface, underscores notwithstanding."""
    said = _said(caller, reason)
    for name, value in said.items():
        setattr(row, name, value)
    row.save(**how)
    # Left on the row, they would be taken for those of its next change.
    for name in said:
        delattr(row, name)
