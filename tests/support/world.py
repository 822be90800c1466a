"""A small world for tests of ingestion: two books, a few members, one source, and files built record by record."""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.db import connection

from ingestion_app.applying.operations import applying, leaving
from ingestion_app.deciding.operations import deciding, reversing
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, File, Finding, Receipt, Record
from ingestion_app.receiving.operations import receiving
from ingestion_app.sources import operations as sources
from ingestion_app.validating.operations import validating
from ledger_app.base.operations import filing, history
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening, MemberOpening
from ledger_app.close.operations import periods
from ledger_app.close.queries.closing import control_totals
from ledger_app.models import Account, Balance, Book, Entry, Line, Period, Posting, Seal, User
from tests.support.kept import Ground
from tests.support.till import DEFINITION

NOW = datetime(2017, 3, 1, 9, tzinfo=UTC)
DAY = date(2017, 1, 31)
NAME = "till-2017-01-31-1.csv"
SHOPS = ("31", "32")


def definition(*, set_aside: int = 0, chunk_records: int = 3, encoding: str = "utf-8", merged: str = "redirect") -> str:
    """Return the source's definition as text."""
    values = {"@set_aside@": str(set_aside), "@chunk_records@": str(chunk_records), "@encoding@": encoding, "@merged@": merged}
    text = DEFINITION
    for place, value in values.items():
        text = text.replace(place, value)
    return text


class Purchase(NamedTuple):
    """One record, every field as the text that stands in the file."""

    member: str = "1001"
    shop: str = "31"
    slip: str = "s1"
    amount: str = "150"
    bought_at: str = "2017-01-05T10:00:00Z"

    def line(self) -> bytes:
        return f"D,{','.join(self)}\n".encode()


PURCHASES = (
    Purchase("1001", "31", "s1", "150"),
    Purchase("1002", "31", "s2", "250"),
    Purchase("1001", "32", "s3", "99"),
    Purchase("1003", "32", "s4", "1000", "2017-01-31T23:59:59Z"),
    Purchase("1004", "31", "s5", "0"),
    Purchase("1004", "31", "s6", "12345"),
    Purchase("1005", "32", "s7", "700"),
    Purchase("1006", "31", "s8", "100"),
)


FIXED = PURCHASES[0]


def card_file(
    records: Iterable[Purchase | bytes] = PURCHASES,
    *,
    count: int | str | None = None,
    total: int | str | None = None,
    day: date = DAY,
    sequence: int = 1,
    end: bytes = b"E\n",
) -> bytes:
    """Return a file of ``records`` (bytes stand as they are), whose trailer is right unless ``count`` or ``total`` is given."""
    held = list(records)
    lines = [each if isinstance(each, bytes) else each.line() for each in held]
    if total is None:
        total = sum(int(each.amount) for each in held if isinstance(each, Purchase))
    trailer = f"T,{len(held) if count is None else count},{total}\n".encode()
    return b"H,till,%s,%d\n" % (str(day).encode(), sequence) + b"".join(lines) + trailer + end


def many(records: int, members: int) -> list[Purchase]:
    """Return ``records`` purchases of ``members`` members in a fixed order; no two have the same amount."""
    return [
        Purchase(str(1001 + (7 * number) % members), SHOPS[number % 2], f"m{number}", str(100 + number), "2017-01-09T12:00:00Z")
        for number in range(records)
    ]


