"""Erasures in the admin: asked for on the page of a member, shown with what goes and what stays, decided here."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app.admin import answers
from ledger_app.admin.accounts import member_link
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.erasures import queries as asked
from ledger_app.erasures.operations import erasures
from ledger_app.erasures.rules import ERASURE
from ledger_app.models import Erasure
from ledger_app.templatetags import look
from ledger_app.traces.rules import erased

NOTE_MOST = 60  # characters of a reason beside what waits
KEPT_SHOWN = 50  # things that say the name and stay


@admin.register(Erasure)
class ErasureAdmin(TransitionAdmin):
    """The requests that a member's personal data be erased."""

    machine = ERASURE
    primary = {"proposed": "approve"}
    list_display = ("shown_number", "member", "ticket", "proposed_by", "decided_by", "shown_state")
    list_filter = ("state",)
    list_select_related = ("holder", "proposed_by", "decided_by")
    change_form_template = "ledger_app/erasure_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring who asked and decided."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("holder", "proposed_by", "decided_by")

    def note_of(self, row: Erasure) -> str:
        """Return why one that waits was asked for."""
        return Truncator(row.reason).chars(NOTE_MOST)

    @admin.display(description=_("erasure"), ordering="id")
    def shown_number(self, row: Erasure) -> str:
        """Its number."""
        return str(row)

    @admin.display(description=_("member"))
    def member(self, row: Erasure) -> str:
        """The number of the member's row: lists bring no identifiers."""
        return f"#{row.holder_id}"

    @admin.display(description=_("state"))
    def shown_state(self, row: Erasure) -> SafeString:
        """Proposed, erased, rejected or withdrawn."""
        return look.state_pill(row.state)

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with."""
        return asked.facts(row, user=doorways.from_request(request, "admin").user)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return who asked for what, what goes or went and what stays, the buttons and the trail."""
        facts: list[tuple[Any, Any]] = [
            (_("Member"), member_link(row.holder)),
            (_("Ticket"), row.ticket),
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
            "gone": _gone(row) if row.state == Erasure.State.DONE else _going(row),
            "offers": self.offers(request, row),
            "audit": self.trail(row),
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Return what goes."""
        shown = [(_("Member"), member_link(row.holder)), (_("Ticket"), row.ticket), (_("Reason"), row.reason)]
        return [*shown, *(_going(row) if transition.name == "approve" else ())]

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        reason, version = str(posted.get("reason", "")), shown_version(posted)
        if transition.name == "approve":
            done = answers.approve(row, caller, reason, version)
        else:
            done = erasures.end(erasure_id=row.pk, name=transition.name, reason=reason, caller=caller, version=version)
        return gettext("{erasure} is {state} now.").format(erasure=done, state=done.get_state_display())


def _going(row: Erasure) -> list[tuple[Any, Any]]:
    """Return what an approval would take away, and what says a name and stays."""
    plan = asked.plan(row.holder_id)
    kept = asked.keeping(plan)
    shown = ", ".join([*kept[:KEPT_SHOWN], *(["…"] if len(kept) > KEPT_SHOWN else [])])
    return [
        *_counted([part.table for part in plan.parts]),
        (_("Says the name, and stays"), shown or NOTHING),
        (
            _("How a name is found"),
            _("Only where it stands whole, in small letters or capitals: look through the texts for parts of it."),
        ),
    ]


def _gone(row: Erasure) -> list[tuple[Any, Any]]:
    """Return what an erasure took away."""
    counted = _counted(list(row.parts.values_list("table_name", flat=True)))
    return [*counted, ("SHA-256", look.digest_cell(row.digest))]


def _counted(tables: Sequence[str]) -> list[tuple[Any, Any]]:
    kinds = {
        erased.NAMES: _("Names, in the row and its history"),
        erased.ATTACHMENTS: _("Attachments"),
        erased.AUDIT: _("Texts of the audit"),
    }
    return [(label, look.count_text(tables.count(table))) for table, label in kinds.items()]
