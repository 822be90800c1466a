"""Holds in the admin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to
from config.doors.admin.sheets import Column, Table
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app.admin.accounts import member_link
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.lot_tables import day_or_never
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts as Asked
from ledger_app.base.rules.transitions import Transition
from ledger_app.models import Book, Entry, Hold
from ledger_app.points.operations import holds
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.rules.holds import HOLD
from ledger_app.templatetags import look


@admin.register(Hold)
class HoldAdmin(TransitionAdmin):
    """Holds: what is reserved, for whom, until when, and the button that lets go."""

    machine = HOLD
    list_display = ("reference", "book", "account", "shown_amount", "shown_until", "shown_state")
    list_filter = ("book", "state")
    search_fields = ("reference__exact",)
    is_searched_by_book = True
    search_help_text = _("A whole reference")
    list_select_related = ("book", "account")
    change_form_template = "ledger_app/hold_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what is shown with each row."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("book", "account__holder", "target", "placed_by")
        return rows

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Hold) -> SafeString:
        """What is held."""
        return look.amount_cell(row.amount, row.book)

    @admin.display(description=_("good until"))
    def shown_until(self, row: Hold) -> SafeString:
        """Until when, in the book's zone."""
        return look.instant_cell(row.expires_at, row.book)

    @admin.display(description=_("state"))
    def shown_state(self, row: Hold) -> SafeString:
        """What has become of it."""
        return look.state_pill(seen_state(row))

    def facts(self, request: HttpRequest, row: Any) -> Asked:
        """Return what the guards are asked with."""
        caller = doorways.from_request(request, "admin")
        return hold_rows.facts(row, user=caller.user, at=caller.at)

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Ask how much is settled."""
        return SettleForm(row.book, data) if transition.name == "settle" else None

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what is held."""
        del transition
        return [(_("Account"), row.account), (_("Held"), look.amount_cell(row.amount, row.book)), (_("Goes to"), row.target)]

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Settle or release."""
        version = shown_version(posted)
        if transition.name == "settle":
            amount = posted["amount"]
            done = holds.settle(hold_id=row.pk, amount=amount, effective_on=None, caller=caller, version=version)
        else:
            done = holds.release(hold_id=row.pk, reason=str(posted.get("reason", "")), caller=caller, version=version)
        return gettext("The hold {reference} is {state} now.").format(reference=done, state=done.get_state_display())

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what is held, of which lots, and the buttons."""
        facts = [
            (_("Account"), link_to(row.account)),
            (_("Member"), member_link(row.account.holder)),
            (_("Amount"), look.amount_cell(row.amount, row.book)),
            (_("Goes to"), link_to(row.target)),
            (_("Description"), row.description or NOTHING),
            (_("Placed at"), look.instant_cell(row.placed_at, row.book)),
            (_("Placed by"), row.placed_by.username),
            (_("Good until"), look.instant_cell(row.expires_at, row.book)),
            (_("Settled"), NOTHING if row.settled_amount is None else look.amount_cell(row.settled_amount, row.book)),
        ]
        if (entry := Entry.objects.filter(posting__origin_kind="hold", posting__origin_id=row.pk).first()) is not None:
            facts.append((_("Entry"), link_to(entry)))
        parts = [
            (
                link_to(part.lot),
                part.lot.get_kind_display(),
                look.day_text(part.lot.granted_on),
                day_or_never(part.lot.expires_on),
                look.amount_filter(part.amount, row.book),
            )
            for part in row.parts.select_related("lot")
        ]
        columns = (
            *(Column(_("lot")), Column(_("kind")), Column(_("granted on")), Column(_("last day"))),
            Column(_("amount"), is_figure=True),
        )
        return {
            "title": str(row),
            "hold": row,
            "state": seen_state(row),
            "facts": facts,
            "offers": self.offers(request, row),
            "part": Table(_("Lots held"), columns, parts, _("No lot is held."), note=row.book.unit),
            "audit": self.trail(row),
        }


def seen_state(row: Hold) -> str:
    """Return a hold's state as it is seen: one whose time is over keeps nothing back, though nobody has ended it yet."""
    return "over" if row.state == Hold.State.OPEN and row.expires_at <= doorways.now() else row.state


class SettleForm(forms.Form):
    """How much of a hold is settled, as people write amounts of its book."""

    def __init__(self, book: Book, data: Any = None) -> None:
        """Ask in the unit of a book."""
        super().__init__(data)
        self.fields["amount"] = AmountField(book.exponent, label=_("Amount"), help_text=book.unit)
