"""Books and seals in the admin."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.model_admin import HistoryAdmin, ReadOnlyAdmin
from ledger_app.models import Book, Seal
from ledger_app.templatetags import look


@admin.register(Book)
class BookAdmin(HistoryAdmin):
    """The books: one unit each, and the zone that says what a date is."""

    list_display = ("code", "name", "unit", "exponent", "time_zone")
    ordering = ("code",)


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The evidence of each freeze."""

    list_display = ("period", "number", "shown_digest", "shown_entries", "shown_debits", "sealed_by", "shown_at")
    list_filter = ("book",)
    list_select_related = ("period__book", "book", "sealed_by")
    fields = (
        "period",
        "number",
        "previous",
        "shown_digest",
        "form",
        "entry_count",
        "line_count",
        "shown_debits",
        "controls",
        "code_version",
        "sealed_by",
        "shown_at",
    )
    readonly_fields = fields

    @admin.display(description=_("digest"))
    def shown_digest(self, row: Seal) -> SafeString:
        """The digest, shortened, whole on a click."""
        return look.digest_cell(bytes(row.digest))

    @admin.display(description=_("entries"))
    def shown_entries(self, row: Seal) -> SafeString:
        """How many entries."""
        return look.count_cell(row.entry_count)

    @admin.display(description=_("sum of debits"))
    def shown_debits(self, row: Seal) -> SafeString:
        """The sum of debits in the book's unit."""
        return look.amount_cell(row.debit_total, row.book)

    @admin.display(description=_("sealed at"))
    def shown_at(self, row: Seal) -> SafeString:
        """When, in the book's zone."""
        return look.instant_cell(row.sealed_at, row.book)
