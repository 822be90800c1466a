"""What was done, what was refused, and when the books were proved."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.model_admin import ReadOnlyAdmin
from ledger_app.models import AuditRow, Verification
from ledger_app.templatetags import look


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin):
    """Each change of state, and each refused attempt at one."""

    list_display = ("shown_at", "actor", "action", "subject", "shown_outcome", "from_state", "to_state", "why", "door")
    list_filter = ("outcome", "action", "subject_type", "door")
    search_fields = ("subject__startswith", "actor__username__exact")
    list_select_related = ("actor",)
    list_display_links = ("shown_at",)

    @admin.display(description=_("at"), ordering="id")
    def shown_at(self, row: AuditRow) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.at)

    @admin.display(description=_("outcome"))
    def shown_outcome(self, row: AuditRow) -> SafeString:
        """Done or refused."""
        return look.state_pill(row.outcome)

    @admin.display(description=_("why"))
    def why(self, row: AuditRow) -> str:
        """The reason that was given, or the reasons for the refusal."""
        return row.reason if row.outcome == AuditRow.Outcome.DONE else " ".join(str(each["sentence"]) for each in row.reasons)


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """The runs of ``verify``."""

    list_display = ("shown_at", "shown_book", "breaches")
    list_select_related = ("book",)
    fields = ("book", "started_at", "finished_at", "breaches", "shown_results")
    readonly_fields = fields

    @admin.display(description=_("finished at"), ordering="id")
    def shown_at(self, row: Verification) -> SafeString:
        """When it finished, in UTC."""
        return look.instant_cell(row.finished_at)

    @admin.display(description=_("book"))
    def shown_book(self, row: Verification) -> Any:
        """The book, or all."""
        return row.book or _("all books")

    @admin.display(description=_("results"))
    def shown_results(self, row: Verification) -> str:
        """Each statement, and each breach of it."""
        return "\n".join(
            f"{each['number']}. {each['says']} {'✓' if not each['breaches'] else ' '.join(each['breaches'])}"
            for each in row.results
        )
