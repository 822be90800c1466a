"""What batches are made of, in the admin: findings, records, chunks."""

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to, list_url
from config.doors.admin.sheets import Column, Facts, Part, Sheet, Table, Text
from ingestion_app.admin.filters import BatchFilter, RuleFilter, SeverityFilter, chosen_batch
from ingestion_app.admin.units import UnitChangeList, unit_of
from ingestion_app.batches.queries.outcomes import state_of_chunk, state_of_record
from ingestion_app.checks.rules import RULES
from ingestion_app.models import Batch, Chunk, Finding, Record
from ingestion_app.status.queries import explain
from ledger_app.base.operations import filing
from ledger_app.members.queries import members
from ledger_app.models import Book
from ledger_app.templatetags import look

LINE_SHOWN = 4096  # bytes of a record's line


def sentence_of(finding: Finding) -> str:
    """Say what was seen, in the active language."""
    return RULES[finding.rule].seen_text(finding.facts)


def location_of(finding: Finding) -> str:
    """Say where: line, field and byte."""
    if not finding.line:
        return str(_("the whole file"))
    field = str(_(", field {column}")).format(column=finding.column) if finding.column else ""
    return str(_("line {line}{field}, byte {offset}")).format(
        line=look.count_text(finding.line), field=field, offset=look.count_text(finding.offset)
    )


