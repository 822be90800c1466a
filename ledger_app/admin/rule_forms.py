"""The forms that propose a change of the rules of lots and of holds."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.reason_codes import KeptAdmin
from ledger_app.admin.setting_changes import reason_field
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Book, HoldRule, HoldTarget, LotRule, SettingChange
from ledger_app.points.operations.lot_rules import ROLE_MOST
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes.rules import SETTINGS
from ledger_app.templatetags import look
from ledger_app.values.most import HOURS_MOST
from ledger_app.values.openings import CODE_MOST

AMOUNTS = ("amount_most", "amount_a_day")


class OfBook(forms.Form):
    """A form that asks for a book."""

    book = forms.ChoiceField(label=_("Book"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the books."""
        super().__init__(*args, **kwargs)
        self.books = {book.code: book for book in Book.objects.order_by("code")}
        shown = [(code, f"{code} · {book.unit}") for code, book in self.books.items()]
        self.fields["book"].choices = shown  # type: ignore[attr-defined]  # a field of choices


class LotRuleForm(OfBook):
    """What the accounts of a role do with lots."""

    role = forms.CharField(label=_("Role"), max_length=ROLE_MOST)
    expiry = forms.ChoiceField(label=_("Expiry"), choices=LotRule.Expiry.choices)
    validity = forms.IntegerField(label=_("Days or months"), required=False, min_value=1, help_text=_("After granting"))
    fixed_on = forms.DateField(label=_("The last day of every lot"), required=False, input_formats=["%Y-%m-%d"])
    order = forms.ChoiceField(label=_("Order of spending"), choices=LotRule.Order.choices)
    kind = forms.ChoiceField(label=_("Kind of a grant"), choices=LotRule.Kind.choices)
    breakage = forms.CharField(
        label=_("Breakage account"), max_length=CODE_MOST, help_text=_("The code of the account that takes what expires.")
    )
    reason = reason_field()

    @classmethod
    def of(cls, row: LotRule, data: Any) -> "LotRuleForm":
        """Return the form filled with what a rule says; of which book and role it is cannot be changed."""
        names = ("role", "expiry", "validity", "fixed_on", "order", "kind")
        initial = {name: getattr(row, name) for name in names} | {"book": row.book.code, "breakage": row.breakage.code}
        form = cls(data, initial=initial)
        form.fields["book"].disabled = form.fields["role"].disabled = True
        return form

    def arguments(self) -> dict[str, Any]:
        """Return what the operation takes."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return said | {"fixed_on": said["fixed_on"].isoformat() if said["fixed_on"] else None}


class HoldRuleForm(OfBook):
    """What a book says of holds."""

    amount_most = forms.CharField(
        label=_("A hold at most"), max_length=30, required=False, help_text=_("In the unit of the book; empty: no limit")
    )
    amount_a_day = forms.CharField(
        label=_("An account a day at most"),
        max_length=30,
        required=False,
        help_text=_("In the unit of the book; empty: no limit"),
    )
    hours_most = forms.IntegerField(label=_("Hours at most"), min_value=1, max_value=HOURS_MOST, initial=HOURS_MOST)
    targets = forms.CharField(
        label=_("Where what is held may go"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Codes of accounts, a line each; empty: each account of the book that is nobody’s and keeps no lots"),
    )
    reason = reason_field()

    @classmethod
    def of(cls, row: HoldRule, data: Any) -> "HoldRuleForm":
        """Return the form filled with what a rule says; of which book it is cannot be changed."""
        amounts = {name: getattr(row, name) for name in AMOUNTS}
        initial: dict[str, Any] = {
            name: "" if value is None else look.amount_text(value, row.book.exponent) for name, value in amounts.items()
        }
        codes = HoldTarget.objects.filter(rule=row).order_by("account__code").values_list("account__code", flat=True)
        initial |= {"book": row.book.code, "hours_most": row.hours_most, "targets": "\n".join(codes)}
        form = cls(data, initial=initial)
        form.fields["book"].disabled = True
        return form

    def clean(self) -> dict[str, Any]:
        """Read the amounts in the unit of the book."""
        said: dict[str, Any] = super().clean() or {}
        book = self.books.get(said.get("book", ""))
        for name in AMOUNTS:
            text, said[name] = said.get(name), None
            if book is not None and text:
                try:
                    said[name] = AmountField(book.exponent).clean(text)
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the operation takes."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return said | {"targets": sorted(set(said["targets"].split()))}


class LotRuleForms(KeptAdmin):
    """The form of a rule of lots."""

    right = SETTINGS["lot_rule"].right
    form_title = _("Set a rule of lots")
    lead = _("Lots that are there keep their last day; accounts that are open keep lots or not, as they do.")

    def form_for(self, row: Any, data: Any = None) -> LotRuleForm:
        """Return the form, filled with what the rule is now."""
        return LotRuleForm(data) if row is None else LotRuleForm.of(row, data)

    def propose(self, form: LotRuleForm, caller: Caller) -> SettingChange:
        """Propose to set the rule."""
        reason = form.cleaned_data["reason"]
        return setting_changes.propose(kind="lot_rule", arguments=form.arguments(), reason=reason, caller=caller)
