"""The review of access: who has which right, since when and from whom, as a page and as CSV; and how it is signed off, every half year."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.context import GROUPS
from config.doors.admin.model_admin import NOTHING, LookingAdmin, list_url
from config.doors.admin.sheets import Column, Facts, Part, Sheet, Table
from config.doors.admin.token_forms import scope_text
from ledger_app.admin import form_pages
from ledger_app.admin.form_pages import Page
from ledger_app.admin.opening import may
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AccessReview, Token
from ledger_app.people.operations import reviews
from ledger_app.people.queries import reviews as review_rows
from ledger_app.people.queries.reviews import ADMINISTRATOR, NONE, PAGES, Grant, Standing
from ledger_app.reports import access
from ledger_app.rights.rules import rights
from ledger_app.templatetags import look
from ledger_app.values.most import REASON_MOST

LOOK = "ledger_app.look_accessreview"
DIGEST = re.compile("[0-9a-f]{64}")
# What each grant is called that is no group; groups are called as everywhere.
CALLED: Mapping[str, str | Promise] = {
    ADMINISTRATOR: _("may do everything"),
    PAGES: _("may use these pages"),
    NONE: _("no right"),
}
SAYS = {f"{one}+{other}": words for one, other, words in rights.CONFLICTS}
COLUMNS = (
    Column(_("user")),
    Column(_("may log in")),
    Column(_("grant")),
    Column(_("since")),
    Column(_("given by")),
    Column(_("decided by")),
    Column(_("last login or use")),
    Column(_("conflicts of duty")),
)


class SignForm(forms.Form):
    """That one has looked through it."""

    digest = forms.RegexField(regex=DIGEST, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("What was looked at, and what came of it"), max_length=REASON_MOST, widget=forms.Textarea(attrs={"rows": 3})
    )


@admin.register(AccessReview)
class AccessReviewAdmin(LookingAdmin):
    """Reviews that were signed off, and what is to be looked through now."""

    change_list_template = "ledger_app/kept_list.html"
    list_display = ("shown_signed_at", "signed_by", "grant_count", "note")
    list_select_related = ("signed_by",)

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        """Return whether the user looks at reviews: those who audit, those who sign off, and administrators."""
        return may(request, LOOK)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return the same."""
        return may(request, LOOK)

    @admin.display(description=_("signed off at"), ordering="signed_at")
    def shown_signed_at(self, row: AccessReview) -> SafeString:
        """When it was signed off, in UTC."""
        return look.instant_cell(row.signed_at)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of what is to be looked through."""
        view = self.admin_site.admin_view
        return [
            path("now/", view(self.now), name="ledger_app_accessreview_now"),
            path("now/csv/", view(self.csv), name="ledger_app_accessreview_csv"),
            path("now/sign/", view(self.sign), name="ledger_app_accessreview_sign"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to what is to be looked through now."""
        address = reverse("admin:ledger_app_accessreview_now")
        shown = {"keep_address": address, "keep_label": _("Who has which right"), **(extra_context or {})}
        return super().changelist_view(request, shown)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return who signed off what, and what of it another has to look at."""
        del request
        facts = [
            (_("Signed off at"), look.instant_cell(row.signed_at)),
            (_("Signed off by"), row.signed_by),
            (_("Grants"), look.count_cell(row.grant_count)),
            (_("Digest of the grants"), bytes(row.digest).hex()),
            (_("Note"), row.note),
        ]
        return Sheet(title=self.name_of(row), main=[Facts(_("The review"), facts), _own(row.own)])

    def now(self, request: HttpRequest) -> HttpResponse:
        """Show who has which right now."""
        stand = self._standing(request)
        words = _("Who has which right")
        heading = ngettext("%(count)s grant", "%(count)s grants", len(stand.grants)) % {"count": len(stand.grants)}
        grants = Table(words, COLUMNS, [_row(each) for each in stand.grants], _("Nobody has a right."), note=heading)
        main: list[Part] = [grants]
        if stand.own_left:
            main.insert(0, _own(stand.own_left))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": words,
            "sheet": Sheet(title=str(words), main=main, side=[Facts(_("The review"), _standing_facts(stand))]),
            "back": list_url(AccessReview),
            "links": self._links(request, stand),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/access_review.html", context)

    def csv(self, request: HttpRequest) -> HttpResponse:
        """Give the same as a file."""
        stand = self._standing(request)
        answer = HttpResponse("".join(access.lines(stand.grants)), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="access-{doorways.now():%Y-%m-%d}.csv"'
        return answer

    def sign(self, request: HttpRequest) -> HttpResponse:
        """Ask for a note, and on a POST sign off what was shown."""
        if not may(request, reviews.SIGN):
            raise PermissionDenied
        back = reverse("admin:ledger_app_accessreview_now")
        shown = request.GET.get("digest", "")
        if request.method != "POST" and DIGEST.fullmatch(shown) is None:
            # Nothing was shown that could be signed off.
            return HttpResponseRedirect(back)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            reviews.sign(digest=said["digest"], note=said["note"], caller=caller)
            return gettext("The access review is signed off.")

        lead = _("You have looked through who has which right, and it is as it should be, or what should not be is being mended.")
        page = Page(reviews.SIGNING, lead, back, gettext("Who has which right"))
        form = SignForm(request.POST) if request.method == "POST" else SignForm(initial={"digest": shown})
        return form_pages.ask(self, request, page=page, form=form, act=act)

    def _standing(self, request: HttpRequest) -> Standing:
        if not may(request, LOOK):
            raise PermissionDenied
        return review_rows.standing(at=doorways.now())

    def _links(self, request: HttpRequest, stand: Standing) -> list[tuple[str, Any]]:
        links = [(reverse("admin:ledger_app_accessreview_csv"), _("As CSV"))]
        if may(request, reviews.SIGN):
            address = reverse("admin:ledger_app_accessreview_sign")
            links.append((f"{address}?digest={stand.digest}", reviews.SIGNING))
        return links


def _row(each: Grant) -> tuple[Any, ...]:
    alone = gettext("nobody: given alone") if each.is_alone else NOTHING
    return (
        each.user,
        gettext("yes") if each.is_active else gettext("no"),
        _called(each.grant) if each.token is None else _token(each.token),
        _instant(each.since),
        each.given_by or NOTHING,
        each.decided_by or alone,
        _instant(each.last_login),
        "; ".join(str(SAYS[pair]) for pair in each.conflicts) or NOTHING,
    )


def _called(grant: str) -> Any:
    return CALLED.get(grant) or GROUPS.get(grant) or grant


def _token(row: Token) -> Any:
    does, books = scope_text(row)
    said = gettext("token “{name}” ({prefix}…): {does}; books: {books}; until")
    return format_html(
        "{} {}", said.format(name=row.name, prefix=row.prefix, does=does, books=books), look.instant_cell(row.ends_at)
    )


def _instant(at: datetime | None) -> Any:
    return NOTHING if at is None else look.instant_cell(at)


def _own(own: list[list[str]]) -> Table:
    columns = (Column(_("user")), Column(_("grant")))
    rows = [(user, _called(grant)) for user, grant in own]
    return Table(_("Given alone by who signed: another has to sign this off"), columns, rows, _("Nothing was."))


def _standing_facts(stand: Standing) -> list[tuple[Any, Any]]:
    last: Any = NOTHING
    if stand.last is not None:
        address = reverse("admin:ledger_app_accessreview_change", args=[stand.last.pk])
        last = format_html('<a href="{}">{}</a> {}', address, look.instant_cell(stand.last.signed_at), stand.last.signed_by)
    due = look.instant_cell(stand.due_at)
    return [
        (_("Last signed off"), last),
        (_("Due"), format_html("{} <strong>{}</strong>", due, gettext("overdue")) if stand.is_overdue else due),
        (_("Changed since"), gettext("yes") if stand.has_moved else gettext("no")),
        (_("Who decide on rights"), ", ".join(sorted(stand.deciders)) or NOTHING),
        (_("Digest of the grants"), stand.digest),
    ]
