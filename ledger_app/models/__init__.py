"""The tables of the ledger."""

from ledger_app.models.accounts import STRIPES_MOST, Account, Balance
from ledger_app.models.audit import AuditRow, Verification
from ledger_app.models.books import Book, Period, Seal
from ledger_app.models.entries import Entry, Line, Posting
from ledger_app.models.holds import Hold, HoldLot
from ledger_app.models.lots import ExpiryChunk, ExpiryRun, Lot, LotRule, LotUse, OpenLot
from ledger_app.models.people import Holder, Identifier, User
from ledger_app.models.reversals import Reversal

__all__ = [
    "STRIPES_MOST",
    "Account",
    "AuditRow",
    "Balance",
    "Book",
    "Entry",
    "ExpiryChunk",
    "ExpiryRun",
    "Hold",
    "HoldLot",
    "Holder",
    "Identifier",
    "Line",
    "Lot",
    "LotRule",
    "LotUse",
    "OpenLot",
    "Period",
    "Posting",
    "Reversal",
    "Seal",
    "User",
    "Verification",
]
