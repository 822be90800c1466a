"""The tables of the ledger."""

from ledger_app.models.accounts import STRIPES_MOST, Account, Balance
from ledger_app.models.audit import AuditRow, Verification
from ledger_app.models.books import Book, Period, Seal
from ledger_app.models.entries import Entry, Line, Posting
from ledger_app.models.merges import Merge, MovedIdentifier, RedirectedEntry
from ledger_app.models.people import Holder, Identifier, User

__all__ = [
    "STRIPES_MOST",
    "Account",
    "AuditRow",
    "Balance",
    "Book",
    "Entry",
    "Holder",
    "Identifier",
    "Line",
    "Merge",
    "MovedIdentifier",
    "Period",
    "Posting",
    "RedirectedEntry",
    "Seal",
    "User",
    "Verification",
]
