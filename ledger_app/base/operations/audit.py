"""The audit rows: each change of state, and each refused attempt at one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger_app import errors
from ledger_app.base.operations import bulk, feed
from ledger_app.errors import card_numbers
from ledger_app.errors.stored import stored
from ledger_app.models import AuditRow, User


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, when, and through which door. Made at the door; operations never read a clock or a request."""

    user: User
    at: datetime
    door: str  # "admin", "api", "command" or "task"
    request: str = ""
    os_user: str = ""
    host: str = ""
    audit_facts: tuple[tuple[str, Any], ...] = ()  # facts that each audit row of the caller tells besides
    is_program: bool = False  # whether a token stands for the user


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about: the kind and number for machines, the text for people."""

    type: str
    id: int
    text: str


def record(
    *,
    subject: Subject,
    action: str,
    caller: Caller,
    outcome: str = "done",
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    reasons: Sequence[errors.LedgerError] = (),
    facts: Mapping[str, Any] | None = None,
) -> AuditRow:
    """Write one audit row in the caller's transaction, and the event of what was done.

    A row cannot be mended: what it names is kept without card numbers, and so is why somebody wanted what was refused. A reason that is to be kept
    with what was done and has one in it undoes that (``base.queries.lookout``).
    """
    for each in reasons:
        each.is_recorded = True
    if outcome == AuditRow.Outcome.DONE:
        states = {name: state for name, state in (("from_state", from_state), ("to_state", to_state)) if state}
        feed.tell(subject_type=subject.type, subject_id=subject.id, action=action, by=caller.user, at=caller.at, facts=states)
    said = {
        "outcome": outcome,
        "from_state": from_state,
        "to_state": to_state,
        "reason": reason if outcome == AuditRow.Outcome.DONE else card_numbers.masked_text(reason),
        "reasons": [stored(each) for each in reasons],
    }
    row = _row(subject, action, caller, facts or {}, **said)
    row.save(force_insert=True)
    return row


def record_all(done: Sequence[tuple[Subject, Mapping[str, Any]]], *, action: str, caller: Caller) -> None:
    """Write the audit rows, and the events, of what was done alike to many subjects, each with its facts. No state of theirs changed."""
    feed.tell_all(subjects=[(each.type, each.id) for each, _facts in done], action=action, by=caller.user, at=caller.at)
    rows = [_row(subject, action, caller, facts, outcome=AuditRow.Outcome.DONE) for subject, facts in done]
    AuditRow.objects.bulk_create(rows, batch_size=bulk.OBJECTS_A_CALL)


def _row(subject: Subject, action: str, caller: Caller, facts: Mapping[str, Any], **more: Any) -> AuditRow:
    return AuditRow(
        subject_type=subject.type,
        subject_id=subject.id,
        subject=card_numbers.masked_text(subject.text)[:120],
        action=action,
        actor=caller.user,
        at=caller.at,
        facts=card_numbers.masked_all({**dict(caller.audit_facts), **facts}),
        door=caller.door,
        request=caller.request,
        os_user=caller.os_user,
        host=caller.host,
        **more,
    )
