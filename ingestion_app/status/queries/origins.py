"""Tells the ledger where the entries of chunks came from: the batch, the line of its file, and the bytes of that line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from ingestion_app import errors
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.status.queries import explain as lines
from ledger_app.errors import LedgerError
from ledger_app.errors.printable import escaped
from ledger_app.posting.queries.origins import Came, Describe, Fact, Provenance
from ledger_app.values import instants


class Read(NamedTuple):
    """The stored bytes of a line, and what is wrong with the file they are in. ``raw`` is None where they cannot be had."""

    raw: bytes | None
    complaints: tuple[LedgerError, ...] = ()


# Reads a record's bytes; where the last argument is true, after holding the whole file against its digest.
Reader = Callable[[Batch, Record, bool], Read]


def describer(read: Reader) -> Describe:
    """Return the function that tells of the entries of chunks, given what reads bytes from where they are kept."""

    def describe(entries: Sequence[Came], whole: bool) -> Mapping[int, Provenance]:  # noqa: FBT001 - as the ledger calls it
        chunks = _chunks(entries)
        records = lines.records_of((came.origin_id, came.reference) for came in entries)
        found: dict[int, Provenance] = {}
        for came in entries:
            if (chunk := chunks.get(came.origin_id)) is not None:
                record = records.get((came.origin_id, came.reference))
                found[came.entry_id] = _told(came, chunk.batch, record, read, whole=whole)
        return found

    return describe


def sources(chunks: Sequence[int]) -> Mapping[int, str]:
    """Return the code of the source that each of these chunks is the work of; a reversal is that of the source of what it reverses."""
    return dict(Chunk.objects.filter(id__in=chunks).values_list("id", "batch__source__code"))


def batch_facts(batch: Batch) -> dict[str, Any]:
    """Return what is said of a batch, ready for JSON. A reversal has no file of its own."""
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
        "received_at": instants.stamp(batch.receipt.received_at) if batch.receipt else None,
        "approved_by": batch.approved_by.username if batch.approved_by else "",
    }


def batch_lines(batch: Batch) -> list[str]:
    """Return what is said of a batch, in lines for people."""
    told = batch_facts(batch)
    first = _("Batch {number} ({batch}): {state}").format(number=batch.pk, batch=batch, state=batch.get_state_display())
    approver = told["approved_by"] or _("nobody")
    if batch.receipt is None:
        by = _("Reverses batch {original}; proposed by {user}; approved by {approver}")
        return [first, by.format(original=batch.reverses_id, user=told["received_by"], approver=approver)]
    return [
        first,
        _("File {name}, SHA-256 {sha256}").format(name=escaped(told["file_name"]), sha256=told["sha256"]),
        _("Received by {user} at {at}; approved by {approver}").format(
            user=told["received_by"], at=instants.text(batch.receipt.received_at), approver=approver
        ),
    ]


def place_lines(batch: Batch, place: Mapping[str, Any]) -> list[str]:
    """Return where a line is and what it says, in lines for people."""
    where = _("Line {line}, bytes {offset} to {end}").format(
        line=place["line"], offset=place["offset"], end=(place["offset"] or 0) + (place["length"] or 0)
    )
    if place["raw_hex"] is None:
        return [where]
    if place["raw"] is not None:
        return [where, f"  {escaped(place['raw'])}"]
    return [where, "  " + _("not {encoding}: {hex}").format(encoding=lines.encoding_of(batch), hex=place["raw_hex"])]


def decoded(raw: bytes, batch: Batch) -> str | None:
    """Return the bytes as text, or None where they are none in the source's encoding: nothing is replaced."""
    try:
        return raw.decode(lines.encoding_of(batch))
    except UnicodeDecodeError:
        return None


def missing(batch: Batch) -> errors.FileMissing:
    """Return what is said where a batch's bytes are gone."""
    return errors.FileMissing(sha256=bytes(batch.file.sha256).hex())


def _chunks(entries: Iterable[Came]) -> dict[int, Chunk]:
    related = ("source", "source_version", "file", "receipt", "received_by", "approved_by", "reverses__source")
    rows = Chunk.objects.filter(id__in={came.origin_id for came in entries})
    return {chunk.pk: chunk for chunk in rows.select_related(*(f"batch__{name}" for name in related))}


def _told(came: Came, batch: Batch, record: Record | None, read: Reader, *, whole: bool) -> Provenance:
    said = batch_facts(batch)
    of_batch = ("ingestion_app.batch", batch.pk)
    shown = [
        Fact(_("Batch"), str(batch), of_batch),
        *([Fact(_("File"), escaped(batch.receipt.name), ("ingestion_app.receipt", batch.receipt.pk))] if batch.receipt else []),
        *([Fact(_("Reverses"), str(batch.reverses), ("ingestion_app.batch", batch.reverses.pk))] if batch.reverses else []),
        Fact("SHA-256", bytes(batch.file.sha256), is_digest=True),
        Fact(_("Approved by"), said["approved_by"] or "–"),
    ]
    if record is None:
        sentence = _("batch {number}").format(number=batch.pk)
        if batch.reverses_id is not None:
            sentence = _("Batch {number}, which reverses batch {original}").format(number=batch.pk, original=batch.reverses_id)
        facts: dict[str, Any] = {"batch": said} if whole else {"batch": batch.pk, "line": None}
        return Provenance(came.kind, sentence, facts, shown, batch_lines(batch), of_batch)
    found = read(batch, record, whole)
    text = decoded(found.raw, batch) if found.raw is not None else None
    place = {
        "line": record.line,
        "offset": record.offset,
        "length": record.length if found.raw is None else len(found.raw),
        "raw": text,
        "raw_hex": found.raw.hex() if found.raw is not None else None,
    }
    shown.insert(1, Fact(_("Line"), f"{record.line:,}", ("ingestion_app.record", record.pk)))
    shown += [Fact(_("Bytes of the line"), escaped(text) if text is not None else place["raw_hex"] or "–", is_raw=True)]
    shown += [Fact(_("Differs"), each.sentence) for each in found.complaints]
    return Provenance(
        kind=came.kind,
        sentence=_("Batch {number}, line {line} of {file}").format(
            number=batch.pk, line=record.line, file=escaped(said["file_name"] or "")
        ),
        facts={"batch": said, **place}
        if whole
        else {"batch": batch.pk, **place, "file_name": said["file_name"], "sha256": said["sha256"]},
        shown=shown,
        lines=[*batch_lines(batch), *place_lines(batch, place)],
        target=("ingestion_app.record", record.pk),
        complaints=found.complaints,
    )
