"""What batches are made of, in the admin: findings, records, chunks."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.model_admin import ReadOnlyAdmin, url_of
from ingestion_app.checks.rules import RULES
from ingestion_app.models import Chunk, Finding, Record
from ledger_app.templatetags import look


def sentence_of(finding: Finding) -> str:
    """Say what was seen, in the active language."""
    return str(RULES[finding.rule].sentence).format(**finding.facts)


def place_of(finding: Finding) -> str:
    """Say where: line, field and byte."""
    if not finding.line:
        return str(_("the whole file"))
    field = str(_(", field {column}")).format(column=finding.column) if finding.column else ""
    return str(_("line {line}{field}, byte {offset}")).format(
        line=look.count_text(finding.line), field=field, offset=look.count_text(finding.offset)
    )


class OfBatch(ReadOnlyAdmin):
    """Rows of a batch."""

    list_select_related: ClassVar[tuple[str, ...]] = ("batch__source",)

    @admin.display(description=_("batch"))
    def of_batch(self, row: Any) -> SafeString:
        """The batch, as a link."""
        return format_html('<a href="{}">{}</a>', url_of(row.batch), row.batch)


@admin.register(Finding)
class FindingAdmin(OfBatch):
    """What validation saw."""

    list_display = ("shown_severity", "sentence", "of_batch", "place", "rule")
    list_filter = ("severity", "rule")
    list_display_links = ("sentence",)
    fields = ("shown_severity", "rule", "sentence", "remedy", "of_batch", "place", "bytes_seen")
    readonly_fields = fields

    @admin.display(description=_("severity"))
    def shown_severity(self, row: Finding) -> SafeString:
        """Error, warning or note."""
        return look.state_pill(row.severity)

    @admin.display(description=_("what was seen"))
    def sentence(self, row: Finding) -> str:
        """What was seen."""
        return sentence_of(row)

    @admin.display(description=_("what would make it pass"))
    def remedy(self, row: Finding) -> str:
        """What would make it pass."""
        return str(RULES[row.rule].remedy).format(**row.facts)

    @admin.display(description=_("where"))
    def place(self, row: Finding) -> str:
        """Line, field and byte."""
        return place_of(row)

    @admin.display(description=_("bytes"))
    def bytes_seen(self, row: Finding) -> str:
        """The line's first bytes, those that are no printable ASCII as escapes."""
        return ascii(bytes(row.raw))[2:-1] or "–"


@admin.register(Record)
class RecordAdmin(OfBatch):
    """The records of files."""

    list_display = ("line", "of_batch", "shown_status", "key", "shown_amount", "shown_chunk")
    list_filter = ("status",)
    search_fields = ("batch__id__exact",)
    search_help_text = _("The number of a batch")
    list_select_related = ("batch__source", "chunk")
    list_display_links = ("line",)
    fields = ("of_batch", "line", "shown_status", "key", "holder", "shown_amount", "values", "offset", "length", "shown_chunk")
    readonly_fields = fields

    @admin.display(description=_("status"))
    def shown_status(self, row: Record) -> SafeString:
        """To apply, without effect, or set aside."""
        return look.state_pill(row.status)

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Record) -> SafeString:
        """The amount in minor units."""
        return look.count_cell(row.amount)

    @admin.display(description=_("chunk"))
    def shown_chunk(self, row: Record) -> Any:
        """The chunk's number within its batch."""
        return row.chunk.number if row.chunk else "–"


@admin.register(Chunk)
class ChunkAdmin(OfBatch):
    """The chunks of plans."""

    list_display = ("number", "of_batch", "shown_state", "shown_records", "shown_at", "why")
    list_filter = ("state",)
    search_fields = ("batch__id__exact",)
    search_help_text = _("The number of a batch")
    fields = ("of_batch", "number", "shown_state", "shown_records", "record_sum", "totals", "shown_at", "why")
    readonly_fields = fields

    @admin.display(description=_("state"))
    def shown_state(self, row: Chunk) -> SafeString:
        """Waiting, stopped or applied."""
        return look.state_pill(row.state)

    @admin.display(description=_("records"))
    def shown_records(self, row: Chunk) -> SafeString:
        """How many records."""
        return look.count_cell(row.record_count)

    @admin.display(description=_("applied at"))
    def shown_at(self, row: Chunk) -> SafeString:
        """When it was applied, in UTC."""
        return look.instant_cell(row.applied_at)

    @admin.display(description=_("why it stopped"))
    def why(self, row: Chunk) -> str:
        """The first reasons."""
        return " ".join(str(reason["sentence"]) for reason in row.reasons[:3])
