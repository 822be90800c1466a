"""The tables of the ledger."""

from ledger_app.models.accounts import Account, AccountTemplate, Balance
from ledger_app.models.adjustments import (
    Adjustment,
    AdjustmentDecision,
    AdjustmentLimit,
    Attachment,
    ContraAccount,
    DecidedAmount,
    ReasonCode,
)
from ledger_app.models.audit import AuditRow, Verification
from ledger_app.models.books import Book, ClosePolicy, Period, Seal
from ledger_app.models.entries import Entry, Line, Posting
from ledger_app.models.erasures import ErasedDigest, ErasedPart, Erasure
from ledger_app.models.factors import Identity, RecoveryCode, SecondFactor
from ledger_app.models.freezing import FreezeAttempt
from ledger_app.models.holds import Hold, HoldLot, HoldRule, HoldTarget
from ledger_app.models.lots import ExpiryChunk, ExpiryRun, Lot, LotRule, LotUse, OpenLot
from ledger_app.models.merges import Merge, MovedIdentifier, RedirectedEntry
from ledger_app.models.people import FailedTry, Holder, Identifier, User
from ledger_app.models.profiles import Export, Profile, ProfileVersion
from ledger_app.models.requests import Event, Feed, IdempotencyKey, Submission
from ledger_app.models.reversals import Reversal
from ledger_app.models.reviews import AccessReview
from ledger_app.models.setting_changes import SettingChange
from ledger_app.models.tokens import Token
from ledger_app.models.traces import Link, PostingDigest, SealCover, Trace
from ledger_app.models.webhooks import DeadLetter, Webhook

__all__ = [
    "AccessReview",
    "Account",
    "AccountTemplate",
    "Adjustment",
    "AdjustmentDecision",
    "AdjustmentLimit",
    "Attachment",
    "AuditRow",
    "Balance",
    "Book",
    "ClosePolicy",
    "ContraAccount",
    "DeadLetter",
    "DecidedAmount",
    "Entry",
    "ErasedDigest",
    "ErasedPart",
    "Erasure",
    "Event",
    "ExpiryChunk",
    "ExpiryRun",
    "Export",
    "FailedTry",
    "Feed",
    "FreezeAttempt",
    "Hold",
    "HoldLot",
    "HoldRule",
    "HoldTarget",
    "Holder",
    "IdempotencyKey",
    "Identifier",
    "Identity",
    "Line",
    "Link",
    "Lot",
    "LotRule",
    "LotUse",
    "Merge",
    "MovedIdentifier",
    "OpenLot",
    "Period",
    "Posting",
    "PostingDigest",
    "Profile",
    "ProfileVersion",
    "ReasonCode",
    "RecoveryCode",
    "RedirectedEntry",
    "Reversal",
    "Seal",
    "SealCover",
    "SecondFactor",
    "SettingChange",
    "Submission",
    "Token",
    "Trace",
    "User",
    "Verification",
    "Webhook",
]
