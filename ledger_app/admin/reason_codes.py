"""Reason codes and limits in the admin: lists that look, and forms that propose a change of them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, HistoryAdmin, ReadOnlyAdmin, link_to, list_url, url_of
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.adjustments.operations import reason_codes
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.setting_changes import reason_field, tell_proposed
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import AdjustmentLimit, Book, ReasonCode, SettingChange, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.templatetags import look
from ledger_app.values.most import WINDOW_DAYS, WINDOW_DAYS_MOST


class KeptPages(ReadOnlyAdmin):
    """The admin of rows that a form proposes to change and another person decides. A subclass names the right and the form."""

    right = ""
    form_title: Any = ""
    lead: Any = ""
    change_list_template = "ledger_app/kept_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the form, for a new row and for one that is there."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_keep"
        view = self.admin_site.admin_view(self.keep)
        return [path("keep/", view, name=name), path("<int:pk>/keep/", view, name=f"{name}_one"), *super().get_urls()]

    def may_keep(self, request: HttpRequest) -> bool:
        """Whether the user has the right."""
        return isinstance(request.user, User) and self.right in rights_of(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the link that adds a row, for a user who may."""
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_keep") if self.may_keep(request) else ""
        shown = {"keep_address": address, "keep_label": self.form_title, **(extra_context or {})}
        return super().changelist_view(request, shown)

    def remark(self, request: HttpRequest, row: Any) -> SafeString | str:
        """Return the link to the form, for a user who may."""
        if not self.may_keep(request):
            return ""
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_keep_one", args=[row.pk])
        return format_html('<a class="press press-inline" href="{}">{}</a>', address, gettext("Change it"))

    @abstractmethod
    def form_for(self, row: Any, data: Any = None) -> forms.Form:
        """Return the form, filled with what ``row`` is."""

    @abstractmethod
    def propose(self, form: Any, caller: Caller) -> SettingChange:
        """Call the operation with what a form says, and return the proposal."""

    def keep(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Ask, and on a POST propose."""
        if not self.may_keep(request):
            raise PermissionDenied
        row = self.get_object(request, str(pk)) if pk is not None else None
        if pk is not None and row is None:
            raise Http404
        form = self.form_for(row, request.POST if request.method == "POST" else None)
        reasons: Sequence[LedgerError] = ()
        if request.method == "POST" and form.is_valid():
            try:
                proposed = self.propose(form, doorways.from_request(request, "admin"))
            except LedgerError as error:
                reasons = error.reasons if isinstance(error, Refused) else (error,)
            else:
                messages.success(request, tell_proposed(proposed))
                return HttpResponseRedirect(url_of(proposed))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.form_title,
            "lead": self.lead,
            "form": form,
            "reasons": [reason.as_dict() for reason in reasons],
            "submit_label": setting_changes.PROPOSING,
            "back": url_of(row) if row is not None else list_url(self.model),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/keep.html", context, status=409 if reasons else 200)


class KeptAdmin(KeptPages, HistoryAdmin):
    """What is kept by a form, with the history of its row."""


class ReasonCodeForm(forms.Form):
    """A reason code, with the code of its contra account for each book."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    code = forms.CharField(label=_("Code"), max_length=reason_codes.CODE_MOST)
    name = forms.CharField(label=_("Name"), max_length=reason_codes.NAME_MOST)
    may_waive_floor = forms.BooleanField(label=_("May break a floor"), required=False)
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for a contra account in each book."""
        super().__init__(*args, **kwargs)
        for book in Book.objects.order_by("code"):
            self.fields[f"contra_{book.code}"] = forms.CharField(
                label=gettext("Contra account in {book}").format(book=book.code), max_length=64, required=False
            )
        self.fields["reason"] = reason_field()

    @classmethod
    def said(cls) -> tuple[str, ...]:
        """Return the names of what the code itself says, contra accounts apart."""
        return tuple(name for name in cls.base_fields if name != "version")


@admin.register(ReasonCode)
class ReasonCodeAdmin(KeptAdmin):
    """Why balances are adjusted."""

    right = reason_codes.KEEP
    form_title = _("Keep a reason code")
    lead = _(
        "Whoever proposes chooses a reason code; it says which account takes the other side. What was posted is not touched."
    )
    list_display = ("code", "name", "shown_contra", "shown_waives_floor", "shown_in_use")
    list_filter = ("is_active",)
    ordering = ("code",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the contra accounts with the rows."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related("contra_accounts__account", "contra_accounts__book")

    @admin.display(description=_("contra accounts"))
    def shown_contra(self, row: ReasonCode) -> str:
        """The contra account of each book."""
        return ", ".join(sorted(f"{each.book.code}: {each.account.code}" for each in row.contra_accounts.all()))

    @admin.display(description=_("may break a floor"))
    def shown_waives_floor(self, row: ReasonCode) -> str:
        """Whether, in a word: no colour says that either is good."""
        return gettext("yes") if row.may_waive_floor else gettext("no")

    @admin.display(description=_("in use"))
    def shown_in_use(self, row: ReasonCode) -> str:
        """Whether, in a word."""
        return gettext("yes") if row.is_active else gettext("no")

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the code and its contra accounts."""
        facts = [
            (_("Name"), row.name),
            (_("May break a floor"), gettext("yes") if row.may_waive_floor else gettext("no")),
            (_("In use"), gettext("yes") if row.is_active else gettext("no")),
            (_("Version"), row.version),
        ]
        accounts = [(link_to(each.book), link_to(each.account)) for each in row.contra_accounts.all()]
        columns = (Column(_("book")), Column(_("contra account")))
        none = _("It has no contra account, so it cannot be used in any book.")
        return Sheet(
            title=row.code,
            remark=self.remark(request, row),
            main=[Table(_("Contra accounts"), columns, accounts, none)],
            side=[Facts(_("The reason code"), facts)],
        )

    def form_for(self, row: Any, data: Any = None) -> ReasonCodeForm:
        """Return the form, filled with what the code is now."""
        if row is None:
            return ReasonCodeForm(data)
        initial = {name: getattr(row, name) for name in ("version", *ReasonCodeForm.said())}
        initial |= {f"contra_{each.book.code}": each.account.code for each in row.contra_accounts.all()}
        form = ReasonCodeForm(data, initial=initial)
        form.fields["code"].disabled = True
        return form

    def propose(self, form: ReasonCodeForm, caller: Caller) -> SettingChange:
        """Propose to keep the reason code."""
        said: dict[str, Any] = form.cleaned_data
        prefix = "contra_"
        contra = {name.removeprefix(prefix): value for name, value in said.items() if name.startswith(prefix) and value}
        kept = {name: said[name] for name in form.said()} | {"contra_accounts": contra}
        return setting_changes.propose(
            kind="reason_code", arguments=kept, reason=said["reason"], caller=caller, version=said["version"]
        )


class LimitForm(forms.Form):
    """What a group decides in a book."""

    group = forms.ChoiceField(label=_("Group"))
    book = forms.ChoiceField(label=_("Book"))
    amount_most = forms.CharField(label=_("Decides up to"), max_length=30, help_text=_("In the unit of the book"))
    two_deciders_above = forms.CharField(
        label=_("By two above"), max_length=30, help_text=_("Above this amount a second person must approve")
    )
    window_days = forms.IntegerField(
        label=_("In sum over days"),
        required=False,
        min_value=1,
        max_value=WINDOW_DAYS_MOST,
        initial=WINDOW_DAYS,
        help_text=_("Both are for one member, with what the same person has decided for that member in so many days"),
    )
    day_most = forms.CharField(
        label=_("On one day up to"),
        max_length=30,
        required=False,
        help_text=_("For all members together; empty: without such a limit"),
    )
    member_day_most = forms.CharField(
        label=_("All together, for one member on one day up to"),
        max_length=30,
        required=False,
        help_text=_("Whoever decides; empty: without such a limit"),
    )
    all_day_most = forms.CharField(
        label=_("All together on one day up to"),
        max_length=30,
        required=False,
        help_text=_("Whoever decides; empty: without such a limit"),
    )
    reason_code = forms.ChoiceField(
        label=_("Reason code"),
        required=False,
        help_text=_("All of this is of what is adjusted with it, beside the limit of everything; empty: of everything"),
    )
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the groups and the books."""
        super().__init__(*args, **kwargs)
        self._books = {book.code: book for book in Book.objects.order_by("code")}
        groups = Group.objects.order_by("name").values_list("name", flat=True)
        self.fields["group"].choices = [(name, name) for name in groups]  # type: ignore[attr-defined]  # a field of choices
        codes = ReasonCode.objects.order_by("code").values_list("code", "name")
        of_reasons = [("", _("Of everything")), *((code, f"{code} · {name}") for code, name in codes)]
        self.fields["reason_code"].choices = of_reasons  # type: ignore[attr-defined]  # a field of choices
        books = [(code, f"{code} · {book.unit}") for code, book in self._books.items()]
        self.fields["book"].choices = books  # type: ignore[attr-defined]  # a field of choices

    def clean(self) -> dict[str, Any]:
        """Read the amounts in the unit of the book."""
        said: dict[str, Any] = super().clean() or {}
        book = self._books.get(said.get("book", ""))
        days = ("day_most", "member_day_most", "all_day_most")
        said |= {name: said.get(name) or None for name in days}
        said["window_days"] = said.get("window_days") or WINDOW_DAYS
        for name in ("amount_most", "two_deciders_above", *days):
            if book is not None and said.get(name) is not None:
                try:
                    said[name] = AmountField(book.exponent).clean(said[name])
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return said


@admin.register(AdjustmentLimit)
class AdjustmentLimitAdmin(KeptAdmin):
    """How much a member of a group decides. Set by administrators: nobody raises the limit that binds them."""

    right = reason_codes.SET_LIMITS
    form_title = _("Set a limit")
    lead = _(
        "Somebody in several groups decides what the highest of their limits allows. Without a limit, a group decides nothing."
    )
    list_display = (
        "shown_group",
        "book",
        "reason_code",
        "shown_most",
        "shown_alone",
        "window_days",
        "shown_day_most",
    )
    list_display_links = ("shown_group",)
    list_select_related = ("group", "book")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring group and book with the rows."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("group", "book")

    @admin.display(description=_("group"))
    def shown_group(self, row: AdjustmentLimit) -> str:
        """The group."""
        return row.group.name

    @admin.display(description=_("decides up to"))
    def shown_most(self, row: AdjustmentLimit) -> SafeString:
        """What a member decides at all."""
        return look.amount_cell(row.amount_most, row.book)

    @admin.display(description=_("by two above"))
    def shown_alone(self, row: AdjustmentLimit) -> SafeString:
        """What a member decides alone."""
        return look.amount_cell(row.two_deciders_above, row.book)

    @admin.display(description=_("on one day up to"))
    def shown_day_most(self, row: AdjustmentLimit) -> SafeString | str:
        """What a member decides on one day."""
        return _day_cell(row.day_most, row)

    def shown_member_day_most(self, row: AdjustmentLimit) -> SafeString | str:
        """What all together decide for one member on one day."""
        return _day_cell(row.member_day_most, row)

    def shown_all_day_most(self, row: AdjustmentLimit) -> SafeString | str:
        """What all together decide on one day."""
        return _day_cell(row.all_day_most, row)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the limit."""
        facts = [
            (_("Group"), row.group.name),
            (_("Book"), link_to(row.book)),
            (_("Decides up to"), self.shown_most(row)),
            (_("By two above"), self.shown_alone(row)),
            (_("In sum over days"), row.window_days),
            (_("On one day up to"), self.shown_day_most(row)),
            (_("All together, for one member on one day up to"), self.shown_member_day_most(row)),
            (_("All together on one day up to"), self.shown_all_day_most(row)),
            (_("Reason code"), row.reason_code or _("Of everything")),
        ]
        return Sheet(title=str(row), remark=self.remark(request, row), main=[Facts(_("The limit"), facts)])

    def form_for(self, row: Any, data: Any = None) -> LimitForm:
        """Return the form, filled with what the limit is now."""
        if row is None:
            return LimitForm(data)
        exponent = row.book.exponent
        initial = {
            "group": row.group.name,
            "book": row.book.code,
            "amount_most": look.amount_text(row.amount_most, exponent),
            "two_deciders_above": look.amount_text(row.two_deciders_above, exponent),
            "window_days": row.window_days,
            "reason_code": row.reason_code,
        }
        for name in ("day_most", "member_day_most", "all_day_most"):
            most = getattr(row, name)
            initial[name] = "" if most is None else look.amount_text(most, exponent)
        form = LimitForm(data, initial=initial)
        for name in ("group", "book", "reason_code"):
            form.fields[name].disabled = True
        return form

    def propose(self, form: LimitForm, caller: Caller) -> SettingChange:
        """Propose to set the limit."""
        said: dict[str, Any] = form.cleaned_data
        reason = said.pop("reason")
        if not said["reason_code"]:
            said.pop("reason_code")
        return setting_changes.propose(kind="limit", arguments=said, reason=reason, caller=caller)


def _day_cell(most: int | None, row: AdjustmentLimit) -> SafeString | str:
    return NOTHING if most is None else look.amount_cell(most, row.book)