class OfBatch(ReadOnlyAdmin):
    """Rows of a batch. A list that is narrowed to one batch leads back to it."""

    list_select_related: ClassVar[tuple[str, ...]] = ("batch__source", "batch__source_version")
    change_list_template = "ingestion_app/of_batch_list.html"

    @admin.display(description=_("batch"))
    def of_batch(self, row: Any) -> SafeString | str:
        """The batch, as a link."""
        return format_html('<span class="nowrap">{}</span>', link_to(row.batch))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns; in the list of one batch the batch needs none."""
        hidden = "of_batch" if BatchFilter.parameter_name in request.GET else ""
        return [column for column in super().get_list_display(request) if column != hidden]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say which batch the list is narrowed to."""
        return super().changelist_view(request, {"of_batch": chosen_batch(request), **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UnitChangeList]:
        """Return the list that brings the unit of the amounts with each row."""
        del request, kwargs
        return UnitChangeList


@admin.register(Finding)
class FindingAdmin(OfBatch):
    """What validation saw."""

    list_display = ("shown_severity", "sentence", "of_batch", "place", "rule")
    list_filter = (BatchFilter, SeverityFilter, RuleFilter)
    change_list_template = "ingestion_app/finding_list.html"
    list_display_links = ("sentence",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say of the batch that is asked for how many findings there were, where not all of them are kept."""
        batch = chosen_batch(request)
        total = sum(batch.finding_counts.values()) if batch else 0
        kept = Finding.objects.filter(batch=batch).count() if batch else 0
        beyond = {"total": total, "kept": kept} if kept < total else None
        return super().changelist_view(request, {"beyond": beyond, **(extra_context or {})})

    @admin.display(description=_("severity"))
    def shown_severity(self, row: Finding) -> SafeString:
        """Error, warning or note."""
        return look.state_pill(row.severity)

    @admin.display(description=_("what was seen"))
    def sentence(self, row: Finding) -> str:
        """What was seen."""
        return sentence_of(row)

    @admin.display(description=_("where"))
    def place(self, row: Finding) -> SafeString:
        """Line, field and byte."""
        return format_html('<span class="nowrap">{}</span>', location_of(row))

    def name_of(self, row: Finding) -> str:
        """Return the rule and the line."""
        return f"{row.rule} · {row.line}" if row.line else row.rule

    def sheet(self, request: HttpRequest, row: Finding) -> Sheet:
        """Return what was seen, what would make it pass, where, and the bytes."""
        del request
        rule = RULES[row.rule]
        record = Record.objects.filter(batch=row.batch_id, line=row.line).first() if row.line else None
        main: list[Part] = [
            Facts(
                _("What was seen"),
                [
                    (_("Severity"), look.state_pill(row.severity)),
                    (_("Seen"), sentence_of(row)),
                    (_("What would make it pass"), rule.remedy_text(row.facts)),
                    (_("Where"), location_of(row)),
                ],
            )
        ]
        if bytes(row.raw):
            main.append(Text(_("The line’s bytes"), visible(bytes(row.raw)), _("all but printable ASCII as escapes")))
        facts = [
            (_("Batch"), link_to(row.batch)),
            (_("Rule"), format_html("<code>{}</code>", row.rule)),
            (_("Record"), link_to(record, look.count_text(record.line)) if record else NOTHING),
            (_("Of this rule"), _findings_link(row.batch, row.rule)),
        ]
        return Sheet(
            title=gettext("Finding {rule}").format(rule=row.rule),
            subtitle=str(row.batch),
            main=main,
            side=[Facts(_("The finding"), facts)],
        )


def _findings_link(batch: Batch, rule: str) -> SafeString:
    """Return the link to the findings of a rule that are kept; of many the first are."""
    count, kept = batch.finding_counts.get(rule, 0), Finding.objects.filter(batch=batch, rule=rule).count()
    text = gettext("all {count} ›") if kept == count else gettext("{kept} of {count} are kept ›")
    return format_html(
        '<a href="{}">{}</a>',
        list_url(Finding, f"batch__id__exact={batch.pk}&rule={rule}"),
        text.format(count=look.count_text(count), kept=look.count_text(kept)),
    )


def visible(raw: bytes) -> str:
    """Return bytes as text in which only printable ASCII stands for itself."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != ord("\\") else ascii(bytes([byte]))[2:-1] for byte in raw)


@admin.register(Record)
class RecordAdmin(OfBatch):
    """The records of files."""

    list_display = ("shown_line", "of_batch", "shown_status", "key", "shown_amount", "shown_chunk")
    list_filter = (BatchFilter, "status")
    list_select_related = ("batch__source", "batch__source_version", "chunk")
    list_display_links = ("shown_line",)

    @admin.display(description=_("line"), ordering="id")
    def shown_line(self, row: Record) -> str:
        """The line within the file."""
        return look.count_text(row.line)

    @admin.display(description=_("status"))
    def shown_status(self, row: Record) -> SafeString:
        """What became of it: applied, still to apply, stopped, without effect, or set aside."""
        return look.state_pill(state_of_record(row, row.batch))

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Any) -> SafeString:
        """The amount in the unit of the file."""
        return look.amount_cell(row.amount, row.unit)

    @admin.display(description=_("chunk"))
    def shown_chunk(self, row: Record) -> SafeString | str:
        """The chunk's number within its batch."""
        return link_to(row.chunk, row.chunk.number) if row.chunk else NOTHING

    def name_of(self, row: Record) -> str:
        """Return batch and line."""
        return f"{row.batch} · {look.count_text(row.line)}"

    def sheet(self, request: HttpRequest, row: Record) -> Sheet:
        """Return the line as it arrived, the values read from it, its findings, and the entries that it became."""
        del request
        batch = Batch.objects.select_related("source", "source_version", "file").get(pk=row.batch_id)
        told = explain.line(batch, row.line)
        values = [(name, NOTHING if value is None else value) for name, value in told.values.items()]
        findings = Finding.objects.filter(batch=batch, line=row.line).order_by("column", "id")
        return Sheet(
            title=gettext("Line {line}").format(line=look.count_text(row.line)),
            state=state_of_record(row, batch),
            subtitle=str(batch),
            main=[
                _line_of_file(batch, row),
                Table(_("What was read"), (Column(_("column")), Column(_("value"))), values, _("Nothing could be read.")),
                Table(
                    _("Findings"),
                    (Column(_("severity")), Column(_("what was seen")), Column(_("rule"))),
                    [(look.state_pill(each.severity), link_to(each, sentence_of(each)), each.rule) for each in findings],
                    _("Validation found nothing to say about this line."),
                ),
                Table(
                    _("Entries that came of it"),
                    (Column(_("book")), Column(_("entry")), Column(_("date"))),
                    [(each.book.code, link_to(each), look.day_text(each.effective_on)) for each in told.entries],
                    _("None."),
                ),
            ],
            side=[Facts(_("The record"), _record_facts(batch, row))],
        )


def _record_facts(batch: Batch, row: Record) -> list[tuple[Any, Any]]:
    numbers = members.numbers_own_first().filter(holder=row.holder_id) if row.holder_id else None
    number = numbers.values_list("value", flat=True).first() if numbers is not None else None
    return [
        (_("Batch"), link_to(batch)),
        (_("Key"), row.key or NOTHING),
        (_("Member"), link_to(row.holder, number or None) if row.holder_id else NOTHING),
        (_("Amount"), look.amount_cell(row.amount, unit_of(batch.source_version)) if row.amount is not None else NOTHING),
        (_("Chunk"), link_to(row.chunk, row.chunk.number) if row.chunk else NOTHING),
        (_("From byte"), look.count_cell(row.offset)),
        (_("Bytes"), look.count_cell(row.length)),
    ]


def _line_of_file(batch: Batch, row: Record) -> Text:
    """Return the line's bytes, read from the file as it is kept now."""
    path = filing.path_of(Path(settings.KAKUTEI_FILES_DIR), bytes(batch.file.sha256))
    try:
        raw = filing.piece(path, row.offset, min(row.length, LINE_SHOWN))
    except OSError:
        return Text(_("The line’s bytes"), gettext("The stored bytes of this file cannot be read."))
    note = _("all but printable ASCII as escapes") if row.length <= LINE_SHOWN else _("the first of them")
    return Text(_("The line’s bytes"), visible(raw), note)


@admin.register(Chunk)
class ChunkAdmin(OfBatch):
    """The chunks of plans."""

    list_display = ("number", "of_batch", "shown_state", "shown_records", "shown_sum", "shown_at", "why")
    list_filter = (BatchFilter, "state")
    list_display_links = ("number",)

    @admin.display(description=_("state"))
    def shown_state(self, row: Chunk) -> SafeString:
        """Waiting, stopped or applied; never applied, or undone, where its batch has ended so."""
        return look.state_pill(state_of_chunk(row, row.batch))

    @admin.display(description=_("records"))
    def shown_records(self, row: Chunk) -> SafeString:
        """How many records."""
        return look.count_cell(row.record_count)

    @admin.display(description=_("sum of records"))
    def shown_sum(self, row: Any) -> SafeString:
        """The sum of the records' amounts."""
        return look.amount_cell(row.record_sum, row.unit)

    @admin.display(description=_("applied at"))
    def shown_at(self, row: Chunk) -> SafeString:
        """When it was applied, in UTC."""
        return look.instant_cell(row.applied_at)

    @admin.display(description=_("why it stopped"))
    def why(self, row: Chunk) -> str:
        """The first reasons."""
        return " ".join(str(reason["sentence"]) for reason in row.reasons[:3])

    def name_of(self, row: Chunk) -> str:
        """Return batch and number."""
        return f"{row.batch} · {row.number}"

    def sheet(self, request: HttpRequest, row: Chunk) -> Sheet:
        """Return what the plan expects of a chunk, and what became of it."""
        del request
        books = Book.objects.in_bulk(list(row.totals), field_name="code")
        planned = [
            (book, look.count_text(totals[0]), look.count_text(totals[1]), look.amount_cell(totals[2], books[book]))
            for book, totals in sorted(row.totals.items())
        ]
        figures = [Column(each, is_figure=True) for each in (_("entries"), _("lines"), _("amount"))]
        main: list[Part] = [Table(_("What the plan expects"), (Column(_("book")), *figures), planned, _("Nothing."))]
        if row.reasons:
            reasons = [(each["sentence"], format_html("<code>{}</code>", each["code"])) for each in row.reasons]
            main.append(Table(_("Why it stopped"), (Column(_("reason")), Column(_("code"))), reasons, empty=""))
        facts = [
            (_("Batch"), link_to(row.batch)),
            (_("Number"), row.number),
            (_("Records"), look.count_cell(row.record_count)),
            (_("Sum of records"), look.amount_cell(row.record_sum, unit_of(row.batch.source_version))),
            (_("Digest of its records"), look.digest_cell(bytes(row.records_digest) if row.records_digest else None) or NOTHING),
            (_("Applied at"), look.instant_cell(row.applied_at) or NOTHING),
            (_("Attempt"), f"{row.attempt.get_step_display()} {row.attempt.number}" if row.attempt else NOTHING),
            *_hands_of(row),
        ]
        return Sheet(
            title=gettext("Chunk {number}").format(number=row.number),
            state=state_of_chunk(row, row.batch),
            subtitle=str(row.batch),
            main=main,
            side=[Facts(_("The chunk"), facts)],
        )


def _hands_of(row: Chunk) -> list[tuple[Any, Any]]:
    """Return which chunk it undoes, and who took it last and until when it is theirs."""
    found: list[tuple[Any, Any]] = (
        [(_("Undoes"), link_to(row.undoes, f"{row.undoes.batch} · {row.undoes.number}"))] if row.undoes else []
    )
    if row.leased_by and row.state != Chunk.State.APPLIED:
        found += [(_("Taken by"), row.leased_by), (_("Theirs until"), look.instant_cell(row.lease_until) or NOTHING)]
    return found
