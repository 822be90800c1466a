"""Registers members from a file: the whole file is checked first, then registered block by block, each in a transaction of its own.

Killed at any instruction, some blocks are registered; the same again finds them there and goes on. Memory holds one block, however long the
file is: what must be unique within the file is kept in a temporary database on disk.
"""

import hashlib
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.queries import identifiers
from ledger_app.books.queries.identifiers import Known
from ledger_app.errors import members as member_errors
from ledger_app.errors import opening
from ledger_app.members.operations import member_rows
from ledger_app.members.operations.member_rows import NewMember, Opened, code_of
from ledger_app.members.rules import member_files
from ledger_app.members.rules.member_files import LINE_MOST, Finding, Row
from ledger_app.models import Account, AccountTemplate, Holder, Identifier, MovedIdentifier, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.identifiers import KINDS, card_digits, shown
from ledger_app.values.openings import CODE_MOST

REGISTER = "ledger_app.register_holder"
BLOCK = 2000  # members in a transaction
FINDINGS_KEPT = 1000
REASONS_MOST = 20  # of a file, in its audit row


@dataclass
class Receipt:
    """What became of a file. ``findings`` are the first thousand of ``finding_count``; where there is any, nothing was registered."""

    name: str
    sha256: str = ""
    rows: int = 0
    new: int = 0
    there: int = 0
    repeated: int = 0
    accounts: int = 0
    findings: list[Finding] = field(default_factory=list)
    finding_count: int = 0

    def add(self, found: Sequence[Finding]) -> None:
        """Count findings, and keep the first."""
        self.finding_count += len(found)
        self.findings += found[: max(0, FINDINGS_KEPT - len(self.findings))]

    def counts(self) -> dict[str, int]:
        """Return the figures."""
        return {name: getattr(self, name) for name in ("rows", "new", "there", "repeated", "accounts", "finding_count")}


class Block(NamedTuple):
    """The members of some lines, what is wrong with those lines, and a digest of their bytes."""

    rows: list[Row]
    findings: list[Finding]
    first_line: int
    digest: bytes


@dataclass
class _Sorted:
    """A block compared with the ledger: who is new, how many are there, which accounts are missing, and what contradicts the ledger."""

    new: list[Row] = field(default_factory=list)
    there: int = 0
    repeated: int = 0
    missing: list[Opened] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    opened: dict[tuple[int, str], Row] = field(default_factory=dict)  # who is to be opened an account, by its book and code


def register(
    *, stream: BinaryIO, name: str, caller: Caller, on_progress: Callable[[str, int], None] = lambda *_: None
) -> Receipt:
    """Register the members of a file that can be read twice, with the accounts that the books' templates say; return the receipt.

    A member who is there with the same content is left as they are, and opened the accounts that they lack.

    :raises errors.Refused: not_permitted; file_moved, where the file changed meanwhile
    :raises errors.TryAgain: where the temporary files find no room, or the database is busy
    """
    if caller.user.username != User.SYSTEM and REGISTER not in rights_of(caller.user):
        who = _("Support and engineers")
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=_("Register members"), who=who)])
    receipt = Receipt(name=name)
    digests: list[bytes] = []
    try:
        with closing(sqlite3.connect("")) as seen:  # a database on disk that goes with its connection
            _check(stream, receipt, seen, digests, on_progress, on=caller.at.date())
    except (sqlite3.Error, OSError) as error:
        raise errors.TryAgain(cause=str(error)) from error
    receipt.findings.sort(key=lambda finding: finding.line)
    if not receipt.finding_count:
        try:
            _write(stream, receipt, digests, caller, on_progress)
        except errors.Refused as refusal:
            # Blocks before it are registered, and of them the row tells.
            transactions.run(partial(_record, receipt, caller, refusal.reasons))
            raise
    transactions.run(partial(_record, receipt, caller))
    return receipt


