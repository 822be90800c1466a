"""Webhooks in the admin: where events are sent to, how far each is, and what could not be delivered."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import webhooks as sending
from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to, list_url, url_of
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.admin import form_pages
from ledger_app.admin.form_pages import Page
from ledger_app.admin.opening import may
from ledger_app.base.operations.audit import Caller
from ledger_app.models import DeadLetter, Webhook
from ledger_app.programs.operations import webhooks
from ledger_app.programs.operations.webhooks import KEEP, NAME_MOST, NONE_THERE, Given
from ledger_app.programs.rules import OVERLAP_HOURS, OVERLAP_HOURS_MOST, URL_MOST
from ledger_app.templatetags import look

LETTERS_SHOWN = 50


class WebhookForm(forms.Form):
    """A webhook."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=NAME_MOST)
    url = forms.CharField(
        label=_("Address"), max_length=URL_MOST, help_text=_("By https, at a host that KAKUTEI_WEBHOOK_HOSTS names.")
    )
    kinds = forms.CharField(
        label=_("Kinds of events"),
        required=False,
        max_length=1_000,
        help_text=_("Parted by spaces: posting.posted, or batch for all that is done to batches. Empty: all events."),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class RotateForm(forms.Form):
    """Another secret."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    overlap_hours = forms.IntegerField(
        label=_("Hours of overlap"),
        min_value=0,
        max_value=OVERLAP_HOURS_MOST,
        initial=OVERLAP_HOURS,
        help_text=_("So long what is sent is signed under the secret before, too."),
    )


class ReplayForm(forms.Form):
    """Events to be sent again."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    after = forms.IntegerField(
        label=_("After the number"), min_value=0, help_text=_("The events that follow this number are sent.")
    )


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Where events are sent to."""

    change_list_template = "ledger_app/kept_list.html"
    list_display = ("name", "url", "shown_in_use", "cursor", "failures", "shown_next")
    list_filter = ("is_active",)
    ordering = ("name",)

    def get_urls(self) -> list[URLPattern]:
        """Add the forms."""
        view = self.admin_site.admin_view
        return [
            path("keep/", view(self.keep), name="ledger_app_webhook_keep"),
            path("<int:pk>/keep/", view(self.keep), name="ledger_app_webhook_keep_one"),
            path("<int:pk>/rotate/", view(self.rotate), name="ledger_app_webhook_rotate"),
            path("<int:pk>/replay/", view(self.replay), name="ledger_app_webhook_replay"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the link that adds a webhook, for a user who may."""
        address = reverse("admin:ledger_app_webhook_keep") if may(request, KEEP) else ""
        shown = {"keep_address": address, "keep_label": _("Add a webhook"), **(extra_context or {})}
        return super().changelist_view(request, shown)

    @admin.display(description=_("in use"))
    def shown_in_use(self, row: Webhook) -> str:
        """Whether, in a word; and why not, where nobody said so."""
        if row.is_gone:
            return gettext("no: the receiver is there no more")
        return gettext("yes") if row.is_active else gettext("no")

    @admin.display(description=_("tried again at"))
    def shown_next(self, row: Webhook) -> SafeString | str:
        """When it is tried again, where it failed."""
        return NOTHING if row.next_at is None else look.instant_cell(row.next_at)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the webhook, and what it did not take."""
        facts = [
            (_("Address"), row.url),
            (_("Kinds of events"), ", ".join(row.kinds) or gettext("all")),
            (_("In use"), self.shown_in_use(row)),
            (_("Delivered up to"), row.cursor),
            (_("Failed tries"), row.failures),
            (_("Why it failed"), row.why or NOTHING),
            (_("Tried again at"), self.shown_next(row)),
            (_("Generation of the secret"), row.generation),
            (_("Signed under both until"), NOTHING if row.overlap_until is None else look.instant_cell(row.overlap_until)),
            (_("Kept by"), row.kept_by),
            (_("Version"), row.version),
        ]
        letters = [
            (link_to(each), each.event.number, each.event.kind, each.get_state_display(), each.why)
            for each in row.letters.select_related("event").order_by("-id")[:LETTERS_SHOWN]
        ]
        columns = (
            Column(_("letter")),
            Column(_("event"), is_figure=True),
            Column(_("kind")),
            Column(_("state")),
            Column(_("why it failed")),
        )
        more = (_("All of them"), list_url(DeadLetter, f"webhook__id__exact={row.pk}"))
        table = Table(_("Dead letters"), columns, letters, _("Everything was delivered."), more=more)
        return Sheet(title=row.name, remark=self._links(request, row), main=[table], side=[Facts(_("The webhook"), facts)])

    def _links(self, request: HttpRequest, row: Webhook) -> SafeString | str:
        """Return the links to the forms, for a user who may."""
        if not may(request, KEEP):
            return ""
        pages = (
            ("keep_one", gettext("Change it")),
            ("rotate", gettext("Make another secret")),
            ("replay", gettext("Send events again")),
        )
        each = ((reverse(f"admin:ledger_app_webhook_{name}", args=[row.pk]), label) for name, label in pages)
        return format_html_join(" ", '<a class="press press-inline" href="{}">{}</a>', each)

    def keep(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Ask for a webhook, and keep it."""
        row = self._row(request, pk) if pk is not None else None
        self._check(request)

        def act(said: Mapping[str, Any], caller: Caller) -> str | HttpResponse:
            name = row.name if row else said["name"]
            given = Given(name, said["url"], said["kinds"].split(), said["is_active"])
            version = said["version"] if row else NONE_THERE
            kept, changed = webhooks.keep(given=given, caller=caller, version=version, **sending.rules_here())
            if row is None and changed:
                return self._shown_once(request, kept)
            return gettext("Webhook {name} is kept.").format(name=kept.name)

        initial: dict[str, Any] = {}
        if row is not None:
            initial = {
                "version": row.version,
                "name": row.name,
                "url": row.url,
                "kinds": " ".join(row.kinds),
                "is_active": row.is_active,
            }
        form = WebhookForm(request.POST or None, initial=initial)
        form.fields["name"].disabled = row is not None
        lead = _("It is sent what happens from now on, signed under a secret that is shown once.")
        title = _("Change a webhook") if row else _("Add a webhook")
        page = Page(title, lead, url_of(row) if row else list_url(Webhook), place=str(row or ""))
        return form_pages.ask(self, request, page=page, form=form, act=act)

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and make another secret."""
        row = self._row(request, pk)

        def act(said: Mapping[str, Any], caller: Caller) -> HttpResponse:
            return self._shown_once(request, webhooks.rotate(webhook_id=row.pk, caller=caller, **said))

        lead = _("The receiver is given the new secret, and takes what is signed under either until the overlap is over.")
        page = Page(_("Make another secret"), lead, url_of(row), place=str(row))
        return form_pages.ask(
            self, request, page=page, form=RotateForm(request.POST or None, initial={"version": row.version}), act=act
        )

    def replay(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and have events sent again."""
        row = self._row(request, pk)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            kept = webhooks.replay(webhook_id=row.pk, caller=caller, **said)
            return gettext("The events after {number} are sent.").format(number=kept.cursor)

        lead = _("A receiver knows again what it has had: each event has the same id each time.")
        page = Page(_("Send events again"), lead, url_of(row), place=str(row))
        initial = {"version": row.version, "after": row.cursor}
        return form_pages.ask(self, request, page=page, form=ReplayForm(request.POST or None, initial=initial), act=act)

    def _shown_once(self, request: HttpRequest, row: Webhook) -> HttpResponse:
        """Show the secret in the answer itself: in a message it would be written down."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("The secret of {name}").format(name=row.name),
            "secret": sending.secret_of(row),
            "back": url_of(row),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/secret.html", context, headers={"Cache-Control": "no-store"})

    def _check(self, request: HttpRequest) -> None:
        if not may(request, KEEP):
            raise PermissionDenied

    def _row(self, request: HttpRequest, pk: int) -> Webhook:
        self._check(request)
        row = Webhook.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        return row


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """What webhooks did not take."""

    list_display = ("__str__", "webhook", "shown_event", "shown_kind", "state", "tries", "why", "shown_at")
    list_filter = ("state", "webhook")
    list_select_related = ("webhook", "event")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks whether to send one again."""
        view = self.admin_site.admin_view(self.send_again)
        return [path("<int:pk>/send-again/", view, name="ledger_app_deadletter_send_again"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what is shown of others with the rows."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("webhook", "event")

    @admin.display(description=_("event"), ordering="event__number")
    def shown_event(self, row: DeadLetter) -> int | None:
        """The number of the event."""
        return row.event.number

    @admin.display(description=_("kind"))
    def shown_kind(self, row: DeadLetter) -> str:
        """The kind of the event."""
        return row.event.kind

    @admin.display(description=_("at"), ordering="at")
    def shown_at(self, row: DeadLetter) -> SafeString:
        """When it was given up."""
        return look.instant_cell(row.at)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the letter, and the way to send it again."""
        facts = [
            (_("Webhook"), link_to(row.webhook)),
            (_("Event"), row.event.number),
            (_("Kind"), row.event.kind),
            (_("State"), row.get_state_display()),
            (_("Tries"), row.tries),
            (_("Why it failed"), row.why),
            (_("At"), look.instant_cell(row.at)),
        ]
        remark: SafeString | str = ""
        if row.state == DeadLetter.State.DEAD and may(request, KEEP):
            address = reverse("admin:ledger_app_deadletter_send_again", args=[row.pk])
            remark = format_html('<a class="press press-inline" href="{}">{}</a>', address, gettext("Send it again"))
        return Sheet(title=str(row), remark=remark, main=[Facts(_("The dead letter"), facts)])

    def send_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and have it sent again."""
        if not may(request, KEEP):
            raise PermissionDenied
        row = DeadLetter.objects.filter(pk=pk).first()
        if row is None:
            raise Http404

        def act(_said: Mapping[str, Any], caller: Caller) -> str:
            webhooks.send_again(letter_id=pk, caller=caller)
            return gettext("The event is sent again.")

        page = Page(_("Send it again"), _("It is sent the next time that something is."), url_of(row), place=str(row))
        return form_pages.ask(
            self, request, page=page, form=forms.Form(request.POST if request.method == "POST" else None), act=act
        )
