"""The tables of the ledger."""

from ledger_app.models.accounts import STRIPES_MOST, Account, Balance
from ledger_app.models.adjustments import (
    Adjustment,
    AdjustmentDecision,
    AdjustmentLimit,
    Attachment,
    ContraAccount,
    ReasonCode,
)
from ledger_app.models.audit import AuditRow, Verification
from ledger_app.models.books import Book, Period, Seal
from ledger_app.models.entries import Entry, Line, Posting
from ledger_app.models.people import Holder, Identifier, User

__all__ = [
    "STRIPES_MOST",
    "Account",
    "Adjustment",
    "AdjustmentDecision",
    "AdjustmentLimit",
    "Attachment",
    "AuditRow",
    "Balance",
    "Book",
    "ContraAccount",
    "Entry",
    "Holder",
    "Identifier",
    "Line",
    "Period",
    "Posting",
    "ReasonCode",
    "Seal",
    "User",
    "Verification",
]
