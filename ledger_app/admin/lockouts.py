"""Failed tries to sign in: who is locked out, from where and until when, and the way to let them in again."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, LookingAdmin, link_to, list_url
from config.doors.admin.sheets import Facts, Sheet
from config.doors.signing import lockouts as counted
from ledger_app.admin import form_pages
from ledger_app.admin.form_pages import Page
from ledger_app.admin.opening import may
from ledger_app.base.operations.audit import Caller
from ledger_app.models import FailedTry, User
from ledger_app.people.operations import lockouts
from ledger_app.templatetags import look


@admin.register(FailedTry)
class LockoutAdmin(LookingAdmin):
    """Names under which tries have failed of late. A name that is no user's is not shown: it may be a password in the wrong line."""

    list_display = ("shown_name", "shown_address", "failures_since_start", "shown_last", "shown_until")
    list_display_links = ("shown_name",)

    def name_of(self, row: Any) -> str:
        """Return whose name it is."""
        return gettext("a name that is no user's") if row.username.startswith(lockouts.UNKNOWN) else str(row.username)

    @admin.display(description=_("user"), ordering="username")
    def shown_name(self, row: Any) -> str:
        """Whose name it is."""
        return self.name_of(row)

    @admin.display(description=_("address"))
    def shown_address(self, row: Any) -> str:
        """From where."""
        return row.address or NOTHING

    @admin.display(description=_("last try"))
    def shown_last(self, row: Any) -> SafeString:
        """When the last try was that was counted."""
        return look.instant_cell(row.attempt_time)

    @admin.display(description=_("locked out until"))
    def shown_until(self, row: Any) -> SafeString | str:
        """Until when nobody may try; nothing where they may."""
        at = counted.until_of(row)
        return look.instant_cell(at) if at is not None else NOTHING

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is counted no more."""
        counted_from = doorways.now() - timedelta(minutes=settings.KAKUTEI_LOCKOUT_MINUTES)
        return super().get_queryset(request).filter(attempt_time__gte=counted_from)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that lets somebody in again."""
        view = self.admin_site.admin_view(self.release)
        return [path("<int:pk>/release/", view, name="ledger_app_failedtry_release"), *super().get_urls()]

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return who, from where and until when."""
        user = User.objects.named(row.username).first()
        remark: SafeString | str = ""
        if may(request, lockouts.RELEASE):
            address = reverse("admin:ledger_app_failedtry_release", args=[row.pk])
            remark = format_html('<a class="press press-inline" href="{}">{}</a>', address, gettext("Let them try again"))
        facts = [
            (_("User"), link_to(user, user.username) if user is not None else self.name_of(row)),
            (_("Address"), self.shown_address(row)),
            (_("Failed tries"), row.failures_since_start),
            (_("Last try"), self.shown_last(row)),
            (_("Locked out until"), self.shown_until(row)),
        ]
        return Sheet(title=self.name_of(row), remark=remark, main=[Facts(_("Failed tries"), facts)])

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page shows."""
        return {**super().page(request, row), "subtitle": ""}

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST let somebody try again."""
        if not may(request, lockouts.RELEASE):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            messages.info(request, gettext("They may try again already."))
            return HttpResponseRedirect(list_url(FailedTry))

        def act(_said: Any, caller: Caller) -> str:
            lockouts.release(attempt_id=pk, caller=caller)
            return gettext("{name} may try again.").format(name=self.name_of(row))

        lead = _(
            "The tries that have failed under this name from this address are forgotten. Be sure that you know who asks you to."
        )
        page = Page(_("Let them try again"), lead, list_url(FailedTry), self.name_of(row))
        return form_pages.ask(
            self, request, page=page, form=forms.Form(request.POST if request.method == "POST" else None), act=act
        )
