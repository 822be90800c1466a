"""The policies of the close in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import link_to
from config.doors.admin.sheets import Facts, Sheet
from ledger_app.admin.reason_codes import KeptAdmin
from ledger_app.admin.rule_forms import OfBook
from ledger_app.admin.setting_changes import reason_field
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations.policies import PolicyGiven
from ledger_app.models import ClosePolicy, SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes.rules import SETTINGS
from ledger_app.templatetags import look
from ledger_app.values.most import CLOSE_HOURS_MOST, MONTHS_AHEAD_MOST

USUAL = PolicyGiven()
NUMBERS = ("provisional_after_hours", "freeze_after_hours", "months_ahead")


class ClosePolicyForm(OfBook):
    """What a book says of its close."""

    provisional_after_hours = forms.IntegerField(
        label=_("Provisional after so many hours"),
        min_value=0,
        max_value=CLOSE_HOURS_MOST,
        initial=USUAL.provisional_after_hours,
        help_text=_("After the end of a period’s last day, where nothing dated in it waits any more. By itself."),
    )
    freeze_after_hours = forms.IntegerField(
        label=_("Frozen after so many hours at the earliest"),
        min_value=0,
        max_value=CLOSE_HOURS_MOST,
        initial=USUAL.freeze_after_hours,
        help_text=_("After the end of a period’s last day. Never by itself."),
    )
    months_ahead = forms.IntegerField(
        label=_("Months opened ahead"),
        min_value=0,
        max_value=MONTHS_AHEAD_MOST,
        initial=USUAL.months_ahead,
        help_text=_("After the month that it is. 0: somebody opens them."),
    )
    controls = forms.CharField(
        label=_("Control totals that a freeze needs"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Names, a line each: entries, debits, or a role of accounts. Empty: any one total."),
    )
    reason = reason_field()

    @classmethod
    def of(cls, row: ClosePolicy, data: Any) -> "ClosePolicyForm":
        """Return the form filled with what a policy says; of which book it is cannot be changed."""
        initial = {name: getattr(row, name) for name in NUMBERS}
        form = cls(data, initial={**initial, "book": row.book.code, "controls": "\n".join(row.controls)})
        form.fields["book"].disabled = True
        return form

    def arguments(self) -> dict[str, Any]:
        """Return what the operation takes."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return said | {"controls": sorted(set(said["controls"].split()))}


@admin.register(ClosePolicy)
class ClosePolicyAdmin(KeptAdmin):
    """When periods are provisional and may be frozen, what a freeze needs, and what is opened ahead."""

    right = SETTINGS["close_policy"].right
    form_title = _("Set a policy of the close")
    lead = _("The policy is said whole, and holds from its decision on. What is frozen stays so.")

    list_display = ("book", *NUMBERS, "shown_controls")
    list_display_links = ("book",)
    list_select_related = ("book",)

    @admin.display(description=_("control totals that a freeze needs"))
    def shown_controls(self, row: ClosePolicy) -> str:
        """Their names."""
        return ", ".join(row.controls) or gettext("any one")

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the policy."""
        facts = [
            (_("Book"), link_to(row.book)),
            (_("Provisional after so many hours"), look.count_text(row.provisional_after_hours)),
            (_("Frozen after so many hours at the earliest"), look.count_text(row.freeze_after_hours)),
            (_("Months opened ahead"), look.count_text(row.months_ahead)),
            (_("Control totals that a freeze needs"), self.shown_controls(row)),
        ]
        return Sheet(
            title=gettext("Close of {book}").format(book=row.book.code),
            remark=self.remark(request, row),
            main=[Facts(_("The policy"), facts)],
            side=[],
        )

    def form_for(self, row: Any, data: Any = None) -> ClosePolicyForm:
        """Return the form, filled with what the policy is now."""
        return ClosePolicyForm(data) if row is None else ClosePolicyForm.of(row, data)

    def propose(self, form: ClosePolicyForm, caller: Caller) -> SettingChange:
        """Propose to set the policy."""
        reason = form.cleaned_data["reason"]
        return setting_changes.propose(kind="close_policy", arguments=form.arguments(), reason=reason, caller=caller)
