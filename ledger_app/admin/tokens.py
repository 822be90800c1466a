"""Tokens in the admin: given and ended, by superusers alone."""

from collections.abc import Sequence
from typing import Any

import rest_framework.authtoken.admin  # noqa: F401 - registers what is registered anew below
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import TokenProxy

from config import doorways
from config.api_fields import NUMBER
from config.model_admin import LookingAdmin, link_to, list_url
from config.sheets import Facts, Sheet
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import User
from ledger_app.operations import people
from ledger_app.queries.rights import rights_of
from ledger_app.templatetags import look

# It comes with a form that changes tokens and leaves no word of it. The import registers it.
admin.site.unregister(TokenProxy)


class TokenForm(forms.Form):
    """Whose token it is to be."""

    user = forms.ModelChoiceField(label=_("User"), queryset=User.objects.filter(is_active=True).order_by("username"))
    is_replaced = forms.BooleanField(
        label=_("Replace"), required=False, help_text=_("The token that the user has ends, and programs that use it are refused.")
    )


class TokenList(ChangeList):
    """A token's address is its user's number: its key stands in no address."""

    def url_for_result(self, result: Any) -> str:
        """Return the address of a token's page."""
        return reverse("admin:authtoken_tokenproxy_change", args=[result.user_id])


@admin.register(TokenProxy)
class TokenAdmin(LookingAdmin):
    """Who has a token. Its key is told once, to whoever made it, and stands in no list, log or address."""

    list_display = ("user", "shown_created")
    list_display_links = ("user",)
    list_select_related = ("user",)
    ordering = ("user__username",)
    search_fields = ("user__username__exact",)
    change_list_template = "ledger_app/kept_list.html"

    def name_of(self, row: Any) -> str:
        """Return whose it is."""
        return str(row.user.username)

    @admin.display(description=_("given at"))
    def shown_created(self, row: Any) -> SafeString:
        """When it was given, in UTC."""
        return look.instant_cell(row.created)

    def get_urls(self) -> list[URLPattern]:
        """Put the pages that give and end a token in the place of Django's forms."""
        view = self.admin_site.admin_view
        return [
            path("add/", view(self.give), name="authtoken_tokenproxy_add"),
            path("<int:pk>/delete/", view(self.end), name="authtoken_tokenproxy_delete"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """Return the list whose addresses name users."""
        del request, options
        return TokenList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the token of the user of this number."""
        del from_field
        found = self.get_queryset(request).select_related("user")
        return found.filter(user=object_id).first() if NUMBER.fullmatch(object_id) else None

    def may_give(self, request: HttpRequest) -> bool:
        """Whether the user has the right."""
        return isinstance(request.user, User) and people.GIVE_TOKENS in rights_of(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say where tokens are given, to whoever may."""
        address = reverse("admin:authtoken_tokenproxy_add") if self.may_give(request) else ""
        return super().changelist_view(
            request, {"keep_address": address, "keep_label": _("Give a token"), **(extra_context or {})}
        )

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return whose it is, and the way to end it."""
        remark: SafeString | str = ""
        if self.may_give(request):
            address = reverse("admin:authtoken_tokenproxy_delete", args=[row.user_id])
            remark = format_html('<a class="press press-inline" href="{}">{}</a>', address, gettext("End it"))
        facts = [(_("User"), link_to(row.user, row.user.username)), (_("Given at"), look.instant_cell(row.created))]
        title = gettext("Token of {user}").format(user=row.user.username)
        return Sheet(title=title, remark=remark, main=[Facts(_("The token"), facts)])

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page shows; Django would put what the row is called, which is its key, into the title of the window."""
        return {**super().page(request, row), "subtitle": ""}

    def give(self, request: HttpRequest) -> HttpResponse:
        """Ask whose, and on a POST give a token and tell its key, this once."""
        if not self.may_give(request):
            raise PermissionDenied
        form = TokenForm(request.POST or None)
        reasons: Sequence[LedgerError] = ()
        key = ""
        if request.method == "POST" and form.is_valid():
            try:
                key = people.give_token(
                    username=form.cleaned_data["user"].username,
                    is_replaced=form.cleaned_data["is_replaced"],
                    caller=doorways.from_request(request, "admin"),
                )
            except LedgerError as error:
                reasons = error.reasons if isinstance(error, Refused) else (error,)
            else:
                if not key:
                    form.add_error(
                        None, gettext("The user has a token already. Its key cannot be shown again; it can be replaced.")
                    )
        title = _("Give a token")
        lead = _(
            "A program that calls the API names its user by a token. The key is shown once: keep it where the program reads it."
        )
        return self._asked(request, form, title=title, lead=lead, reasons=reasons, key=key)

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST end a token."""
        if not self.may_give(request):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if request.method == "POST":
            people.end_token(username=row.user.username, caller=doorways.from_request(request, "admin"))
            messages.success(request, gettext("The token of {user} has ended.").format(user=row.user.username))
            return HttpResponseRedirect(list_url(TokenProxy))
        title = gettext("End the token of {user}").format(user=row.user.username)
        return self._asked(
            request, forms.Form(), title=title, lead=_("Programs that use it are refused from then on."), press=_("End it")
        )

    def _asked(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: Any,
        lead: Any,
        reasons: Sequence[LedgerError] = (),
        key: str = "",
        press: Any = None,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "lead": lead,
            "form": form,
            "reasons": [reason.as_dict() for reason in reasons],
            "back": list_url(TokenProxy),
            "key": key,
            "submit_label": press or title,
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, "ledger_app/token.html", context, status=409 if reasons else 200)
        response["Cache-Control"] = "no-store"
        return response
