"""What is handed over to accounting, in the admin: from the page of a period, and the list of what was."""

import tempfile
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import ReadOnlyAdmin, link_to, url_of
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.accounting.operations import handing_over
from ledger_app.accounting.queries import exporting, profiles
from ledger_app.admin.form_pages import Page, ask
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import Export, Period, Profile, User
from ledger_app.reports import accounting
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look

HANDING_OVER = _("Hand over to accounting")
DRAFTING = _("Draft for accounting")


class AccountingPages:
    """The pages that hand a period over, for the admin of periods."""

    def accounting_urls(self) -> list[URLPattern]:
        """Return the addresses."""
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the framework's admin
        return [
            path("<int:pk>/accounting/<int:profile_pk>/", wrap(self.hand_over), name="ledger_app_period_accounting"),
            path("<int:pk>/accounting/<int:profile_pk>/file/", wrap(self.file), name="ledger_app_period_accounting_file"),
        ]

    def hand_over(self, request: HttpRequest, pk: int, profile_pk: int) -> HttpResponse:
        """Say what will happen; on a POST hand a frozen period over, or send the draft of another."""
        period, profile = self._found(request, pk, profile_pk)
        is_frozen = period.state == Period.State.FROZEN

        def act(_given: Mapping[str, Any], caller: Caller) -> str | HttpResponse:
            handing_over.check_right(caller)
            if is_frozen:
                with tempfile.TemporaryFile() as file:
                    accounting.hand_over(period=period, profile=profile, file=file, caller=caller)
                return gettext("{period} is handed over by {profile}: the file can be fetched here.").format(
                    period=period, profile=profile.name
                )
            return _answer(period, profile)

        lead = (
            _(
                "The file is made, read back and held against the ledger. The period leaves by this profile once: asked for again it is the same file."
            )
            if is_frozen
            else _(
                "The period is not frozen: entries may follow. The draft says so in its name and in each row, and nothing is handed over by it."
            )
        )
        page = Page(HANDING_OVER if is_frozen else DRAFTING, lead, url_of(period), f"{period} · {profile.name}")
        form = forms.Form(request.POST if request.method == "POST" else None)
        return ask(self, request, page=page, form=form, act=act)  # type: ignore[arg-type]  # of the framework's admin

    def file(self, request: HttpRequest, pk: int, profile_pk: int) -> HttpResponse:
        """Send the file that was handed over, the same to the byte."""
        period, profile = self._found(request, pk, profile_pk)
        if exporting.of_period(profile, period) is None:
            raise Http404
        try:
            return _answer(period, profile)
        except Refused as refused:
            messages.error(request, refused.sentence)
            return HttpResponseRedirect(url_of(period))

    def _found(self, request: HttpRequest, pk: int, profile_pk: int) -> tuple[Period, Profile]:
        row = self.get_object(request, str(pk))  # type: ignore[attr-defined]  # as above
        profile = Profile.objects.filter(pk=profile_pk, book=row.book_id).select_related("book").first() if row else None
        if row is None or profile is None or not self.has_view_permission(request, row):  # type: ignore[attr-defined]  # as above
            raise Http404
        return row, profile


def _answer(period: Period, profile: Profile) -> HttpResponse:
    """Return the file of a period as it is now, made and proved whole before the first byte is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        manifest = accounting.write(period=period, profile=profile, file=file, lines_most=accounting.LINES_MOST).manifest
    except BaseException:
        file.close()
        raise
    file.seek(0)
    name = f"{manifest['book']}-{manifest['period']}-{manifest['profile']}.csv"
    named = name if manifest["final"] else f"{accounting.DRAFT}{name}"
    answer = FileResponse(file, as_attachment=True, filename=named, content_type=f"text/csv; charset={manifest['encoding']}")
    answer["Cache-Control"] = "private, no-store"
    return cast("HttpResponse", answer)


def handed_over(period: Period, user: Any) -> dict[str, Any]:
    """Return, for the page of a period, each profile of its book with what was handed over by it."""
    may = isinstance(user, User) and handing_over.HAND_OVER in rights_of(user)
    there = {
        row.profile_id: row
        for row in Export.objects.filter(period=period).select_related("profile", "version__profile__book", "handed_over_by")
    }
    rows = []
    found = Profile.objects.filter(book=period.book_id).select_related("book").prefetch_related(profiles.NEWEST)
    for profile in found.order_by("name"):
        row, address = there.get(profile.pk), [period.pk, profile.pk]
        rows.append(
            {
                "profile": link_to(profile, profile.name),
                "target": profiles.definition(row.version if row else profile.in_force[0]).target,
                "export": row,
                "sha256": look.digest_cell(bytes(row.sha256)) if row else "",
                "file_url": reverse("admin:ledger_app_period_accounting_file", args=address) if row else "",
                "url": reverse("admin:ledger_app_period_accounting", args=address) if may and row is None else "",
                "label": HANDING_OVER if period.state == Period.State.FROZEN else DRAFTING,
            }
        )
    return {"rows": rows}


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """What was handed over to accounting: of each period once by each profile."""

    list_display = ("period", "shown_profile", "row_count", "shown_sha256", "handed_over_by", "shown_at")
    list_filter = ("profile",)
    list_select_related = ("period__book", "profile", "handed_over_by")

    @admin.display(description=_("profile"))
    def shown_profile(self, row: Export) -> str:
        """The name of the profile."""
        return row.profile.name

    @admin.display(description=_("SHA-256 of the file"))
    def shown_sha256(self, row: Export) -> SafeString:
        """The digest of the file."""
        return look.digest_cell(bytes(row.sha256))

    @admin.display(description=_("handed over at"), ordering="id")
    def shown_at(self, row: Export) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.handed_over_at)

    def sheet(self, request: HttpRequest, row: Export) -> Sheet:
        """Return what the manifest says."""
        del request
        said = row.manifest
        facts = [
            (_("Period"), link_to(row.period)),
            (_("Profile"), link_to(row.version)),
            (_("Seal"), link_to(row.seal)),
            (_("Handed over by"), row.handed_over_by.username),
            (_("Handed over at"), look.instant_cell(row.handed_over_at)),
            (_("SHA-256 of the file"), look.digest_cell(bytes(row.sha256))),
            (_("Bytes"), look.count_text(said["bytes"])),
            (_("Fiscal year"), row.fiscal_year),
            (_("Slips"), f"{row.first_slip} – {row.next_slip - 1}" if row.next_slip > row.first_slip else "–"),
            (_("Entries"), look.count_text(said["entries"])),
            (_("Rows"), look.count_text(row.row_count)),
        ]
        figures = tuple(Column(label, is_figure=True) for label in (_("debit"), _("credit")))
        columns = (Column(_("account")), Column(_("sub-account")), Column(_("department")), *figures)
        rows = [
            (
                *(each[name] or "–" for name in ("account", "sub_account", "department")),
                *(look.count_text(each[name]) for name in ("debit", "credit")),
            )
            for each in said["accounts"]
        ]
        return Sheet(
            title=gettext("{period} by {profile}").format(period=row.period, profile=row.profile.name),
            main=[Table(_("Sums by account"), columns, rows, _("No entry is dated in this period."), note="JPY")],
            side=[Facts(_("The export"), facts)],
        )
