"""Sources and receipts in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import telling
from config.doors.admin.model_admin import NOTHING, HistoryAdmin, ReadOnlyAdmin, link_to
from config.doors.admin.sheets import Column, Facts, Sheet, Table, Text
from ingestion_app.models import Batch, Receipt, Source, SourceVersion
from ingestion_app.receiving.operations import receiving
from ledger_app.errors.printable import escaped
from ledger_app.templatetags import look

REPEATS_SHOWN = 50
BATCHES_SHOWN = 20


@admin.register(Source)
class SourceAdmin(HistoryAdmin):
    """Who sends files."""

    list_display = ("code", "name", "newest_version")
    ordering = ("code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the number of the newest version with each row."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(newest=Max("versions__number"))
        return rows

    @admin.display(description=_("version"))
    def newest_version(self, row: Any) -> Any:
        """The number of the newest version."""
        return row.newest or NOTHING

    def sheet(self, request: HttpRequest, row: Source) -> Sheet:
        """Return the newest definition to the letter, all versions, and the last batches."""
        del request
        versions = list(row.versions.select_related("loaded_by").order_by("-number"))
        shown = [
            (
                link_to(each, f"v{each.number}"),
                look.digest_cell(bytes(each.digest)),
                each.loaded_by.username,
                look.instant_cell(each.loaded_at),
            )
            for each in versions
        ]
        newest = Text(_("Newest definition"), versions[0].text, f"v{versions[0].number}") if versions else None
        batches = [
            (link_to(each, f"{each.business_date} · {each.sequence}"), look.state_pill(each.state))
            for each in Batch.objects.filter(source=row).order_by("-business_date", "-sequence", "-id")[:BATCHES_SHOWN]
        ]
        return Sheet(
            title=row.code,
            subtitle=escaped(row.name),
            main=[
                Table(
                    _("Versions"),
                    (Column(_("version")), Column(_("digest")), Column(_("loaded by")), Column(_("loaded at"))),
                    shown,
                    _("No version has been loaded."),
                ),
                *([newest] if newest else []),
            ],
            side=[Table(_("Last batches"), (Column(_("for")), Column(_("state"))), batches, _("No file has come in yet."))],
        )


@admin.register(SourceVersion)
class SourceVersionAdmin(ReadOnlyAdmin):
    """Each version that was ever loaded."""

    list_display = ("__str__", "loaded_by", "shown_at")
    list_select_related = ("source", "loaded_by")

    @admin.display(description=_("loaded at"), ordering="id")
    def shown_at(self, row: SourceVersion) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.loaded_at)

    def sheet(self, request: HttpRequest, row: SourceVersion) -> Sheet:
        """Return the definition to the letter."""
        del request
        facts = [
            (_("Source"), link_to(row.source)),
            (_("Version"), row.number),
            (_("Digest"), look.digest_cell(bytes(row.digest))),
            (_("Loaded by"), row.loaded_by.username),
            (_("Loaded at"), look.instant_cell(row.loaded_at)),
        ]
        return Sheet(title=str(row), main=[Text(_("Definition"), row.text)], side=[Facts(_("The version"), facts)])


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Each arrival: accepted, duplicate, conflict, refused."""

    list_display = (
        "shown_name",
        "source",
        "shown_slot",
        "shown_outcome",
        "shown_bytes",
        "shown_sha256",
        "received_by",
        "shown_at",
    )
    list_filter = ("outcome", "source")
    list_select_related = ("source", "file", "received_by", "first")
    search_fields = ("name__startswith",)
    search_help_text = _("The beginning of a file name")

    @admin.display(description=_("name"))
    def shown_name(self, row: Receipt) -> str:
        """The name of the file, as its sender wrote it."""
        return escaped(row.name)

    @admin.display(description=_("for"))
    def shown_slot(self, row: Receipt) -> str:
        """Business date and sequence."""
        return f"{look.day_text(row.business_date)} · {row.sequence}" if row.business_date else NOTHING

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

    def sheet(self, request: HttpRequest, row: Receipt) -> Sheet:
        """Return what arrived, what became of it, and every other arrival of it."""
        del request
        batch = Batch.objects.filter(receipt=row.first or row).select_related("source").first()
        arrival = [
            (_("Source"), link_to(row.source)),
            (_("For"), self.shown_slot(row)),
            (_("Received by"), row.received_by.username),
            (_("Received at"), look.instant_cell(row.received_at)),
            (_("Door"), telling.door_word(row.door)),
            (_("System user"), row.os_user or NOTHING),
            (_("Host"), row.host or NOTHING),
        ]
        became = [
            (_("Outcome"), look.state_pill(row.outcome)),
            *((_("Why it was refused"), reason.sentence) for reason in receiving.refusals_of(row)),
            (_("Batch"), link_to(batch)),
            (_("State of the batch"), look.state_pill(batch.state) if batch else NOTHING),
            (_("First receipt"), link_to(row.first)),
        ]
        bytes_kept = [
            (_("Bytes"), look.count_cell(row.file.size)),
            ("SHA-256", look.digest_cell(bytes(row.file.sha256))),
            (_("Stored at"), look.instant_cell(row.file.stored_at)),
        ]
        others = [
            (link_to(each), look.state_pill(each.outcome), each.received_by.username, look.instant_cell(each.received_at))
            for each in row.repeats.select_related("received_by").order_by("id")[:REPEATS_SHOWN]
        ]
        columns = (Column(_("name")), Column(_("outcome")), Column(_("by")), Column(_("received at")))
        return Sheet(
            title=escaped(row.name),
            state=row.outcome,
            subtitle=gettext("receipt {number}").format(number=row.pk),
            main=[
                Facts(_("What became of it"), became),
                Facts(_("The bytes"), bytes_kept),
                Table(_("Later arrivals that point here"), columns, others, _("None.")),
            ],
            side=[Facts(_("The arrival"), arrival)],
        )
