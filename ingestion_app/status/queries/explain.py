"""Explains lines of files: what was read, what was found wrong, and which entries came of it; and from an entry back to its line."""

from collections.abc import Iterable
from typing import Any, BinaryIO, NamedTuple

from ingestion_app.batches.queries.records import decoder
from ingestion_app.checks.rules import Seen
from ingestion_app.formats.lines import CR, WIDE_BYTES, WIDE_MARKS
from ingestion_app.formats.postings import reference
from ingestion_app.formats.reading import format_of
from ingestion_app.models import Batch, Chunk, Finding, Record, SourceVersion
from ingestion_app.sources.queries import definitions
from ledger_app.explain.queries import explain
from ledger_app.models import Entry, Posting


class LineExplained(NamedTuple):
    """A line of a batch's file. ``record`` is None where the line became none: headers, trailers, lines that could not be read."""

    batch: Batch
    line: int
    record: Record | None
    values: dict[str, Any]  # by column
    findings: list[Seen]
    entries: list[Entry]


def find_batch(number: int) -> Batch | None:
    """Return a batch with all that explaining it names."""
    related = ("source", "source_version", "file", "receipt", "received_by", "approved_by")
    return Batch.objects.filter(pk=number).select_related(*related).first()


def line(batch: Batch, number: int) -> LineExplained:
    """Return what became of line ``number`` of a batch."""
    definition = definitions.definition_of(batch.source_version)
    record = Record.objects.filter(batch=batch, line=number).select_related("chunk", "holder").first()
    found = Finding.objects.filter(batch=batch, line=number).order_by("column", "id")
    entries: list[Entry] = []
    if record is not None and record.chunk is not None:
        codes = sorted({rule.book for rule in definition.postings})
        under = explain.entries_under(reference(batch.source.code, record.key), codes)
        # Another batch may have posted the same record before: only what this chunk posted came of this line.
        posted = set(
            Posting.objects.filter(origin_kind=Posting.Origin.CHUNK, origin_id=record.chunk.pk).values_list("id", flat=True)
        )
        entries = [entry for entry in under if entry.posting_id in posted]
    return LineExplained(
        batch=batch,
        line=number,
        record=record,
        values=_named(batch, record),
        findings=[Seen(each.rule, each.line, each.column, each.offset, bytes(each.raw), each.facts) for each in found],
        entries=entries,
    )


def kind_of(batch: Batch, raw: bytes) -> str:
    """Return which record type the bytes of a line are marked as: file header, header, data, trailer or end; empty where none."""
    layout = definitions.definition_of(batch.source_version).layout
    marked = format_of(layout).record_type(raw)
    kinds = {
        "file header": layout.file_header,
        "section header": layout.section_header,
        "header": layout.header,
        "data": layout.data,
        "trailer": layout.trailer,
        "section trailer": layout.section_trailer,
        "end": layout.end,
    }
    return next((name for name, record_type in kinds.items() if marked is not None and record_type is marked), "")


def encoding_of(batch: Batch) -> str:
    """Return the encoding that a batch's file was read in."""
    return definitions.definition_of(batch.source_version).layout.encoding


def ends_otherwise(batch: Batch) -> bool:
    """Whether it is not the byte of a line feed that ends the lines of a batch's file: a character has two, or they end with CR."""
    layout = definitions.definition_of(batch.source_version).layout
    return layout.encoding in WIDE_MARKS or layout.line_ending == CR


def find_read_line(batch: Batch, stream: BinaryIO, number: int, most: int) -> tuple[int, bytes] | None:
    """Return the offset of line ``number`` (from 1) of such a file and its bytes without the ending, at most ``most``; None past the end."""
    lines = format_of(definitions.definition_of(batch.source_version).layout)
    read_on, offset, line = lines.reads_on(stream), len(stream.read(WIDE_BYTES)) if lines.is_wide else 0, 1
    while piece := read_on(most):
        if line == number:
            return offset, piece.removesuffix(lines.ending_of(piece))
        offset += len(piece)
        line += bool(lines.ending_of(piece))
    return None


def bytes_of_lines(batch: Batch) -> int | None:
    """Return how many bytes every line of a batch's file has, where none of them has an ending; None where they end."""
    layout = definitions.definition_of(batch.source_version).layout
    return None if layout.line_ending else layout.data.bytes


def records_of(posted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Record]:
    """Return the record that each entry came from, by (chunk id, reference), in two statements."""
    wanted = set(posted)
    chunks = Chunk.objects.filter(id__in={chunk_id for chunk_id, _ in wanted}).select_related("batch__source")
    prefixes = {chunk.pk: reference(chunk.batch.source.code, "") for chunk in chunks}
    keys = {name.removeprefix(prefixes[chunk_id]) for chunk_id, name in wanted if chunk_id in prefixes}
    records = Record.objects.filter(chunk_id__in=prefixes, key__in=keys)
    return {
        (record.chunk_id, prefixes[record.chunk_id] + record.key): record for record in records if record.chunk_id is not None
    }


def reversing_batch(entry: Entry) -> int | None:
    """Return the number of the batch that reversed an entry; None where nothing did, or it was reversed by itself."""
    posting = Posting.objects.filter(entries__reverses=entry, origin_kind=Posting.Origin.CHUNK).first()
    return None if posting is None else Chunk.objects.filter(pk=posting.origin_id).values_list("batch_id", flat=True).first()


def typed(version: SourceVersion, record: Record | None) -> dict[str, Any]:
    """Return the values of a record by column, instants and dates as such: the caller writes them in its own form."""
    if record is None or record.values is None:
        return {}
    definition = definitions.definition_of(version)
    columns = definition.layout.data.columns
    return {column.name: value for column, value in zip(columns, decoder(definition)(record.values), strict=True)}


def _named(batch: Batch, record: Record | None) -> dict[str, Any]:
    if record is None or record.values is None:
        return {}
    columns = definitions.definition_of(batch.source_version).layout.data.columns
    return {column.name: value for column, value in zip(columns, record.values, strict=True)}
