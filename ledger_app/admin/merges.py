"""Merges in the admin: what each comes to, who decided it, and the buttons."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to
from config.doors.admin.sheets import Column, Facts, Table
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app.admin.accounts import member_link, member_number
from ledger_app.admin.member_tables import kind_text
from ledger_app.admin.merge_proposals import UndoForm, respond
from ledger_app.admin.merge_tables import identifiers_table, lots_table, moves_table, plan_days
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts as CaseFacts
from ledger_app.base.rules.transitions import Transition
from ledger_app.errors import NotPermitted
from ledger_app.members.operations import merges as operations
from ledger_app.members.queries import merges
from ledger_app.members.rules.merges import MERGE, PROPOSE, digest
from ledger_app.models import Book, Entry, Merge
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look


@admin.register(Merge)
class MergeAdmin(TransitionAdmin):
    """Proposals to merge members, and to undo merges."""

    machine = MERGE
    primary = {"proposed": "approve"}
    list_display = ("shown_number", "shown_holder", "shown_survivor", "shown_state", "proposed_by", "shown_proposed_at")
    list_display_links = ("shown_number",)
    list_filter = ("state",)
    list_select_related = ("holder", "survivor", "undoes", "proposed_by")
    change_form_template = "ledger_app/merge_detail.html"

    @admin.display(description=_("number"), ordering="id")
    def shown_number(self, row: Merge) -> str:
        """The number."""
        return str(row)

    @admin.display(description=_("member"))
    def shown_holder(self, row: Merge) -> Any:
        """The member who ends, or who gives back."""
        return member_link(row.holder)

    @admin.display(description=_("member who remains"))
    def shown_survivor(self, row: Merge) -> Any:
        """The member who remains, or whom an undoing opened."""
        return member_link(row.survivor)

    @admin.display(description=_("state"))
    def shown_state(self, row: Merge) -> SafeString:
        """Proposed, carried out, rejected or withdrawn."""
        return look.state_pill(row.state)

    @admin.display(description=_("proposed at"), ordering="id")
    def shown_proposed_at(self, row: Merge) -> SafeString:
        """When it was proposed."""
        return look.instant_cell(row.proposed_at)

    def name_of(self, row: Any) -> str:
        """Return what people call a merge."""
        return gettext("Merge {number}").format(number=row)

    def note_of(self, row: Merge) -> str:
        """Return whom a merge that waits is about."""
        remains = member_number(row.survivor) if row.survivor else gettext("A new member")
        return f"{member_number(row.holder)} → {remains}"

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which an undoing is proposed."""
        undo = path("<int:pk>/undo/", self.admin_site.admin_view(self.undo), name="ledger_app_merge_undo")
        return [undo, *super().get_urls()]

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what an undoing gives back, show what it would do, and propose it."""
        return respond(request, self, pk, UndoForm)

    def facts(self, request: HttpRequest, row: Any) -> CaseFacts:
        """Return what the guards are asked with."""
        caller = doorways.from_request(request, "admin")
        return merges.facts(row, user=caller.user, at=caller.at)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the merge would do now, or did, and the buttons."""
        is_open = row.state == Merge.State.PROPOSED
        plan = self._plan(request, row) if is_open else row.decided_preview or row.preview
        entries = Entry.objects.filter(posting__origin_kind="merge", posting__origin_id=row.pk).select_related("book")
        undoing = row.undone_by.filter(holds_undone=True).first()
        facts: list[tuple[Any, Any]] = [
            (_("Member"), member_link(row.holder)),
            (
                _("New member") if row.undoes_id else _("Member who remains"),
                member_link(row.survivor) if row.survivor else _("A new member"),
            ),
            (_("Undoes"), link_to(row.undoes)),
            (_("Undone by"), link_to(undoing)),
            (_("Date of the entries"), plan_days(plan)),
            (_("Reason"), row.reason),
            (_("Proposed by"), f"{row.proposed_by} · {look.instant_text(row.proposed_at)}"),
            (_("Decided by"), f"{row.decided_by} · {look.instant_text(row.decided_at)}" if row.decided_by else NOTHING),
            (_("Digest"), look.digest_cell(bytes(row.decided_digest or row.digest))),
        ]
        return {
            "title": self.name_of(row),
            "merge": row,
            "parts": [moves_table(plan), *lots_table(plan), identifiers_table(plan), _entries(entries, is_open=is_open)],
            "facts": Facts(_("The merge"), facts),
            "offers": [*self.offers(request, row), *_undo_offers(request, row, undoing)],
            "audit": self.trail(row),
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what goes where, account by account."""
        if transition.name != "approve":
            return [(_("Member"), member_link(row.holder))]
        plan = row.plan_shown
        books = {book.code: book for book in Book.objects.all()}
        moves = [
            (
                f"{each['book']} · {each['role']}",
                gettext("{amount} from {source} to {target}").format(
                    amount=look.amount_text(each["amount"], books[each["book"]].exponent),
                    source=each["from"],
                    target=each["to"] or gettext("a new account"),
                ),
            )
            for each in plan["moves"]
        ]
        dated = [(_("Date of the entries"), plan_days(plan))] if plan["days"] else []
        named = [(kind_text(kind), value) for _key, kind, value in plan["identifiers"]]
        return [
            (_("Member"), member_link(row.holder)),
            (_("Member who remains"), member_link(row.survivor)),
            *dated,
            *moves,
            *named,
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Bring what the merge would do now with the row: what is shown and what is bound to are then one."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.plan_shown = self._plan(request, row)
        return row

    def token(self, transition: Transition, row: Any) -> list[tuple[str, str]]:
        """Return what was shown and is bound to."""
        return [*super().token(transition, row), ("plan", digest(row.plan_shown).hex())]

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Ask for nothing beside a reason."""
        del transition, row, data
        return None

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        reason, version = str(posted.get("reason", "")), shown_version(posted)
        if transition.name == "approve":
            done = operations.approve(
                merge_id=row.pk, digest_shown=str(posted.get("plan", "")), caller=caller, reason=reason, version=version
            )
        else:
            done = operations.end(merge_id=row.pk, name=transition.name, caller=caller, reason=reason, version=version)
        return gettext("Merge {number} is {state} now.").format(number=done, state=done.get_state_display())

    def _plan(self, request: HttpRequest, row: Merge) -> dict[str, Any]:
        caller = doorways.from_request(request, "admin")
        return merges.facts(row, user=caller.user, at=caller.at).plan.as_json()


def _undo_offers(request: HttpRequest, row: Merge, undoing: Merge | None) -> list[dict[str, Any]]:
    """Return the offer to undo a merge that was carried out, unless it is undone or about to be."""
    if row.state != Merge.State.DONE or row.undoes_id is not None or undoing is not None:
        return []
    user = doorways.from_request(request, "admin").user
    refusal = NotPermitted(user=user.username, right=_("Propose a merge"), who=_("Support"))
    return [
        {
            "name": "undo",
            "label": UndoForm.title,
            "description": _("Another person decides. A new member is opened and gets back what you state."),
            "url": reverse("admin:ledger_app_merge_undo", args=[row.pk]),
            "blockers": [] if PROPOSE in rights_of(user) else [refusal.as_dict()],
            "primary": False,
        }
    ]


def _entries(entries: Any, *, is_open: bool) -> Table:
    return Table(
        _("Entries"),
        (Column(_("book")), Column(_("date")), Column(_("entry"))),
        [(each.book.code, look.day_text(each.effective_on), link_to(each)) for each in entries.order_by("id")],
        _("Nothing is posted before another person has approved it.") if is_open else _("Nothing was posted."),
    )
