"""What programs sent, and the feed of what changed: looked at, and never written here."""

import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.admin.audit import subject_link
from ledger_app.models import Entry, Event, Posting, Submission
from ledger_app.templatetags import look

SHOWN_MOST = 100


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """The requests of programs by which entries were posted."""

    list_display = ("id", "shown_at", "sent_by", "shown_count", "request")
    list_select_related = ("sent_by",)
    search_fields = ("request__exact", "sent_by__username__exact")
    search_help_text = _("The whole name of a request, or a program")

    @admin.display(description=_("sent at"), ordering="id")
    def shown_at(self, row: Submission) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.sent_at)

    @admin.display(description=_("entries that were sent"))
    def shown_count(self, row: Submission) -> SafeString:
        """How many entries were sent, those included that were there or were refused."""
        return look.count_cell(row.given_count)

    def sheet(self, request: HttpRequest, row: Submission) -> Sheet:
        """Return who sent it, from where, and the first of the entries that it posted."""
        del request
        posted = Entry.objects.filter(posting__origin_kind=Posting.Origin.SUBMISSION, posting__origin_id=row.pk).order_by("id")
        entries = [(link_to(entry, entry.reference), entry.effective_on.isoformat()) for entry in posted[:SHOWN_MOST]]
        facts = [
            (_("Sent by"), row.sent_by.username),
            (_("Sent at"), look.instant_cell(row.sent_at)),
            (_("Request"), row.request or NOTHING),
            (_("Host"), row.host or NOTHING),
            (_("Entries that were sent"), look.count_cell(row.given_count)),
            (_("Entries that were posted"), look.count_cell(posted.count())),
        ]
        columns = (Column(_("entry")), Column(_("date")))
        table = Table(_("The first entries that were posted"), columns, entries, _("None is there."))
        return Sheet(title=str(row), main=[table], side=[Facts(_("Who, when, from where"), facts)])


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The feed that programs follow. An event has no number until somebody reads the feed."""

    list_display = ("shown_number", "shown_at", "by", "shown_kind", "shown_subject")
    list_select_related = ("by",)
    list_display_links = ("shown_number", "shown_at")
    search_fields = ("kind__exact",)
    search_help_text = _("The whole kind, as posting.posted")

    @admin.display(description=_("number"))
    def shown_number(self, row: Event) -> str:
        """The number, where it has one."""
        return NOTHING if row.number is None else str(row.number)

    @admin.display(description=_("at"), ordering="id")
    def shown_at(self, row: Event) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.at)

    @admin.display(description=_("kind"))
    def shown_kind(self, row: Event) -> SafeString:
        """The kind, as programs read it."""
        return format_html("<code>{}</code>", row.kind)

    @admin.display(description=_("what"))
    def shown_subject(self, row: Event) -> SafeString | str:
        """What it is about, as a link where that has a page."""
        return subject_link(row.subject_type, row.subject_id, f"{row.subject_type} {row.subject_id}")

    def sheet(self, request: HttpRequest, row: Event) -> Sheet:
        """Return all that programs are told, and by whom it was done."""
        del request
        facts = [
            (_("Number"), self.shown_number(row)),
            (_("Kind"), self.shown_kind(row)),
            (_("To"), self.shown_subject(row)),
            (_("By"), row.by.username),
            (_("At"), look.instant_cell(row.at)),
            *((name, value if isinstance(value, str) else json.dumps(value)) for name, value in sorted(row.facts.items())),
        ]
        return Sheet(title=str(row), main=[Facts(_("What was done"), facts)])