@dataclass
class World:
    """Who and what there is. The engineers receive, validate and apply; finance decides; support may do nothing of it."""

    directory: Path
    engineer: User
    other_engineer: User
    finance: User
    support: User
    superuser: User
    system: User
    card: Book
    points: Book
    opened: list[Period] = field(default_factory=list)

    def caller(self, user: User | None = None, door: str = "test") -> Caller:
        return Caller(user=user or self.engineer, at=NOW, door=door)

    def receipt(self, content: bytes, *, name: str = NAME, user: User | None = None, **slot: Any) -> Receipt:
        return receiving.receive(
            stream=io.BytesIO(content),
            name=name,
            source_code="till",
            directory=self.directory,
            caller=self.caller(user),
            **slot,
        )

    def receive(self, content: bytes | None = None, *, name: str = NAME, user: User | None = None, **slot: Any) -> Batch:
        return self.receipt(card_file() if content is None else content, name=name, user=user, **slot).batch

    def validate(self, batch: Batch, user: User | None = None, version: int | None = None) -> Batch:
        return validating.validate(
            batch_id=batch.pk, directory=self.directory, caller=self.caller(user), now=clock, version=version
        )

    def approve(self, batch: Batch, user: User | None = None, digest: str | None = None) -> Batch:
        shown = batches.hexadecimal(Batch.objects.get(pk=batch.pk).plan_digest) if digest is None else digest
        return deciding.approve(batch_id=batch.pk, digest_shown=shown, caller=self.caller(user or self.finance))

    def apply(self, batch: Batch, user: User | None = None) -> applying.Applied:
        return applying.apply(batch_id=batch.pk, caller=self.caller(user), now=clock)

    def begin(self, batch: Batch, name: str = "") -> Batch:
        """Take the step into applying, and apply nothing."""
        return applying.begin(batch_id=batch.pk, caller=self.caller(), name=name)

    def pause(self, batch: Batch, reason: str = "The sender called.", user: User | None = None) -> Batch:
        return applying.pause(batch_id=batch.pk, caller=self.caller(user), reason=reason)

    def withdraw(self, batch: Batch, reason: str = "Sent by mistake.", user: User | None = None) -> Batch:
        return deciding.withdraw(batch_id=batch.pk, reason=reason, caller=self.caller(user))

    def leave(self, batch: Batch, reason: str = "Nothing will mend it.", user: User | None = None) -> Batch:
        return leaving.leave(batch_id=batch.pk, reason=reason, caller=self.caller(user or self.finance))

    def reverse(self, batch: Batch, reason: str = "The wrong file.", user: User | None = None) -> Batch:
        return self.validate(self.propose(batch, reason, user), user)

    def propose(self, batch: Batch, reason: str = "The wrong file.", user: User | None = None) -> Batch:
        return reversing.propose(batch_id=batch.pk, reason=reason, caller=self.caller(user))

    def reversed(self, batch: Batch) -> Batch:
        done = self.apply(self.approve(self.reverse(batch))).batch
        assert done.state == "applied"
        return done

    def freeze(self, batch: Batch) -> Batch:
        return deciding.freeze(batch_id=batch.pk, caller=self.caller(self.finance))

    def freeze_period(self, period: Period) -> Seal:
        controls = {"debits": control_totals(period)["debits"]}
        return periods.freeze(period_id=period.pk, controls=controls, caller=self.caller(self.finance), code_version="test")

    def validated(self, content: bytes | None = None, **receiving_as: Any) -> Batch:
        batch = self.validate(self.receive(content, **receiving_as))
        assert batch.state == "validated", batch.finding_counts
        return batch

    def approved(self, content: bytes | None = None, **receiving_as: Any) -> Batch:
        return self.approve(self.validated(content, **receiving_as))

    def applied(self, content: bytes | None = None, **receiving_as: Any) -> Batch:
        batch = self.apply(self.approved(content, **receiving_as)).batch
        assert batch.state == "applied"
        return batch

    def register(self, *members: str) -> None:
        books.open_members(openings=[_member(number, 0) for number in members], caller=self.caller())

    def load(self, **limits: Any) -> None:
        sources.load(text=definition(**limits), caller=self.caller())

    def kept(self, content: bytes) -> bool:
        """Whether exactly these bytes lie under their name, readable by nobody for writing."""
        sha256 = hashlib.sha256(content).digest()
        path = filing.path_of(self.directory, sha256)
        return File.objects.filter(sha256=sha256, size=len(content)).exists() and path.read_bytes() == content


def clock() -> datetime:
    return NOW


def build(directory: Path, *, members: int = 6, floor: int | None = 0, **limits: Any) -> World:
    """Set the world up: members 1001 and on, each with a receivable and points; periods 2017-01 and 2017-02."""
    system = User.objects.get(username=User.SYSTEM)
    people = {
        "engineer": ("erika", "engineer"),
        "other_engineer": ("emil", "engineer"),
        "finance": ("fumiko", "finance"),
        "support": ("sora", "support"),
    }
    users = {}
    for role, (name, group) in people.items():
        users[role] = User.objects.create(username=name, is_staff=True)
        users[role].groups.add(Group.objects.get(name=group))
    superuser = User.objects.create(username="root", is_staff=True, is_superuser=True)
    caller = Caller(user=system, at=NOW, door="test")
    card = books.open_book(code="CARD", name="Card", unit="USD", exponent=2, time_zone="UTC", caller=caller)
    points = books.open_book(code="POINTS", name="Points", unit="points", exponent=0, time_zone="UTC", caller=caller)
    settlements = [AccountOpening(f"settlement.{shop}", "settlement", "liability", stripes=4) for shop in SHOPS]
    books.open_accounts(book=card, openings=settlements, caller=caller)
    books.open_accounts(
        book=points, openings=[AccountOpening("programme.expense", "programme", "expense", stripes=4)], caller=caller
    )
    books.open_members(openings=[_member(str(1001 + number), floor) for number in range(members)], caller=caller)
    spans = {"2017-01": (date(2017, 1, 1), DAY), "2017-02": (date(2017, 2, 1), date(2017, 2, 28))}
    opened = [
        books.open_period(book=book, name=name, starts_on=first, ends_on=last, caller=caller)
        for book in (card, points)
        for name, (first, last) in spans.items()
    ]
    world = World(directory, superuser=superuser, system=system, card=card, points=points, opened=opened, **users)
    world.load(**limits)
    return world


