"""Sources and receipts in the admin."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.model_admin import HistoryAdmin, ReadOnlyAdmin
from ingestion_app.models import Receipt, Source, SourceVersion
from ledger_app.templatetags import look


@admin.register(Source)
class SourceAdmin(HistoryAdmin):
    """Who sends files."""

    list_display = ("code", "name", "newest_version")
    fields = ("code", "name", "newest_version", "definition")
    readonly_fields = fields
    ordering = ("code",)

    @admin.display(description=_("version"))
    def newest_version(self, row: Source) -> Any:
        """The number of the newest version."""
        newest = row.versions.order_by("-number").first()
        return newest.number if newest else "–"

    @admin.display(description=_("definition"))
    def definition(self, row: Source) -> str:
        """The newest definition, to the letter."""
        newest = row.versions.order_by("-number").first()
        return newest.text if newest else "–"


@admin.register(SourceVersion)
class SourceVersionAdmin(ReadOnlyAdmin):
    """Each version that was ever loaded."""

    list_display = ("__str__", "loaded_by", "shown_at")
    list_select_related = ("source", "loaded_by")
    fields = ("source", "number", "text", "shown_digest", "loaded_by", "shown_at")
    readonly_fields = fields

    @admin.display(description=_("loaded at"), ordering="id")
    def shown_at(self, row: SourceVersion) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.loaded_at)

    @admin.display(description=_("digest"))
    def shown_digest(self, row: SourceVersion) -> SafeString:
        """The digest of the text."""
        return look.digest_cell(bytes(row.digest))


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Each arrival: accepted, duplicate, conflict, refused."""

    list_display = ("name", "source", "shown_slot", "shown_outcome", "shown_bytes", "shown_sha256", "received_by", "shown_at")
    list_filter = ("outcome", "source")
    list_select_related = ("source", "file", "received_by", "first")
    search_fields = ("name__startswith",)
    search_help_text = _("The beginning of a file name")
    fields = (
        "name",
        "source",
        "shown_slot",
        "shown_outcome",
        "first",
        "shown_bytes",
        "shown_sha256",
        "received_by",
        "shown_at",
        "door",
        "host",
    )
    readonly_fields = fields

    @admin.display(description=_("for"))
    def shown_slot(self, row: Receipt) -> str:
        """Business date and sequence."""
        return f"{look.day_text(row.business_date)} · {row.sequence}" if row.business_date else "–"

    @admin.display(description=_("outcome"))
    def shown_outcome(self, row: Receipt) -> SafeString:
        """What became of the arrival."""
        return look.state_pill(row.outcome)

    @admin.display(description=_("bytes"))
    def shown_bytes(self, row: Receipt) -> SafeString:
        """The size of the file."""
        return look.count_cell(row.file.size)

    @admin.display(description="SHA-256")
    def shown_sha256(self, row: Receipt) -> SafeString:
        """The digest of the bytes."""
        return look.digest_cell(bytes(row.file.sha256))

    @admin.display(description=_("received at"), ordering="id")
    def shown_at(self, row: Receipt) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.received_at)
