"""Second factors, identities and sessions of others in the admin: who has which, and the way to take them away from somebody who has lost theirs, or is to be stopped."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin import own_sessions
from config.doors.admin.model_admin import url_of
from ledger_app.admin import form_pages
from ledger_app.admin.form_pages import Page
from ledger_app.admin.opening import may
from ledger_app.base.operations.audit import Caller
from ledger_app.models import User
from ledger_app.people.operations import factors as operations
from ledger_app.people.operations import identities as binding
from ledger_app.people.operations import sessions
from ledger_app.people.queries import factors, identities
from ledger_app.templatetags import look
from ledger_app.values.most import REASON_MOST


class ResetForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_MOST, widget=forms.Textarea(attrs={"rows": 3, "maxlength": REASON_MOST})
    )


class FactorsReset:
    """What the admin of users has for it."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that take away."""
        views = (self.reset_factors, self.unbind_identity, self.end_sessions)
        reset, unbind, end = map(self.admin_site.admin_view, views)
        mine = [
            path("<int:pk>/reset-factors/", reset, name="ledger_app_user_reset_factors"),
            path("<int:pk>/unbind-identity/", unbind, name="ledger_app_user_unbind_identity"),
            path("<int:pk>/end-sessions/", end, name="ledger_app_user_end_sessions"),
        ]
        return [*mine, *super().get_urls()]  # type: ignore[misc]  # of the admin that this is mixed into

    @admin.display(description=_("second factors"))
    def shown_factors(self, row: User) -> SafeString | str:
        """Their names, and the way to reset them."""
        names = [f"{each.name} ({each.get_kind_display()})" for each in factors.of(row)]
        if not names:
            return gettext("none")
        address = reverse("admin:ledger_app_user_reset_factors", args=[row.pk])
        return format_html('{} · <a href="{}">{}</a>', ", ".join(names), address, gettext("Reset second factors"))

    def reset_factors(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST reset."""
        if not may(request, operations.RESET):
            raise PermissionDenied
        user = User.objects.exclude(username=User.SYSTEM).filter(pk=pk).first()
        if user is None or not (factors.has(user) or factors.codes_left(user)):
            messages.info(request, gettext("There is no second factor to reset."))
            return HttpResponseRedirect(url_of(user) if user is not None else reverse("admin:ledger_app_user_changelist"))

        def act(said: Any, caller: Caller) -> str:
            operations.reset(username=user.username, reason=said["reason"], caller=caller)
            return gettext("The second factors of {user} are reset.").format(user=user.username)

        lead = _(
            "All second factors and recovery codes of {user} count no more, and they are signed out everywhere. Be sure that you know who asks you to:"
            " speak to them, and not by mail."
        )
        page = Page(_("Reset second factors"), str(lead).format(user=user.username), url_of(user), user.username)
        form = ResetForm(request.POST if request.method == "POST" else None)
        return form_pages.ask(self, request, page=page, form=form, act=act)  # type: ignore[arg-type]  # mixed into an admin

    @admin.display(description=_("single sign-on"))
    def shown_identity(self, row: User) -> SafeString | str:
        """Return the provider that the user is bound at, and the link that unbinds them. The name that the provider uses is not shown."""
        found = identities.of(row)
        if found is None:
            return gettext("not bound")
        address = reverse("admin:ledger_app_user_unbind_identity", args=[row.pk])
        return format_html(
            '{} · {} · <a href="{}">{}</a>', found.issuer, look.instant_cell(found.bound_at), address, gettext("Unbind")
        )

    def unbind_identity(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST unbind."""
        if not may(request, binding.UNBIND):
            raise PermissionDenied
        user = User.objects.filter(pk=pk).first()
        if user is None or identities.of(user) is None:
            messages.info(request, gettext("The user is bound to no identity."))
            return HttpResponseRedirect(url_of(user) if user is not None else reverse("admin:ledger_app_user_changelist"))

        def act(said: Any, caller: Caller) -> str:
            binding.unbind(username=user.username, reason=said["reason"], caller=caller)
            return gettext("{user} is unbound from the provider.").format(user=user.username)

        lead = _(
            "{user} can sign in by the provider no more, and is signed out everywhere. They, or an operator, can bind them again."
        )
        page = Page(_("Unbind from the provider"), str(lead).format(user=user.username), url_of(user), user.username)
        form = ResetForm(request.POST if request.method == "POST" else None)
        return form_pages.ask(self, request, page=page, form=form, act=act)  # type: ignore[arg-type]  # mixed into an admin

    @admin.display(description=_("sessions"))
    def shown_sessions(self, row: User) -> SafeString | str:
        """How many are open, when the last was used, and the way to end them."""
        there = own_sessions.of(row)
        if not there:
            return gettext("none")
        address = reverse("admin:ledger_app_user_end_sessions", args=[row.pk])
        last = look.instant_cell(there[0].seen_at)
        told = ngettext("{count} open", "{count} open", len(there)).format(count=len(there))
        return format_html(
            '{} · {} {} · <a href="{}">{}</a>', told, gettext("last used at"), last, address, gettext("End sessions")
        )

    def end_sessions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST end them."""
        if not may(request, sessions.END):
            raise PermissionDenied
        user = User.objects.exclude(username=User.SYSTEM).filter(pk=pk).first()
        if user is None:
            messages.info(request, gettext("There is no such user."))
            return HttpResponseRedirect(reverse("admin:ledger_app_user_changelist"))

        def act(said: Any, caller: Caller) -> str:
            sessions.end(username=user.username, reason=said["reason"], caller=caller)
            return gettext("{user} is signed out everywhere.").format(user=user.username)

        lead = _(
            "{user} is signed out wherever they are signed in, and can sign in again. Tokens are not ended: each is ended by itself."
        )
        page = Page(_("End sessions"), str(lead).format(user=user.username), url_of(user), user.username)
        form = ResetForm(request.POST if request.method == "POST" else None)
        return form_pages.ask(self, request, page=page, form=form, act=act)  # type: ignore[arg-type]  # mixed into an admin
