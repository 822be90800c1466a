"""Says what ``explain`` found, as JSON and in lines for people."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from config import commands
from ingestion_app import errors
from ingestion_app.models import Batch, Record
from ingestion_app.queries import explain as lines
from ingestion_app.queries.explain import LineExplained
from ledger_app.errors import BalancesDiffer, EntryDiffers, LedgerError, NotFound, Refused
from ledger_app.models import Book, Entry, Posting
from ledger_app.operations import filing
from ledger_app.queries.explain import AccountExplained, AccountLine, EntryExplained
from ledger_app.rules.amounts import decimal_text

RAW_MOST = 65_536


def tell_account(explained: AccountExplained, *, namesake: Entry | None) -> commands.Outcome:
    """Say what an account holds, whether its lines come to it, and where its last lines came from."""
    account, book = explained.account, explained.account.book
    records = lines.records_of(_chunk_and_reference(line) for line in explained.lines if line.origin_kind == Posting.Origin.CHUNK)
    undoing = lines.reversals_of(line.origin_id for line in explained.lines if line.origin_kind == Posting.Origin.CHUNK)
    differing = [proof for proof in explained.proofs if proof.differs]
    data = {
        "kind": "account",
        "book": book.code,
        "account": account.code,
        "role": account.role,
        "category": account.category,
        "state": account.state,
        "member_numbers": explained.member_numbers,
        "unit": book.unit,
        "exponent": book.exponent,
        "balance": explained.claimed,
        "recomputed": explained.found,
        "line_count": explained.line_count,
        "differing_stripes": [
            {"stripe": proof.stripe, "claimed": list(proof.claimed), "found": list(proof.found)} for proof in differing
        ],
        "lines": [_account_line(line, records.get(_chunk_and_reference(line)), undoing) for line in explained.lines],
        "entry_of_that_name": namesake.pk if namesake else None,
    }
    verdict = _("DIFFERS from the sum of its lines, {sum}") if differing else _("the sum of its {count} lines")
    said = [
        _("Account {account}, book {book}: {role}, {category}, {state}").format(
            account=account.code,
            book=book.code,
            role=account.role,
            category=account.get_category_display(),
            state=account.get_state_display(),
        ),
        *([_("Member: {numbers}").format(numbers=", ".join(explained.member_numbers))] if explained.member_numbers else []),
        _("Balance: {balance} (debit positive); {verdict}").format(
            balance=_money(explained.claimed, book),
            verdict=verdict.format(sum=_money(explained.found, book), count=explained.line_count),
        ),
        *[_account_line_text(line, records.get(_chunk_and_reference(line)), undoing, book) for line in explained.lines],
    ]
    if namesake:
        said.append(_("An entry has this reference too: explain {number}").format(number=namesake.pk))
    complaints: list[LedgerError] = [BalancesDiffer(count=len(differing), account=account.code)] if differing else []
    return _outcome(data, said, complaints)


def tell_entry(explained: EntryExplained) -> commands.Outcome:
    """Say what an entry is, who posted it when, what reverses it, and which bytes of which file it came from."""
    entry, posting, book = explained.entry, explained.entry.posting, explained.entry.book
    record = None
    if posting.origin_kind == Posting.Origin.CHUNK:
        record = lines.records_of([(posting.origin_id, entry.reference)]).get((posting.origin_id, entry.reference))
    complaints: list[LedgerError] = [] if explained.digest_holds else [EntryDiffers(reference=entry.reference)]
    origin: dict[str, Any] = {"kind": posting.origin_kind, "number": posting.origin_id}
    said = [
        _("Entry {number}, book {book}: {reference}, dated {date}").format(
            number=entry.pk, book=book.code, reference=entry.reference, date=entry.effective_on
        ),
        *([entry.description] if entry.description else []),
        *[f"  {_money(amount, book):>24}  {code}" for code, amount, _after in explained.lines],
        _("Posted by {user} at {at}: {origin} {number}{reason}").format(
            user=posting.posted_by.username,
            at=posting.posted_at.isoformat(),
            origin=posting.get_origin_kind_display(),
            number=posting.origin_id,
            reason=f" ({posting.reason})" if posting.reason else "",
        ),
        _("Digest: {digest}, {verdict}").format(
            digest=bytes(entry.digest).hex(), verdict=_("recomputed") if explained.digest_holds else _("DIFFERS from the rows")
        ),
    ]
    if entry.reverses:
        said.append(_("Reverses {reference}").format(reference=entry.reverses.reference))
    if explained.reversed_by:
        said.append(_("Reversed by {reference}").format(reference=explained.reversed_by))
    by_batch = lines.reversing_batch(entry) if explained.reversed_by else None
    if by_batch is not None and (reversal := lines.find_batch(by_batch)) is not None:
        said += _batch_text(reversal)
    undoing = lines.reversals_of([posting.origin_id]) if posting.origin_kind == Posting.Origin.CHUNK else {}
    if undoing and (reversal := lines.find_batch(undoing[posting.origin_id])) is not None:
        origin |= {"batch": _batch(reversal)}
        said += _batch_text(reversal)
    if record is not None and (batch := lines.find_batch(record.batch_id)) is not None:
        origin |= {"batch": _batch(batch), **_place(batch, record.line, record, complaints)}
        said += [*_batch_text(batch), *_place_text(batch, origin)]
    data = {
        "kind": "entry",
        "entry": entry.pk,
        "book": book.code,
        "reference": entry.reference,
        "date": entry.effective_on.isoformat(),
        "description": entry.description,
        "unit": book.unit,
        "exponent": book.exponent,
        "lines": [{"account": code, "amount": amount, "balance_after": after} for code, amount, after in explained.lines],
        "posted_by": posting.posted_by.username,
        "posted_at": posting.posted_at.isoformat(),
        "reason": posting.reason,
        "digest": bytes(entry.digest).hex(),
        "digest_holds": explained.digest_holds,
        "reverses": entry.reverses.reference if entry.reverses else "",
        "reversed_by": explained.reversed_by,
        "reversed_by_batch": by_batch,
        "origin": origin,
    }
    return _outcome(data, said, complaints)


def tell_line(explained: LineExplained) -> commands.Outcome:
    """Say what a line of a file is, byte by byte, and what became of it.

    :raises Refused: not_found, where the file has no such line
    """
    batch, record = explained.batch, explained.record
    complaints: list[LedgerError] = []
    place = _place(batch, explained.line, record, complaints)
    type_ = lines.kind_of(batch, bytes.fromhex(place["raw_hex"])) if place["raw_hex"] is not None else ""
    status = _("no record")
    if record is not None:
        # What was planned of a record is done when its chunk is.
        status = record.chunk.get_state_display() if record.chunk else record.get_status_display()
    findings = [
        {
            "rule": seen.rule,
            "severity": str(seen.severity),
            "column": seen.column,
            "sentence": seen.sentence(),
            "remedy": seen.remedy(),
        }
        for seen in explained.findings
    ]
    data = {
        "kind": "line",
        "batch": _batch(batch),
        **place,
        "type": type_,
        "status": record.status if record else None,
        "key": record.key if record else None,
        "member": str(record.holder) if record and record.holder else None,
        "values": explained.values,
        "chunk": record.chunk.number if record and record.chunk else None,
        "chunk_state": record.chunk.state if record and record.chunk else None,
        "findings": findings,
        "entries": [{"book": entry.book.code, "entry": entry.pk, "reference": entry.reference} for entry in explained.entries],
    }
    said = [
        *_batch_text(batch),
        *_place_text(batch, place),
        _("Type: {type}; {status}").format(type=type_ or _("unknown"), status=status),
        *[f"  {name} = {value}" for name, value in explained.values.items()],
        *[f"{seen['severity']}: {seen['rule']}: {seen['sentence']} {seen['remedy']}" for seen in findings],
        *[
            _("Entry {number}, book {book}: {reference}").format(number=entry.pk, book=entry.book.code, reference=entry.reference)
            for entry in explained.entries
        ],
    ]
    return _outcome(data, said, complaints)


def _outcome(data: dict[str, Any], said: list[str], complaints: list[LedgerError]) -> commands.Outcome:
    status = commands.REFUSED if complaints else commands.DONE
    data["differs"] = [each.as_dict() for each in complaints]
    return commands.Outcome(data, tuple(said), status, tuple(str(each) for each in complaints))


def _money(amount: int, book: Book) -> str:
    return f"{decimal_text(amount, book.exponent)} {book.unit}"


def _chunk_and_reference(line: AccountLine) -> tuple[int, str]:
    return line.origin_id, line.reference


def _account_line(line: AccountLine, record: Record | None, undoing: dict[int, int]) -> dict[str, Any]:
    return {
        "entry": line.entry_id,
        "date": line.effective_on.isoformat(),
        "reference": line.reference,
        "description": line.description,
        "amount": line.amount,
        "balance_after": line.balance_after,
        "posted_at": line.posted_at.isoformat(),
        "origin": {
            "kind": line.origin_kind,
            "number": line.origin_id,
            "batch": record.batch_id if record else _reversal_of(line, undoing),
            "line": record.line if record else None,
        },
    }


def _reversal_of(line: AccountLine, undoing: dict[int, int]) -> int | None:
    """Return the number of the reversal that a line came from, if it did."""
    return undoing.get(line.origin_id) if line.origin_kind == Posting.Origin.CHUNK else None


def _account_line_text(line: AccountLine, record: Record | None, undoing: dict[int, int], book: Book) -> str:
    origin = f"{record.batch_id}:{record.line}" if record else f"{line.origin_kind} {line.origin_id}"
    if (reversal := _reversal_of(line, undoing)) is not None:
        origin = _("batch {number}").format(number=reversal)
    return f"  {line.effective_on}  {_money(line.amount, book):>20}  {line.reference}  ← {origin}"


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.pk,
        "source": batch.source.code,
        "source_version": batch.source_version.number,
        "business_date": batch.business_date.isoformat(),
        "sequence": batch.sequence,
        "state": batch.state,
        "reverses": batch.reverses_id,
        "file_name": batch.receipt.name if batch.receipt else None,
        "sha256": str(batch.file),
        "received_by": batch.received_by.username,
        "received_at": batch.receipt.received_at.isoformat() if batch.receipt else None,
        "approved_by": batch.approved_by.username if batch.approved_by else "",
    }


def _batch_text(batch: Batch) -> list[str]:
    told = _batch(batch)
    first = _("Batch {number} ({batch}): {state}").format(number=batch.pk, batch=batch, state=batch.get_state_display())
    if batch.receipt is None:
        return [
            first,
            _("Reverses batch {original}; proposed by {user}; approved by {approver}").format(
                original=batch.reverses_id, user=told["received_by"], approver=told["approved_by"] or _("nobody")
            ),
        ]
    return [
        first,
        _("File {name}, SHA-256 {sha256}").format(name=told["file_name"], sha256=told["sha256"]),
        _("Received by {user} at {at}; approved by {approver}").format(
            user=told["received_by"], at=told["received_at"], approver=told["approved_by"] or _("nobody")
        ),
    ]


def _place(batch: Batch, number: int, record: Record | None, complaints: list[LedgerError]) -> dict[str, Any]:
    """Return where a line is and its bytes; add to ``complaints`` where the stored bytes are gone or not those that came in.

    :raises Refused: not_found, where the file has no such line
    """
    place: dict[str, Any] = {"line": number, "offset": None, "length": None, "raw": None, "raw_hex": None}
    if record is not None:
        place |= {"offset": record.offset, "length": record.length}
    sha256 = bytes(batch.file.sha256)
    path = filing.path_of(Path(settings.KAKUTEI_FILES_DIR), sha256)
    try:
        found = filing.digest_of(path)
        if found != sha256:
            complaints.append(errors.FileDamaged(found=found.hex(), sha256=sha256.hex()))
            return place
        at = (
            (record.offset, filing.piece(path, record.offset, record.length))
            if record
            else filing.find_line(path, number, RAW_MOST)
        )
    except FileNotFoundError:
        complaints.append(errors.FileMissing(sha256=sha256.hex()))
        return place
    if at is None:
        raise Refused([NotFound(what=f"line of batch {batch.pk}", name=number)])
    offset, raw = at
    return place | {"offset": offset, "length": len(raw), "raw": _decoded(raw, batch), "raw_hex": raw.hex()}


def _place_text(batch: Batch, place: dict[str, Any]) -> list[str]:
    where = _("Line {line}, bytes {offset} to {end}").format(
        line=place["line"], offset=place["offset"], end=(place["offset"] or 0) + (place["length"] or 0)
    )
    if place["raw_hex"] is None:
        return [where]
    text = (
        place["raw"]
        if place["raw"] is not None
        else _("not {encoding}: {hex}").format(encoding=lines.encoding_of(batch), hex=place["raw_hex"])
    )
    return [where, f"  {text}"]


def _decoded(raw: bytes, batch: Batch) -> str | None:
    """Return the bytes as text, or None where they are none in the source's encoding: nothing is replaced."""
    try:
        return raw.decode(lines.encoding_of(batch))
    except UnicodeDecodeError:
        return None
