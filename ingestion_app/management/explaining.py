"""Says what ``explain`` found, as JSON and in lines for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app import errors
from ingestion_app.batches.queries.outcomes import state_of_record
from ingestion_app.models import Batch, Record
from ingestion_app.status.queries import explain as lines
from ingestion_app.status.queries.explain import LineExplained
from ingestion_app.status.queries.origins import batch_facts, batch_lines, decoded, missing, place_lines
from ledger_app.base.operations import filing
from ledger_app.errors import LedgerError, NotFound, Refused
from ledger_app.errors.printable import escaped
from ledger_app.errors.words import phrase
from ledger_app.explain.queries import explanations
from ledger_app.explain.queries.explain import ENTRY_LINES_SHOWN, AccountExplained, EntryExplained
from ledger_app.explain.queries.statements import Movement
from ledger_app.models import Book, Entry
from ledger_app.points.queries import shown_lots
from ledger_app.posting.queries import origins
from ledger_app.posting.queries.origins import Provenance
from ledger_app.templatetags import look
from ledger_app.values import instants
from ledger_app.values.amounts import decimal_text

RAW_MOST = 65_536


def tell_account(explained: AccountExplained, *, namesake: Entry | None) -> commands.Outcome:
    """Say what an account holds as of a day, from the last seal on, and where its last lines came from; and whether all of it recomputes."""
    account, book, sums = explained.account, explained.account.book, explained.sums
    told = origins.of(explained.shown_entries)
    data = explanations.as_object(explained, told, now=doorways.now())
    data["entry_of_that_name"] = namesake.pk if namesake else None
    differing = data["differing_stripes"]
    verdict = _("DIFFERS from the sum of its lines, {sum}") if differing else _("the sum of its lines ({lines})")
    asked = _asked_text(explained, _money(sums.closing, book))
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
            verdict=verdict.format(sum=_money(explained.found, book), lines=counted(sums.total_count, "line")),
        ),
        *_standing_text(data["standing"], book),
        *([asked] if asked else []),
        *_sums_text(explained, book),
        *[_lot_text(lot, book) for lot in data["open_lots"]],
        *[_movement_text(movement, told[movement.entry_id], book) for movement in reversed(explained.movements)],
        *([_("What the sealed balance was made of, the latest first")] if explained.sealed else []),
        *[_movement_text(movement, told[movement.entry_id], book) for movement in reversed(explained.sealed)],
    ]
    if namesake:
        said.append(_("An entry has this reference too: explain {number}").format(number=namesake.pk))
    return _outcome(data, said, list(explained.complaints))


def tell_entry(explained: EntryExplained) -> commands.Outcome:
    """Describe an entry: its content, who posted it and when, what reverses it, and the bytes of the file that it came from."""
    entry, posting, book = explained.entry, explained.entry.posting, explained.entry.book
    told = origins.of([entry.pk], whole=True)[entry.pk]
    lots = shown_lots.of_entry(entry, ENTRY_LINES_SHOWN)
    complaints: list[LedgerError] = [*explained.complaints, *told.complaints]
    said = [
        _("Entry {number}, book {book}: {reference}, dated {date}").format(
            number=entry.pk, book=book.code, reference=entry.reference, date=entry.effective_on
        ),
        *([entry.description] if entry.description else []),
        *[f"  {_money(amount, book):>24}  {code}" for code, amount, _after in explained.lines],
        *([_more_text(explained)] if explained.after else []),
        *[f"  {lot}" for lot in lots],
        _("Posted by {user} at {at}: {origin} {number}{reason}").format(
            user=posting.posted_by.username,
            at=instants.text(posting.posted_at, book.time_zone),
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
    if explained.replaces is not None:
        said.append(_("Has the reference of entry {number}, which was reversed").format(number=explained.replaces))
    if explained.replaced_by is not None:
        said.append(_("Entry {number} has the reference now").format(number=explained.replaced_by))
    by_batch = lines.reversing_batch(entry) if explained.reversed_by else None
    if by_batch is not None and (reversal := lines.find_batch(by_batch)) is not None:
        said += batch_lines(reversal)
    said += told.lines
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
        "line_count": explained.line_count,
        "debits": explained.debit,
        "lots": [asdict(lot) for lot in lots],
        "posted_by": posting.posted_by.username,
        "posted_at": instants.stamp(posting.posted_at),
        "reason": posting.reason,
        "digest": bytes(entry.digest).hex(),
        "digest_holds": explained.digest_holds,
        "reverses": entry.reverses.reference if entry.reverses else "",
        "reversed_by": explained.reversed_by,
        "reversed_by_batch": by_batch,
        "turn": entry.turn,
        "replaces_entry": explained.replaces,
        "replaced_by_entry": explained.replaced_by,
        "origin": {"kind": posting.origin_kind, "number": posting.origin_id, **told.facts},
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
        status = str(look.APPEARANCES[state_of_record(record, batch)].word)
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
        "batch": batch_facts(batch),
        **place,
        "type": type_,
        "status": record.status if record else None,
        "key": record.key if record else None,
        "member": str(record.holder) if record and record.holder else None,
        "values": lines.typed(batch.source_version, record),
        "chunk": record.chunk.number if record and record.chunk else None,
        "chunk_state": record.chunk.state if record and record.chunk else None,
        "findings": findings,
        "entries": [{"book": entry.book.code, "entry": entry.pk, "reference": entry.reference} for entry in explained.entries],
    }
    said = [
        *batch_lines(batch),
        *place_lines(batch, place),
        _("Type: {type}; {status}").format(type=type_ or _("unknown"), status=status),
        *[escaped(f"  {name} = {value}") for name, value in explained.values.items()],
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


def _more_text(explained: EntryExplained) -> str:
    """Say that an entry has more lines than are shown, and where they are."""
    return "  " + _("… and more ({lines}); all are given a page at a time by GET /api/v1/entries/{number}/lines/").format(
        lines=counted(explained.line_count - len(explained.lines), "line"), number=explained.entry.pk
    )


def _money(amount: int | None, book: Book) -> str:
    return "–" if amount is None else f"{decimal_text(amount, book.exponent)} {book.unit}"


def _asked_text(explained: AccountExplained, balance: str) -> str:
    if explained.at is None and explained.known_at is None:
        return ""
    if explained.known_at is None:
        return _("As of {at}: {balance}").format(at=explained.at, balance=balance)
    known_at = instants.text(explained.known_at, explained.account.book.time_zone)
    if explained.at is None:
        return _("As known at {known_at}: {balance}").format(known_at=known_at, balance=balance)
    return _("As of {at}, as known at {known_at}: {balance}").format(at=explained.at, known_at=known_at, balance=balance)


def _sums_text(explained: AccountExplained, book: Book) -> list[str]:
    """Say what the balance is the sum of, to the last unit."""
    sums, seal = explained.sums, explained.seal
    holds = {True: _("it recomputes"), False: _("it does NOT recompute"), None: _("not recomputed here")}[explained.seal_holds]
    sealed = (
        _("no period is sealed")
        if seal is None
        else _("seal {number}, period {period}, {digest}; {holds}").format(
            number=seal.number, period=seal.period.name, digest=bytes(seal.digest).hex()[:12], holds=holds
        )
    )
    rows = [(_("Sealed balance"), sums.opening, sealed)]
    # They are not counted where that would read them all.
    rows.append((_("Since then"), sums.moved, "–" if sums.line_count is None else counted(sums.line_count, "line")))
    if sums.dated_later_count:
        rows.append((_("Dated later"), sums.dated_later, counted(sums.dated_later_count, "line")))
    if sums.posted_later_count:
        rows.append((_("Posted later"), sums.posted_later, counted(sums.posted_later_count, "line")))
    return [f"  {_money(amount, book):>20}  {label}: {note}" for label, amount, note in rows]


def _standing_text(standing: dict[str, int | None], book: Book) -> list[str]:
    """Say what of the balance of now can be spent, and what cannot; nothing where nothing bounds it."""
    if standing["spendable"] is None:
        return []
    text = _(
        "Can be spent: {spendable}; held: {held}; was due and is not expired yet: {overdue}; granted from a later day: {upcoming}"
    )
    return [text.format(**{name: _money(amount or 0, book) for name, amount in standing.items()})]


def _lot_text(lot: dict[str, Any], book: Book) -> str:
    """Say what is left of a lot now. A deficit is owed: what is left of it is below zero."""
    return "  " + _(
        "Lot #{lot} of {reference}, granted on {granted}, last day {last}: {remaining} of {amount} left, {held} held"
    ).format(
        lot=lot["lot"],
        reference=lot["granted_by"],
        granted=lot["granted_on"],
        last=lot["due_on"] or _("never"),
        remaining=_money(lot["remaining"], book),
        amount=_money(lot["amount"], book),
        held=_money(lot["held"], book),
    )


def _movement_text(movement: Movement, told: Provenance, book: Book) -> str:
    mark = "  " + _("[prior period, of {date}]").format(date=movement.reverses_on) if movement.is_prior_period else ""
    amounts = f"{_money(movement.amount, book):>20} {_money(movement.running, book):>20}"
    return f"  {movement.effective_on}  {amounts}  {movement.reference}  ← {told.sentence}{mark}"


def _place(batch: Batch, number: int, record: Record | None, complaints: list[LedgerError]) -> dict[str, Any]:
    """Return where a line is and its bytes; add to ``complaints`` where the stored bytes are gone or not those that came in.

    :raises Refused: not_found, where the file has no such line
    """
    place: dict[str, Any] = {"line": number, "offset": None, "length": None, "raw": None, "raw_hex": None}
    if record is not None:
        place |= {"offset": record.offset, "length": record.length}
    sha256 = bytes(batch.file.sha256)
    path = filing.path_of(Path(settings.KAKUTEI_FILES_DIR), sha256)
    at: tuple[int, bytes] | None
    try:
        found = filing.digest_of(path)
        if found != sha256:
            complaints.append(errors.FileDamaged(found=found.hex(), sha256=sha256.hex()))
            return place
        if record:
            at = record.offset, filing.piece(path, record.offset, record.length)
        elif (size := lines.bytes_of_lines(batch)) is not None:
            raw = filing.piece(path, (number - 1) * size, size)
            at = ((number - 1) * size, raw) if raw else None
        elif lines.ends_otherwise(batch):
            with path.open("rb") as stream:
                at = lines.find_read_line(batch, stream, number, RAW_MOST)
        else:
            at = filing.find_line(path, number, RAW_MOST)
    except FileNotFoundError:
        complaints.append(missing(batch))
        return place
    if at is None:
        raise Refused([NotFound(what=phrase(_("line of batch {batch}"), batch=batch.pk), name=number)])
    offset, raw = at
    return place | {"offset": offset, "length": len(raw), "raw": decoded(raw, batch), "raw_hex": raw.hex()}
