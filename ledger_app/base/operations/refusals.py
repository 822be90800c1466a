"""Keeps what was refused before any operation could: at a door, or of a file that was sent and not taken."""

from collections.abc import Sequence

from ledger_app import errors
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller

SUBJECT = "request"  # of a user, by the user's number
MOST = 20  # reasons that are kept of one refusal


def record(*, what: str, action: str, reasons: Sequence[errors.LedgerError], caller: Caller) -> None:
    """Leave an audit row of what was asked for and refused, unless one tells of it already."""
    if any(reason.is_recorded for reason in reasons):
        return
    subject = audit.Subject(SUBJECT, caller.user.pk, what)
    transactions.run(
        lambda: audit.record(subject=subject, action=action, caller=caller, outcome="refused", reasons=reasons[:MOST])
    )
