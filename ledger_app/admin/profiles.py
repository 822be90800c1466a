"""Profiles of exports to accounting in the admin: what they say, and the form that proposes another version."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import ReadOnlyAdmin, link_to
from config.doors.admin.sheets import Column, Facts, Sheet, Table, Text
from ledger_app.accounting.queries import profiles
from ledger_app.accounting.rules.profile_toml import TEXT_BYTES_MOST
from ledger_app.admin.reason_codes import KeptPages
from ledger_app.admin.setting_changes import reason_field
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Profile, ProfileVersion, SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes.rules import SETTINGS
from ledger_app.templatetags import look


class ProfileForm(forms.Form):
    """What a profile says, whole: book and name stand in it."""

    text = forms.CharField(
        label=_("Definition"),
        max_length=TEXT_BYTES_MOST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        help_text=_(
            "In TOML, as docs/accounting.md describes it. Book and name are what it says; a profile that is there gets a new version."
        ),
    )
    reason = reason_field()


@admin.register(Profile)
class ProfileAdmin(KeptPages):
    """How a book's entries become an accounting program's file."""

    right = SETTINGS["profile"].right
    form_title = _("Set a profile of an export")
    lead = _("The profile is said whole, and holds from its decision on. What was handed over stays as it is.")
    list_display = ("name", "book", "newest_version", "shown_target")
    list_filter = ("book",)
    list_select_related = ("book",)
    ordering = ("book__code", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the newest version with each row."""
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related(profiles.NEWEST)
        return rows

    @admin.display(description=_("version"))
    def newest_version(self, row: Any) -> Any:
        """The number of the version in force."""
        return row.in_force[0].number

    @admin.display(description=_("accounting program"))
    def shown_target(self, row: Any) -> str:
        """The program that the version in force writes for."""
        return profiles.definition(row.in_force[0]).target

    def sheet(self, request: HttpRequest, row: Profile) -> Sheet:
        """Return the definition in force to the letter, and all versions."""
        versions = list(row.versions.select_related("set_by").order_by("-number"))
        shown = [
            (
                link_to(each, f"v{each.number}"),
                look.digest_cell(bytes(each.digest)),
                each.set_by.username,
                look.instant_cell(each.set_at),
            )
            for each in versions
        ]
        columns = (Column(_("version")), Column(_("digest")), Column(_("set by")), Column(_("set at")))
        newest = versions[0]
        said = profiles.definition(newest)
        facts = [
            (_("Book"), link_to(row.book)),
            (_("Accounting program"), said.target),
            (_("Encoding"), said.encoding),
            (_("Rows"), said.rows),
            (_("The fiscal year begins in month"), said.fiscal_year_begins),
            (_("Yen for the smallest unit of the book"), 1 if said.yen_a_unit is None else look.count_text(said.yen_a_unit)),
        ]
        return Sheet(
            title=gettext("Profile {name}").format(name=row),
            remark=self.remark(request, row),
            main=[
                Text(_("The definition in force"), newest.text, f"v{newest.number}"),
                Table(_("Versions"), columns, shown, _("No version has been set.")),
            ],
            side=[Facts(_("The profile"), facts)],
        )

    def form_for(self, row: Any, data: Any = None) -> ProfileForm:
        """Return the form, filled with what the profile says now."""
        return ProfileForm(data, initial={} if row is None else {"text": profiles.newest(row).text})

    def propose(self, form: ProfileForm, caller: Caller) -> SettingChange:
        """Propose to set the profile. A form sends each line end as two characters, which none of them was."""
        said = {"text": form.cleaned_data["text"].replace("\r\n", "\n")}
        return setting_changes.propose(kind="profile", arguments=said, reason=form.cleaned_data["reason"], caller=caller)


@admin.register(ProfileVersion)
class ProfileVersionAdmin(ReadOnlyAdmin):
    """Each version of a profile that was ever in force."""

    list_display = ("__str__", "set_by", "shown_at")
    list_select_related = ("profile__book", "set_by")

    @admin.display(description=_("set at"), ordering="id")
    def shown_at(self, row: ProfileVersion) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.set_at)

    def sheet(self, request: HttpRequest, row: ProfileVersion) -> Sheet:
        """Return the definition to the letter."""
        del request
        facts = [
            (_("Profile"), link_to(row.profile)),
            (_("Version"), row.number),
            (_("Digest"), look.digest_cell(bytes(row.digest))),
            (_("Set by"), row.set_by.username),
            (_("Set at"), look.instant_cell(row.set_at)),
        ]
        return Sheet(title=str(row), main=[Text(_("Definition"), row.text)], side=[Facts(_("The version"), facts)])
