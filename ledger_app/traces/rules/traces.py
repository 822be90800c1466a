"""What is traced and what is not, each exemption with its reason; and the canonical forms of a link, a posting and a seal's cover."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

TRACED_APPS = ("ledger_app", "ingestion_app")
# Of Django's own tables, those that say who may do what.
TRACED_BESIDES = ("auth_group", "auth_group_permissions", "auth_permission")

# Tables that have a proof of their own, and are too large to be written down twice.
PROVED_OTHERWISE: Mapping[str, str] = {
    "ledger_app_entry": "by its digest, that of its posting, and the seal of its period",
    "ledger_app_line": "by the digest of its entry, and by the balances, each line following the one before",
    "ledger_app_balance": "by its lines",
    "ledger_app_lot": "by the digest of its posting, and by its line",
    "ledger_app_lotuse": "by the digest of its posting, and by its line",
    "ledger_app_openlot": "by its lot, the uses of it and the open holds on it",
    "ledger_app_account": "by its last history row, which is traced",
    "ledger_app_holder": "by its last history row, which is traced",
    "ingestion_app_record": "by the digest of its chunk, or of its batch's records that no chunk applies",
    "ledger_app_trace": "by the chain",
    "ledger_app_link": "by the chain",
}

# Tables of which nothing depends on what they say.
OF_NO_WEIGHT: Mapping[str, str] = {
    "axes_accessattempt": "who failed to sign in of late; forgotten soon, and written by whoever tries, as often as they like",
    "ingestion_app_validationrequest": "what a worker was asked for and has not answered; goes when it is answered, and decides nothing",
    "ingestion_app_fileshape": "what a file looked like, counted from its bytes, which a validation counts again; alerts rest on it, and the plan has their digest",
    "ledger_app_event": "tells of audit rows and postings, which have their own proofs; it is held against them",
    "ledger_app_feed": "the last number that was given to an event",
    "ledger_app_idempotencykey": "what was answered to a program; what was done is in the rows that were written with it",
    "ledger_app_webhook": "where events are sent to, and how far; each change by a person has an audit row",
    "ledger_app_deadletter": "which events were not delivered; nothing of the ledger depends on it",
    "ingestion_app_worker": "which processes were there and when they were last seen; shown, and forgotten",
}
# Tables that are compared with their audit rows, which say all of them but secrets and their digests: these are not written down twice.
HELD_BY_AUDIT_ROWS: Mapping[str, str] = {
    "ledger_app_identity": "whom the provider of single sign-on knows a user as",
    "ledger_app_recoverycode": "what somebody signs in with once",
    "ledger_app_secondfactor": "what somebody signs in with",
    "ledger_app_token": "what a program signs in with",
}

# Written once, and never changed: the database refuses. Histories are so as well.
WRITTEN_ONCE = (
    "ledger_app_trace",
    "ledger_app_link",
    "ledger_app_postingdigest",
    "ledger_app_sealcover",
    "ledger_app_verification",
    "ledger_app_submission",
    "ledger_app_accessreview",
    "ledger_app_profile",
    "ledger_app_profileversion",
    "ledger_app_export",
    "ledger_app_erasedpart",
    "ledger_app_eraseddigest",
    "ingestion_app_acknowledgement",
)

# What wrote a posting is there when it writes; of a chunk, the application above knows.
ORIGINS: Mapping[str, str] = {
    "hold": "ledger_app_hold",
    "submission": "ledger_app_submission",
    "merge": "ledger_app_merge",
    "expiry": "ledger_app_expirychunk",
    "reversal": "ledger_app_entry",
}

# Columns that are of no weight, or that change all the time.
UNTRACED_COLUMNS: Mapping[tuple[str, str], str] = {
    ("ledger_app_user", "last_login"): "changes with every log-in, and decides nothing",
    ("ledger_app_user", "session_generation"): "ends sessions, and decides nothing",
    ("ingestion_app_attempt", "heartbeat_at"): "a sign of life every few seconds; of no weight once the attempt has ended",
    ("ingestion_app_attempt", "phase"): "shown while it runs",
    ("ingestion_app_attempt", "done_records"): "shown while it runs",
    ("ingestion_app_attempt", "seconds"): "measured, and decides nothing",
    ("ingestion_app_attempt", "counts"): "measured, and decides nothing",
    ("ledger_app_freezeattempt", "seen_at"): "a sign of life every few seconds; of no weight once the attempt has ended",
    ("ledger_app_freezeattempt", "proved_count"): "shown while it runs",
    ("ingestion_app_chunk", "lease_token"): "counts how often it was taken; an applied chunk keeps its own in applied_token",
    ("ingestion_app_chunk", "lease_until"): "until when a worker has it; of no weight afterwards",
    ("ingestion_app_chunk", "leased_by"): "which worker has it; of no weight afterwards",
    ("ingestion_app_chunk", "attempt_id"): "which attempt has it; of no weight afterwards",
}
# Columns of rows with history that the history does not keep.
WITHOUT_HISTORY: Mapping[tuple[str, str], str] = {
    ("ledger_app_user", "password"): "kept out of the history on purpose; the trace of the user has it",
    ("ledger_app_user", "last_login"): "changes with every log-in, and decides nothing",
    ("ledger_app_user", "session_generation"): "ends sessions, and decides nothing",
    ("ledger_app_user", "username_folded"): "made from the name, which is kept; the trace of the user has it",
    (
        "ledger_app_user",
        "secret_known_to_id",
    ): "who set the password, which the history does not have; the trace of the user has it",
    ("ledger_app_user", "decider_ended_by_id"): "who took a right away, which the audit row says; the trace of the user has it",
}


class Changing(NamedTuple):
    """The columns of a row that the program changes, and the values of the state column with which it does; None: with any."""

    columns: frozenset[str]
    column: str = ""
    while_it_says: frozenset[str | None] = frozenset()


# Traced tables without a history whose rows the program changes: a row of any other stays as it was first written.
CHANGING: Mapping[str, Changing] = {
    # What changes in these is compared with merges and audit rows.
    "ledger_app_identifier": Changing(frozenset({"holder_id", "active_from", "active_to", "value", "key_name"})),
    "ledger_app_freezeattempt": Changing(
        frozenset({"state", "started_at", "ended_at", "reasons"}), "state", frozenset({"waiting", "running"})
    ),
    "ledger_app_decidedamount": Changing(frozenset({"voided_at"}), "voided_at", frozenset({None})),
    # One that was taken for gone says itself how it ended when it comes back.
    "ingestion_app_attempt": Changing(frozenset({"outcome", "ended_at", "reasons"}), "outcome", frozenset({"running", "failed"})),
    "ingestion_app_chunk": Changing(
        frozenset({"state", "record_count", "record_sum", "totals", "records_digest", "applied_token", "applied_at", "reasons"}),
        "state",
        frozenset({"pending", "stopped"}),
    ),
}
# Those whose rows it removes: what is replaced when a batch is validated again, and what users have besides.
REMOVING = frozenset(
    {
        "ingestion_app_chunk",
        "ingestion_app_finding",
        "ingestion_app_recordsdigest",
        "ledger_app_user_groups",
        "ledger_app_user_user_permissions",
    }
)

LINK_FORM = "kakutei-link-1"
POSTING_FORM = "kakutei-posting-1"
COVER_FORM = "kakutei-cover-1"


TraceRow = tuple[int, str, int, str, datetime, str]  # number, table, number of the row, event, at, content


class PostingHead(NamedTuple):
    """What a posting says of itself, in the order of the canonical form."""

    number: int
    origin_kind: str
    origin_id: int
    posted_by: int
    posted_at: Any
    reason: str
    entry_count: int
    line_count: int


def head(posting: Any) -> PostingHead:
    """Return what a posting, of any class that has its columns, says of itself."""
    return PostingHead(
        posting.pk,
        posting.origin_kind,
        posting.origin_id,
        posting.posted_by_id,
        posting.posted_at,
        posting.reason,
        posting.entry_count,
        posting.line_count,
    )


def instant(at: datetime) -> str:
    """Return an instant in the canonical form: in UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class LinkDigest:
    """Grows to the digest of a link as its traces are added in the order of their numbers."""

    def __init__(self, number: int, previous: bytes) -> None:
        """Begin with the head of the canonical form."""
        self._running = hashlib.sha256(f"{LINK_FORM}\n{number}\n{previous.hex()}\n".encode())
        self.count = 0

    def add(self, trace: TraceRow) -> None:
        """Add one trace."""
        key, table, row_id, event, at, content = trace
        said = content.encode()
        self._running.update(f"{key} {table} {row_id} {event} {instant(at)} {len(said)}\n".encode() + said + b"\n")
        self.count += 1

    def end(self, *, last_trace: int, spans: Any, gaps: Any, linked_at: datetime) -> bytes:
        """Add what the link says of itself and return the digest."""
        own = [f"{self.count}", f"{last_trace}", " ".join(f"{first}-{last}" for first, last in spans)]
        own += [" ".join(f"{first}-{last}@{since}" for first, last, since in gaps), instant(linked_at)]
        self._running.update(("\n".join(own) + "\n").encode())
        return self._running.digest()