GROUND = Ground(build)


def _member(number: str, floor: int | None) -> MemberOpening:
    accounts = (
        ("CARD", AccountOpening(f"receivable.{number}", "receivable", "asset")),
        ("POINTS", AccountOpening(f"points.{number}", "points", "liability", floor=floor)),
    )
    return MemberOpening(member_number=number, accounts=accounts)


def ledger() -> dict[str, list[Any]]:
    """Return what the ledger holds, without ids and times: two ledgers are the same if this is."""
    return {
        "postings": [
            *Posting.objects.order_by("origin_kind", "entry_count", "line_count").values_list("origin_kind", "entry_count")
        ],
        "entries": [
            (book, on, reference, description, bytes(digest))
            for book, on, reference, description, digest in Entry.objects.order_by("book__code", "reference").values_list(
                "book__code", "effective_on", "reference", "description", "digest"
            )
        ],
        "lines": [
            *Line.objects.order_by("account__code", "stripe", "sequence").values_list(
                "entry__book__code", "entry__reference", "account__code", "stripe", "sequence", "amount", "balance_after"
            )
        ],
        "balances": [
            *Balance.objects.order_by("account__code", "stripe").values_list("account__code", "stripe", "amount", "sequence")
        ],
    }


def work(batch_id: int) -> dict[str, Any]:
    """Return what a batch's own rows say, without ids and times."""
    batch = Batch.objects.get(pk=batch_id)
    return {
        "batch": (batch.state, batches.hexadecimal(batch.plan_digest), batch.record_count, batch.record_sum, batch.totals),
        "chunks": [
            *Chunk.objects.filter(batch=batch).order_by("number").values_list("number", "state", "record_count", "record_sum")
        ],
        "records": [
            *Record.objects.filter(batch=batch).order_by("line").values_list("line", "status", "key", "amount", "chunk__number")
        ],
        "findings": [
            *Finding.objects.filter(batch=batch).order_by("line", "column", "rule").values_list("rule", "line", "column")
        ],
    }


def found(batch: Batch) -> list[str]:
    """Return the rules of a batch's findings that are errors, each once."""
    return sorted(set(Finding.objects.filter(batch=batch, severity="error").values_list("rule", flat=True)))


def set_account(code: str, state: str) -> None:
    """Set the state of an account, with its history and an audit row, as somebody does between two steps of a batch."""
    caller = Caller(user=User.objects.get(username=User.SYSTEM), at=NOW, door="test")
    for account in Account.objects.filter(code=code):
        account.state = state
        history.save(account, caller=caller)
        record(subject=Subject("account", account.pk, code), action="set", caller=caller)


def hold(batch: Batch, *numbers: int, until: datetime, by: str = "here:7") -> None:
    """Have chunks be worked on by somebody until then, as a worker writes it down when it takes them."""
    Chunk.objects.filter(batch=batch, number__in=numbers).update(lease_token=1, lease_until=until, leased_by=by)


def environment(directory: Path, **more: str) -> dict[str, str]:
    """Return the environment in which a command meets the test's own database and files."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{settings['NAME']}"
    else:
        url = "mysql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)
    return {**os.environ, "DATABASE_URL": url, "KAKUTEI_FILES_DIR": str(directory), **more}


def codes(reasons: Sequence[Any]) -> list[str]:
    """Return the codes of reasons, which may be errors or their stored form."""
    return [reason["code"] if isinstance(reason, dict) else reason.code for reason in reasons]


def last_json(text: str) -> dict[str, Any]:
    """Return the one JSON object that a command printed; fails if it printed anything else."""
    (line,) = text.splitlines()
    read: dict[str, Any] = json.loads(line)
    return read