def _check(
    stream: BinaryIO,
    receipt: Receipt,
    seen: sqlite3.Connection,
    digests: list[bytes],
    on_progress: Callable[[str, int], None],
    *,
    on: date,
) -> None:
    """Read the whole file, hold each block against the ledger, and find what stands in the file twice."""
    templates = _templates()
    seen.execute("CREATE TABLE given (identity BLOB, content BLOB, line INTEGER, kind TEXT)")
    seen.execute("CREATE TABLE opened (book INTEGER, code TEXT, member TEXT, line INTEGER)")
    may_meet = _may_meet(templates)
    key = os.urandom(32)  # no digest of a card number outlives this run, nor could be searched for meanwhile
    whole = hashlib.sha256()
    for block in _blocks(stream, whole):
        digests.append(block.digest)
        receipt.rows += len(block.rows)
        receipt.add(block.findings)
        if block.rows:
            sound = [row for row in block.rows if not _unfit(row, receipt)]
            found = _sorted(sound, templates, on)
            receipt.add(found.findings)
            if may_meet:
                rows = [(*key, row.member_number, row.line) for key, row in found.opened.items()]
                seen.executemany("INSERT INTO opened VALUES (?, ?, ?, ?)", rows)
            seen.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", _identities(sound, key))
        on_progress("check", receipt.rows)
    receipt.sha256 = whole.hexdigest()
    _find_met(receipt, seen, templates)
    twice = "SELECT identity FROM given GROUP BY identity HAVING COUNT(DISTINCT content) > 1 ORDER BY MIN(line)"
    for (identity,) in seen.execute(twice).fetchmany(FINDINGS_KEPT):
        lines = seen.execute("SELECT line, content, kind FROM given WHERE identity = ? ORDER BY line", (identity,)).fetchall()
        first, content, kind = lines[0]
        others = [line for line, other, _kind in lines[1:] if other != content]
        receipt.add(
            [
                Finding(line, column_of(kind), opening.GivenTwice(what=KINDS[kind].label, first=first))
                for line in others[:FINDINGS_KEPT]
            ]
        )


def _write(
    stream: BinaryIO, receipt: Receipt, digests: Sequence[bytes], caller: Caller, on_progress: Callable[[str, int], None]
) -> None:
    """Read the file once more, and register each block, as long as its bytes are those that were checked."""
    templates = _templates()
    place = 0
    for place, block in enumerate(_blocks(stream, hashlib.sha256()), start=1):
        if place > len(digests) or digests[place - 1] != block.digest:
            raise errors.Refused([opening.FileMoved(line=block.first_line, members=receipt.new + receipt.there)])
        if block.rows:
            found = transactions.run(partial(_write_block, block.rows, templates, caller))
            receipt.new += len(found.new)
            receipt.there += found.there
            receipt.repeated += found.repeated
            receipt.accounts += len(found.missing)
            on_progress("store", receipt.new + receipt.there)
    if place != len(digests):
        raise errors.Refused([opening.FileMoved(line=1, members=receipt.new + receipt.there)])


def _write_block(rows: Sequence[Row], templates: Sequence[AccountTemplate], caller: Caller) -> _Sorted:
    found = _sorted(rows, templates, caller.at.date())
    if found.findings:
        # Somebody has been given an identifier since the file was checked.
        raise errors.Refused([finding.error for finding in found.findings])
    # From here on, the block must be registered.
    fresh = [NewMember(row.name, tuple(row.identities())) for row in found.new]
    keys = member_rows.write_members(fresh, caller) if fresh else []
    found.missing += [
        Opened(template, key, code_of(template, row)) for key, row in zip(keys, found.new, strict=True) for template in templates
    ]
    member_rows.write_accounts(found.missing, caller)
    return found


