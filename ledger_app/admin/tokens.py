"""Tokens in the admin: who has which, for what and until when; issued to programs, and ended, by administrators."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, LookingAdmin, link_to, list_url
from config.doors.admin.own_tokens import there_already
from config.doors.admin.sheets import Facts, Sheet
from config.doors.admin.token_forms import IssueForm, ReplaceForm, scope_text
from ledger_app.admin import form_pages
from ledger_app.admin.form_pages import Page
from ledger_app.admin.opening import may
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Token, User
from ledger_app.rights.operations import tokens as operations
from ledger_app.rights.operations.tokens import Issued
from ledger_app.rights.queries.rights import programs
from ledger_app.rights.rules import rights
from ledger_app.rights.rules.rights import GIVE_TOKENS
from ledger_app.templatetags import look


class ProgramForm(IssueForm):
    """Which program's token it is to be."""

    user = forms.ModelChoiceField(
        label=_("User"),
        queryset=User.objects.none(),
        help_text=_("Programs alone: a person issues their own, on the page “My tokens”."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the programs, and what programs may do."""
        super().__init__(*args, may={act for name in rights.OF_PROGRAMS for act in rights.ACTIONS[name]}, **kwargs)
        chosen: Any = self.fields["user"]
        chosen.queryset = programs().order_by("username")


class GoodFilter(admin.SimpleListFilter):
    """Whether a token opens anything."""

    title = _("state")
    parameter_name = "good"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        del request, model_admin
        return [("yes", _("good")), ("no", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return those."""
        del request
        good = Q(ended_at__isnull=True, ends_at__gt=doorways.now())
        return {"yes": queryset.filter(good), "no": queryset.exclude(good)}.get(self.value() or "", queryset)


@admin.register(Token)
class TokenAdmin(LookingAdmin):
    """Who has a token. Its key is shown once, to the user who issued it, and stands in no list, log or address."""

    list_display = ("user", "name", "prefix", "shown_issued", "shown_ends", "shown_used")
    list_display_links = ("name",)
    list_filter = (GoodFilter,)
    list_select_related = ("user",)
    search_fields = ("user__username__exact", "prefix__exact")
    change_list_template = "ledger_app/kept_list.html"

    def name_of(self, row: Any) -> str:
        """Return whose it is, and what it is called."""
        return f"{row.user.username}: {row.name}"

    @admin.display(description=_("issued at"), ordering="issued_at")
    def shown_issued(self, row: Any) -> SafeString:
        """When it was issued, in UTC."""
        return look.instant_cell(row.issued_at)

    @admin.display(description=_("ends at"), ordering="ends_at")
    def shown_ends(self, row: Any) -> SafeString:
        """When it ends, or ended, in UTC."""
        return look.instant_cell(row.ended_at or row.ends_at)

    @admin.display(description=_("last used at"), ordering="last_used_at")
    def shown_used(self, row: Any) -> SafeString | str:
        """When it was last used, in UTC."""
        return look.instant_cell(row.last_used_at) if row.last_used_at else NOTHING

    def get_urls(self) -> list[URLPattern]:
        """Put the pages that issue, replace and end a token in the place of Django's forms."""
        view = self.admin_site.admin_view
        return [
            path("add/", view(self.issue), name="ledger_app_token_add"),
            path("<int:pk>/replace/", view(self.replace), name="ledger_app_token_replace"),
            path("<int:pk>/end/", view(self.end), name="ledger_app_token_end"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the link that issues a token, for a user who may."""
        address = reverse("admin:ledger_app_token_add") if may(request, GIVE_TOKENS) else ""
        shown = {"keep_address": address, "keep_label": _("Issue a token"), **(extra_context or {})}
        return super().changelist_view(request, shown)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return whose it is, what for and until when, and the way to replace or end it."""
        is_good = row.ended_at is None and row.ends_at > doorways.now()
        links = [
            (reverse(f"admin:ledger_app_token_{name}", args=[row.pk]), label)
            for name, label in (("replace", _("Replace it")), ("end", _("End it")))
            if is_good and may(request, GIVE_TOKENS)
        ]
        does, books = scope_text(row)
        facts = [
            (_("User"), link_to(row.user, row.user.username)),
            (_("Beginning of the key"), row.prefix),
            (_("Operations"), does),
            (_("Books"), books),
            (_("Issued by"), row.issued_by.username),
            (_("Issued at"), look.instant_cell(row.issued_at)),
            (_("Ends at"), look.instant_cell(row.ends_at)),
            (_("Last used at"), look.instant_cell(row.last_used_at) if row.last_used_at else NOTHING),
        ]
        if row.replaces is not None:
            facts.append((_("Replaces"), link_to(row.replaces, row.replaces.prefix)))
        if row.ended_at is not None:
            facts += [(_("Ended at"), look.instant_cell(row.ended_at)), (_("Why"), row.get_ending_display())]
            facts.append((_("Ended by"), row.ended_by.username))
        remark = format_html_join(" ", '<a class="press press-inline" href="{}">{}</a>', links)
        return Sheet(title=self.name_of(row), remark=remark, main=[Facts(_("The token"), facts)])

    def issue(self, request: HttpRequest) -> HttpResponse:
        """Ask whose and what for, and on a POST issue a token and tell its key, this once."""
        form = ProgramForm(request.POST or None)
        lead = _(
            "A program that calls the API names its user by a token. The key is shown once: keep it where the program reads it."
        )
        page = Page(_("Issue a token"), lead, list_url(Token))
        return self._asked(request, page, form, lambda said, caller: form.issue(said["user"].username, caller))

    def replace(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for how long, and on a POST issue a token in the place of another."""
        row = self._row(request, pk)
        form = ReplaceForm(request.POST or None)
        lead = gettext("Another token “{name}”, for the same. Until the old one ends, both open.").format(name=row.name)
        page = Page(_("Replace a token"), lead, list_url(Token))
        return self._asked(request, page, form, lambda _said, caller: form.replace(row, caller))

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST end a token."""
        row = self._row(request, pk)
        lead = gettext("The token “{name}” ({prefix}…) opens nothing from then on.").format(name=row.name, prefix=row.prefix)

        def act(_said: Mapping[str, Any], caller: Caller) -> str:
            operations.end(token_id=row.pk, caller=caller)
            return gettext("The token “{name}” has ended.").format(name=row.name)

        page = Page(_("End a token"), lead, list_url(Token))
        return form_pages.ask(
            self, request, page=page, form=forms.Form(request.POST if request.method == "POST" else None), act=act
        )

    def _row(self, request: HttpRequest, pk: int) -> Token:
        if not may(request, GIVE_TOKENS):
            raise PermissionDenied
        row: Token | None = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        return row

    def _asked(self, request: HttpRequest, page: Page, form: Any, issue: Any) -> HttpResponse:
        """Ask, and on a POST issue; the answer has the key, so that it is sent again by going back and is kept by nothing."""
        if not may(request, GIVE_TOKENS):
            raise PermissionDenied

        def act(said: Mapping[str, Any], caller: Caller) -> HttpResponse:
            issued: Issued = issue(said, caller)
            if not issued.key:
                form.add_error(None, there_already(issued.token))
            return self._told(request, page, form, issued)

        answer = form_pages.ask(self, request, page=page, form=form, act=act)
        answer["Cache-Control"] = "no-store"
        return answer

    def _told(self, request: HttpRequest, page: Page, form: Any, issued: Issued) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": page.title,
            "lead": page.lead,
            "form": form,
            "back": page.back,
            "key": issued.key,
            "token": issued.token,
            "submit_label": page.title,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/token.html", context)