class PostingHash:
    """Grows to the digest of a posting: its head, then the digests of its entries, then its lots, then its uses of lots, each by number."""

    def __init__(self, head: PostingHead) -> None:
        """Begin with the head."""
        said = [POSTING_FORM, *head._replace(posted_at=instant(head.posted_at))]
        self._running = hashlib.sha256(("\n".join(map(str, said)) + "\n").encode())

    def entries(self, digests: Iterable[bytes]) -> None:
        """Add the digests of entries."""
        self._running.update(b"".join(digests))

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Add lots, as (number, account, line, kind, granted on, expires on, amount), or uses, as (number, lot, line, amount)."""
        said = "".join([" ".join(["-" if each is None else str(each) for each in row]) + "\n" for row in rows])
        self._running.update(said.encode())

    def part(self) -> None:
        """End one part and begin the next."""
        self._running.update(b"\n")

    def digest(self) -> bytes:
        """Return the digest."""
        return self._running.digest()


def cover(*, seal: bytes, previous: bytes, link_number: int, link: bytes) -> bytes:
    """Return the digest of what a seal covers beside its entries; ``previous`` is that of the seal before, or nothing."""
    return hashlib.sha256(f"{COVER_FORM}\n{seal.hex()}\n{previous.hex()}\n{link_number}\n{link.hex()}\n".encode()).digest()