def _sorted(rows: Sequence[Row], templates: Sequence[AccountTemplate], on: date) -> _Sorted:
    """Compare members with the ledger, in a bounded number of statements however many they are."""
    once: dict[str, Row] = {}
    for row in rows:
        once.setdefault(row.member_number, row)
    found = _Sorted(repeated=len(rows) - len(once))
    there = identifiers.find(Identifier.MEMBER_NUMBER, list(once))
    cards = {
        Identifier.CARD_TOKEN: identifiers.find(
            Identifier.CARD_TOKEN, [card for row in once.values() for card in row.card_tokens]
        ),
        Identifier.CARD_NUMBER: identifiers.find(
            Identifier.CARD_NUMBER, [card_digits(card) for row in once.values() for card in row.card_numbers]
        ),
    }
    names: dict[int, str] = {}
    for part in _parts({known.holder_id for known in there.values()}):
        names.update(Holder.objects.filter(id__in=part).values_list("id", "name"))
    moved = {
        key
        for part in _parts({known.id for known in there.values()})
        for key in MovedIdentifier.objects.filter(identifier__in=part).values_list("identifier_id", flat=True)
    }
    stay: list[tuple[Row, int]] = []
    for number, row in once.items():
        known = there.get(number)
        # Of who was merged into another, the name and the accounts that the file says are history; cards moved with the number.
        is_moved = known is not None and known.id in moved
        differs, told = _compared(row, known, cards, on)
        found.findings += told
        if known is not None and not is_moved and names[known.holder_id] != row.name:
            differs.insert(0, "name")
        if differs:
            error = opening.MemberDiffers(member=number, differs=", ".join(dict.fromkeys(differs)))
            found.findings.append(Finding(row.line, differs[0], error))
        elif known is None:
            found.new.append(row)
        else:
            found.there += 1
            if not is_moved:
                stay.append((row, known.holder_id))
    _find_missing(found, stay, templates)
    _find_taken(found, templates)
    return found


def _compared(
    row: Row, known: Known | None, cards: Mapping[str, Mapping[str, Known]], on: date
) -> tuple[list[str], list[Finding]]:
    """Return the columns of the cards that a member who is there lacks; and what the file gives them of another's, or of what they had."""
    lacks: list[str] = []
    told: list[Finding] = []
    if known is not None and known.active_to is not None:
        number = identifiers.had(Identifier.MEMBER_NUMBER, row.member_number, known, on)
        told.append(Finding(row.line, column_of(Identifier.MEMBER_NUMBER), number))
    for kind, value in list(row.identities())[1:]:
        card = cards[kind].get(value)
        if card is not None and (known is None or card.holder_id != known.holder_id):
            text = shown(kind, value, value[-4:])
            taken = member_errors.IdentifierTaken(kind=KINDS[kind].label, value=text, holder=card.holder_id)
            told.append(Finding(row.line, column_of(kind), taken))
        elif card is not None and card.active_to is not None:
            told.append(Finding(row.line, column_of(kind), identifiers.had(kind, value, card, on)))
        elif card is None and known is not None:
            lacks.append(column_of(kind))
    return lacks, told


def _find_missing(found: _Sorted, stay: Sequence[tuple[Row, int]], templates: Sequence[AccountTemplate]) -> None:
    """Add the accounts that members who are there lack."""
    roles: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for part in _parts({key for _row, key in stay} if templates else set()):
        for key, book_id, role in Account.objects.filter(holder__in=part).values_list("holder_id", "book_id", "role"):
            roles[key].add((book_id, role))
    for row, key in stay:
        for template in templates:
            if (template.book_id, template.role) not in roles[key]:
                found.missing.append(Opened(template, key, code_of(template, row)))
                _open(found, template, row)


def _open(found: _Sorted, template: AccountTemplate, row: Row) -> None:
    """Keep that a member is to be opened an account; one whose role and number run into those of another's is a finding."""
    code = code_of(template, row)
    if found.opened.setdefault((template.book_id, code), row) is not row:
        found.findings.append(_taken(template.book.code, code, row.line))


def _find_taken(found: _Sorted, templates: Sequence[AccountTemplate]) -> None:
    """Find accounts whose codes others have, among what is about to be opened and in the ledger."""
    for template in templates:
        for row in found.new:
            _open(found, template, row)
    for book_id, book in {template.book_id: template.book.code for template in templates}.items():
        wanted = sorted(code for of_book, code in found.opened if of_book == book_id)
        for part in sql.parts(wanted):
            for code in Account.objects.filter(book=book_id, code__in=part).values_list("code", flat=True):
                found.findings.append(_taken(book, code, found.opened[book_id, code].line))


def _may_meet(templates: Sequence[AccountTemplate]) -> bool:
    """Whether the role and number of one member can run into those of another: only where a role begins as another does, and goes on with a dot."""
    return any(one.book_id == other.book_id and other.role.startswith(f"{one.role}.") for one in templates for other in templates)


