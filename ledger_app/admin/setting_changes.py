"""Changes of settings in the admin: proposed by the forms of the settings, decided here."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, tellers
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.models import Account, Book, LotRule, SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries as asked
from ledger_app.setting_changes.rules import CHANGE
from ledger_app.templatetags import look
from ledger_app.values.amounts import OF_SETTINGS
from ledger_app.values.most import REASON_MOST

NOTE_MOST = 60  # characters of a reason beside what waits
LABELS: Mapping[str, Any] = {
    "amount_most": _("At most"),
    "two_deciders_above": _("By two above"),
    "window_days": _("In sum over days"),
    "day_most": _("On one day up to"),
    "member_day_most": _("All together, for one member on one day up to"),
    "all_day_most": _("All together on one day up to"),
    "name": _("Name"),
    "may_waive_floor": _("May break a floor"),
    "is_active": _("In use"),
    "contra_accounts": _("Contra accounts"),
    "category": _("Category"),
    "floor": _("Floor"),
    "expiry": _("Expiry"),
    "validity": _("Days or months"),
    "fixed_on": _("Last day"),
    "order": _("Order of spending"),
    "kind": _("Kind of a grant"),
    "breakage": _("Breakage account"),
    "amount_a_day": _("On one day up to"),
    "hours_most": _("Hours at most"),
    "targets": _("Accounts that take what is held"),
    "provisional_after_hours": _("Provisional after so many hours"),
    "freeze_after_hours": _("Frozen after so many hours at the earliest"),
    "months_ahead": _("Months opened ahead"),
    "controls": _("Control totals that a freeze needs"),
    "version": _("Version"),
    "text": _("Definition"),
    "groups": _("Groups"),
    "is_superuser": _("May do everything"),
    "is_staff": _("May use these pages"),
}
RIGHTS_LABELS: Mapping[str, Any] = {**LABELS, "is_active": _("May log in")}
# What is one of a few, by its words.
WORDS: Mapping[str, Sequence[tuple[Any, Any]]] = {
    "category": Account.Category.choices,
    "expiry": LotRule.Expiry.choices,
    "order": LotRule.Order.choices,
    "kind": LotRule.Kind.choices,
}


def reason_field() -> forms.CharField:
    """Return the field that each form of a setting ends with."""
    return forms.CharField(
        label=_("Reason"),
        max_length=REASON_MOST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Another person reads it, and decides; until then nothing is changed."),
    )


def tell_proposed(row: SettingChange) -> str:
    """Return what is told of a proposal that was made."""
    return gettext("{change} is proposed. Another person decides it.").format(change=row)


@admin.register(SettingChange)
class SettingChangeAdmin(TransitionAdmin):
    """The proposals to change a setting that could move money."""

    machine = CHANGE
    primary = {"proposed": "approve"}
    list_display = ("shown_number", "kind", "setting", "proposed_by", "decided_by", "shown_state")
    list_filter = ("state", "kind")
    list_select_related = ("proposed_by", "decided_by")
    change_form_template = "ledger_app/setting_change_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring who proposed and decided."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("proposed_by", "decided_by")

    def note_of(self, row: SettingChange) -> str:
        """Return why a change that waits was proposed."""
        return Truncator(row.reason).chars(NOTE_MOST)

    @admin.display(description=_("change of a setting"), ordering="id")
    def shown_number(self, row: SettingChange) -> str:
        """Its number."""
        return f"⚙ {row.pk}"

    @admin.display(description=_("state"))
    def shown_state(self, row: SettingChange) -> SafeString:
        """Proposed, applied, rejected or withdrawn."""
        return look.state_pill(row.state)

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with."""
        caller = doorways.from_request(request, "admin")
        return asked.facts(row, user=caller.user, is_program=caller.is_program)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what it said and would say, the buttons and the trail."""
        facts: list[tuple[Any, Any]] = [
            (_("Kind"), row.get_kind_display()),
            (_("Setting"), row.setting),
            (_("Reason"), row.reason),
            (_("Proposed by"), row.proposed_by.username),
            (_("Proposed at"), look.instant_cell(row.proposed_at)),
        ]
        if row.decided_by is not None:
            facts += [(_("Decided by"), row.decided_by.username), (_("Decided at"), look.instant_cell(row.decided_at))]
        return {
            "title": str(row),
            "row": row,
            "facts": facts,
            "compared": compared(row),
            "offers": self.offers(request, row),
            "audit": self.trail(row),
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Return what changes."""
        del transition
        changes = [
            (each["label"], format_html("{} → {}", each["before"], each["after"])) for each in compared(row) if each["is_changed"]
        ]
        return [(_("Kind"), row.get_kind_display()), (_("Setting"), row.setting), *changes, (_("Reason"), row.reason)]

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        reason = str(posted.get("reason", ""))
        given: dict[str, Any] = {"change_id": row.pk, "caller": caller, "version": shown_version(posted)}
        if transition.name == "approve":
            done = setting_changes.approve(note=reason, **given)
        elif transition.name == "reject":
            done = setting_changes.reject(reason=reason, **given)
        else:
            done = setting_changes.withdraw(reason=reason, **given)
        return gettext("{change} is {state} now.").format(change=done, state=done.get_state_display())


def _told(row: SettingChange, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a setting by their labels, as people read them."""
    book = _book_of(row)
    labels = RIGHTS_LABELS if row.kind == SettingChange.Kind.RIGHTS else LABELS
    return {
        str(labels.get(name, name)): (
            f"{look.amount_text(value, book.exponent)} {book.unit}"
            if book is not None and name in OF_SETTINGS and value is not None
            else _shown(name, value, book)
        )
        for name, value in parts.items()
    }


tellers.update({(SettingChange, name): _told for name in ("arguments", "before", "after")})


def _book_of(row: SettingChange) -> Book | None:
    return Book.objects.filter(code=row.arguments.get("book", "")).first()


def compared(row: SettingChange) -> list[dict[str, Any]]:
    """Return each part of a setting as it was when the change was proposed, and as it would be."""
    book = _book_of(row)
    before: Mapping[str, Any] = row.before or {}
    labels = RIGHTS_LABELS if row.kind == SettingChange.Kind.RIGHTS else LABELS
    return [
        {
            "label": labels[name],
            "before": _shown(name, before[name], book) if name in before else NOTHING,
            "after": _shown(name, value, book),
            "is_changed": name not in before or before[name] != value,
        }
        for name, value in row.after.items()
    ]


def _shown(name: str, value: Any, book: Book | None) -> SafeString | str:
    """Return one part of a setting as people read it: amounts in their unit, and what is one of a few in its words."""
    if value is None or value in ([], {}, ""):
        return NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in OF_SETTINGS and book is not None:
        return look.amount_cell(value, book)
    if name in WORDS:
        return str(dict(WORDS[name]).get(value, value))
    if isinstance(value, int):
        return look.count_text(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{book}: {account}" for book, account in sorted(value.items()))
    return ", ".join(value) if isinstance(value, list) else str(value)
