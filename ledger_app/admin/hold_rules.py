"""The rules of holds in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import link_to
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.admin.reason_codes import KeptAdmin
from ledger_app.admin.rule_forms import HoldRuleForm
from ledger_app.base.operations.audit import Caller
from ledger_app.models import HoldRule, HoldTarget, SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes.rules import SETTINGS
from ledger_app.templatetags import look


@admin.register(HoldRule)
class HoldRuleAdmin(KeptAdmin):
    """How much of an account may be held, for how long, and where it may go."""

    right = SETTINGS["hold_rule"].right
    form_title = _("Set a rule of holds")
    lead = _("The rule is said whole, and holds from its decision on. What is held already stays as it is.")

    list_display = ("book", "shown_amount", "shown_day", "hours_most")
    list_display_links = ("book",)
    list_select_related = ("book",)

    @admin.display(description=_("a hold at most"))
    def shown_amount(self, row: HoldRule) -> SafeString | str:
        """The limit of one hold."""
        return gettext("no limit") if row.amount_most is None else look.amount_cell(row.amount_most, row.book)

    @admin.display(description=_("an account a day at most"))
    def shown_day(self, row: HoldRule) -> SafeString | str:
        """The limit of a day."""
        return gettext("no limit") if row.amount_a_day is None else look.amount_cell(row.amount_a_day, row.book)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the rule, and the accounts that it lets holds go to."""
        facts = [
            (_("Book"), link_to(row.book)),
            (_("A hold at most"), self.shown_amount(row)),
            (_("An account a day at most"), self.shown_day(row)),
            (_("Hours at most"), look.count_text(row.hours_most)),
        ]
        targets = [(link_to(each.account),) for each in HoldTarget.objects.filter(rule=row).select_related("account__book")]
        table = Table(
            _("Where what is held may go"),
            (Column(_("account")),),
            targets,
            _("To each account of the book that is nobody’s and keeps no lots."),
        )
        return Sheet(
            title=gettext("Holds of {book}").format(book=row.book.code),
            remark=self.remark(request, row),
            main=[table],
            side=[Facts(_("The rule"), facts)],
        )

    def form_for(self, row: Any, data: Any = None) -> HoldRuleForm:
        """Return the form, filled with what the rule is now."""
        return HoldRuleForm(data) if row is None else HoldRuleForm.of(row, data)

    def propose(self, form: HoldRuleForm, caller: Caller) -> SettingChange:
        """Propose to set the rule."""
        reason = form.cleaned_data["reason"]
        return setting_changes.propose(kind="hold_rule", arguments=form.arguments(), reason=reason, caller=caller)