def _find_met(receipt: Receipt, seen: sqlite3.Connection, templates: Sequence[AccountTemplate]) -> None:
    """Find the codes that two members of different blocks are to be opened accounts under."""
    books = {template.book_id: template.book.code for template in templates}
    told = {(finding.line, finding.error.facts.get("account")) for finding in receipt.findings}
    twice = """
        SELECT opened.book, opened.code, MAX(opened.line) FROM opened
         GROUP BY opened.book, opened.code HAVING COUNT(DISTINCT opened.member) > 1 ORDER BY MIN(opened.line)
    """
    for book_id, code, line in seen.execute(twice).fetchmany(FINDINGS_KEPT):
        if (line, code) not in told:
            receipt.add([_taken(books[book_id], code, line)])


def _taken(book: str, code: str, line: int) -> Finding:
    return Finding(line, "member_number", opening.AccountCodeTaken(account=code, book=book))


def column_of(kind: str) -> str:
    """Return the column that identifiers of a kind stand in."""
    return {Identifier.CARD_TOKEN: "card_tokens", Identifier.CARD_NUMBER: "card_numbers"}.get(kind, kind)


def _unfit(row: Row, receipt: Receipt) -> bool:
    """Whether an identifier of a member cannot be one; each that cannot is a finding."""
    wrong = [
        Finding(row.line, column_of(kind), error) for kind, value in row.identities() for error in identifiers.check(kind, value)
    ]
    if not wrong and len(row.member_number) > CODE_MOST - 33:
        # The longest role, a dot and the number make the code of an account.
        wrong.append(Finding(row.line, "member_number", errors.CodeInvalid(name=row.member_number, most=CODE_MOST - 33)))
    receipt.add(wrong)
    return bool(wrong)


def _identities(rows: Sequence[Row], key: bytes) -> Iterator[tuple[bytes, bytes, int, str]]:
    """Yield each identifier as a digest, the digest of what its line says, the line, and the kind."""
    for row in rows:
        content = _digest(repr((row.member_number, row.name, sorted(row.identities()))), key)
        for kind, value in row.identities():
            yield _digest(f"{kind}\n{value}", key), content, row.line, kind


def _digest(text: str, key: bytes) -> bytes:
    return hashlib.blake2b(text.encode(), key=key, digest_size=16).digest()


def _blocks(stream: BinaryIO, whole: "hashlib._Hash") -> Iterator[Block]:
    """Read a file from its beginning, in blocks of so many lines; no line is held beyond its bound."""
    stream.seek(0)
    reader = member_files.Reader()
    line = 0
    while not reader.is_lost:
        rows: list[Row] = []
        findings: list[Finding] = []
        digest = hashlib.sha256()
        first = line + 1
        for _number in range(BLOCK):
            raw = stream.readline(LINE_MOST + 2)
            if not raw:
                break
            line += 1
            digest.update(raw)
            whole.update(raw)
            row, found = reader.read(line, raw)
            findings += found
            if row is not None:
                rows.append(row)
            while not raw.endswith(b"\n") and (raw := stream.readline(LINE_MOST)):
                digest.update(raw)
                whole.update(raw)
        if line < first:
            if reader.is_blank:
                yield Block([], [Finding(1, "", opening.FileEmpty())], first, digest.digest())
            return
        yield Block(rows, findings, first, digest.digest())


def _parts(keys: Collection[int]) -> Iterator[list[int]]:
    return (list(map(int, part)) for part in sql.parts(sorted(keys)))


def _templates() -> list[AccountTemplate]:
    return list(AccountTemplate.objects.select_related("book").order_by("id"))


def _record(receipt: Receipt, caller: Caller, refused: Sequence[errors.LedgerError] = ()) -> None:
    by_code = Counter(finding.error.code for finding in receipt.findings)
    audit.record(
        subject=audit.Subject("registration", 0, receipt.name),
        action="register",
        caller=caller,
        outcome="refused" if receipt.finding_count or refused else "done",
        reasons=[*refused[:REASONS_MOST], *[finding.error for finding in receipt.findings[:REASONS_MOST]]],
        facts={**receipt.counts(), "digest": receipt.sha256, "findings": dict(by_code)},
    )
