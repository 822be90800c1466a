"""Reversals of single entries in the admin: proposed on the page of the entry, decided on their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to, url_of
from config.doors.admin.transitions import TransitionAdmin, shown_version
from config.doors.admin.typed_before import typed
from ledger_app import errors
from ledger_app.admin.lot_tables import shown_facts, shown_rows
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.books.queries import books
from ledger_app.models import Book, Entry, Reversal
from ledger_app.points.queries import shown_lots
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from ledger_app.reversals.queries import Preview
from ledger_app.reversals.rules import PROPOSE, REVERSAL
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look
from ledger_app.values import sides
from ledger_app.values.most import TICKET_MOST

NOTE_MOST = 60  # characters of a reason beside what waits
Fact = tuple[Any, Any]


@admin.register(Reversal)
class ReversalAdmin(TransitionAdmin):
    """The proposals to reverse one entry."""

    machine = REVERSAL
    primary = {"proposed": "approve"}
    list_display = ("shown_number", "shown_entry", "shown_day", "proposed_by", "decided_by", "shown_state")
    list_filter = ("state",)
    search_fields = ("entry__reference__exact", "ticket__exact")
    search_help_text = _("A whole reference or ticket")
    list_select_related = ("entry", "proposed_by", "decided_by")
    change_form_template = "ledger_app/reversal_detail.html"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by the ticket, or by the entries, which are found first by their index."""
        if term := search_term.strip():
            entries = Entry.objects.filter(book__in=books.ids(), reference=term).values_list("id", flat=True)
            return queryset.filter(Q(ticket=term) | Q(entry__in=list(entries))), False
        return super().get_search_results(request, queryset, search_term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what showing a proposal names."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("entry__book", "entry__posting", "proposed_by", "decided_by", "reversal")

    def note_of(self, row: Reversal) -> str:
        """Return why a reversal that waits was proposed."""
        return " · ".join(filter(None, (Truncator(row.reason).chars(NOTE_MOST), row.ticket)))

    @admin.display(description=_("reversal"), ordering="id")
    def shown_number(self, row: Reversal) -> str:
        """Its number."""
        return f"↶ {row.pk}"

    @admin.display(description=_("entry"))
    def shown_entry(self, row: Reversal) -> str:
        """What it would reverse."""
        return row.entry.reference

    @admin.display(description=_("date of the reversal"))
    def shown_day(self, row: Reversal) -> str:
        """The day it is, or would be, dated on."""
        return look.day_text(row.effective_on)

    @admin.display(description=_("state"))
    def shown_state(self, row: Reversal) -> SafeString:
        """Proposed, posted, rejected or withdrawn."""
        return look.state_pill(row.state)

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with."""
        return asked.facts(row, user=doorways.from_request(request, "admin").user)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what was proposed, what it would do now, the buttons and the trail."""
        is_open = row.state == Reversal.State.PROPOSED
        preview = asked.preview_on(row.entry, row.effective_on, row.prior_period) if is_open else None
        zone = row.entry.book
        facts: list[Fact] = [
            (_("Entry"), link_to(row.entry)),
            (_("Date of the reversal"), look.day_text(row.effective_on)),
            (_("Corrects the prior period"), row.prior_period or NOTHING),
            (_("Reason"), row.reason),
            (_("Ticket"), row.ticket or NOTHING),
            (_("Proposed by"), row.proposed_by.username),
            (_("Proposed at"), look.instant_cell(row.proposed_at, zone)),
        ]
        if row.decided_by is not None:
            facts += [
                (_("Decided by"), row.decided_by.username),
                (_("Decided at"), look.instant_cell(row.decided_at, zone)),
            ]
        if row.reversal is not None:
            facts.append((_("Entry that reverses"), link_to(row.reversal)))
        return {
            "title": str(row),
            "row": row,
            "book": row.entry.book,
            "facts": facts,
            "balances": balance_rows(preview) if preview else posted_rows(row),
            "lots": shown_rows(preview.lots) if preview else _posted_lots(row),
            "is_posted": row.reversal is not None,
            "has_moved": bool(preview) and preview.digest != bytes(row.digest).hex() if preview else False,
            "offers": self.offers(request, row),
            "audit": self.trail(row),
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[Fact]:
        """Return the date and the balances that an approval leads to."""
        if transition.name != "approve" or row.state != Reversal.State.PROPOSED:
            return [(_("Entry"), link_to(row.entry)), (_("Reason"), row.reason)]
        shown = _asked_now(row)
        moved = [] if shown.digest == bytes(row.digest).hex() else [(_("Moved"), _("Balances have moved since it was proposed."))]
        return [*moved, *effects_of(row.entry, shown), (_("Reason"), row.reason), (_("Ticket"), row.ticket or NOTHING)]

    def token(self, transition: Transition, row: Any) -> list[tuple[str, str]]:
        """Return the version, and the digest of what is shown."""
        found = super().token(transition, row)
        if transition.name == "approve" and row.state == Reversal.State.PROPOSED:
            found.append(("shown", _asked_now(row).digest))
        return found

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        reason, version = str(posted.get("reason", "")), shown_version(posted)
        given: dict[str, Any] = {"reversal_id": row.pk, "caller": caller, "version": version}
        if transition.name == "approve":
            done = reversals.approve(digest_shown=str(posted.get("shown", "")), note=reason, **given)
        elif transition.name == "reject":
            done = reversals.reject(reason=reason, **given)
        else:
            done = reversals.withdraw(reason=reason, **given)
        return gettext("{reversal} is {state} now.").format(reversal=done, state=done.get_state_display())


class ProposeForm(forms.Form):
    """What a proposal takes beside its reason."""

    ticket = forms.CharField(
        label=_("Ticket"), required=False, max_length=TICKET_MOST, help_text=_("The number under which somebody asked for it.")
    )


class ProposePage:
    """The page on which the reversal of an entry is proposed: added to the addresses of the entries' admin."""

    def __init__(self, entries: ModelAdmin[Entry]) -> None:
        """Serve the entries of an admin."""
        self._admin = entries

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        return [path("<int:pk>/reverse/", self._admin.admin_site.admin_view(self.propose), name="ledger_app_entry_reverse")]

    def offers(self, request: HttpRequest, entry: Entry) -> list[dict[str, Any]]:
        """Return the button on the page of an entry, free, or disabled with its blockers."""
        return [
            {
                "name": "reverse",
                "label": reversals.PROPOSING,
                "description": _("Another person decides it; until then nothing is posted."),
                "url": reverse("admin:ledger_app_entry_reverse", args=[entry.pk]),
                "blockers": [each.as_dict() for each in _blockers(request, entry, asked.preview(entry))],
                "primary": False,
            }
        ]

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask with the preview, and on a POST propose."""
        entry = Entry.objects.select_related("book", "posting").filter(pk=pk).first()
        if entry is None:
            raise Http404
        if not self._admin.has_view_permission(request, entry):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, entry, ProposeForm(initial=(typed(request) or QueryDict()).dict()))
        form = ProposeForm(request.POST)
        if not form.is_valid():
            return self._ask(request, entry, form)
        try:
            row = reversals.propose(
                entry_id=entry.pk,
                reason=request.POST.get("reason", ""),
                ticket=form.cleaned_data["ticket"],
                digest_shown=request.POST.get("shown", ""),
                caller=doorways.from_request(request, "admin"),
            )
        except errors.Refused as refusal:
            status = 403 if any(isinstance(reason, errors.NotPermitted) for reason in refusal.reasons) else 409
            return self._ask(request, entry, form, refused=refusal.reasons, status=status)
        messages.success(request, gettext("{reversal} is proposed. Another person decides it.").format(reversal=row))
        return HttpResponseRedirect(url_of(row))

    def _ask(
        self,
        request: HttpRequest,
        entry: Entry,
        form: forms.Form,
        *,
        refused: Sequence[errors.LedgerError] = (),
        status: int = 200,
    ) -> HttpResponse:
        preview = asked.preview(entry)
        mendable = {"reason_required": "reason", "reason_too_long": "reason", "reversal_ticket_invalid": "ticket"}
        for reason in refused:
            if mendable.get(reason.code) == "ticket":
                form.add_error("ticket", reason.sentence)
        of_reason = [reason.sentence for reason in refused if mendable.get(reason.code) == "reason"]
        reasons = [reason for reason in refused if reason.code not in mendable] or (
            [] if refused else _blockers(request, entry, preview)
        )
        context = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "title": reversals.PROPOSING,
            "object": entry,
            "named": entry.reference,
            "object_url": url_of(entry),
            "sentence": _(
                "An entry that takes this one back is proposed. Nothing is posted before another person has approved it."
            ),
            "effects": effects_of(entry, preview),
            "reasons": [reason.as_dict() for reason in reasons],
            "reason_required": True,
            "reason_label": _("Reason"),
            "reason": (typed(request) or request.POST).get("reason", ""),
            "reason_error": of_reason[0] if of_reason else "",
            "fields": form,
            "submit_label": _("Propose"),
            "token": [("shown", preview.digest)],
        }
        request.current_app = self._admin.admin_site.name
        return TemplateResponse(request, "kakutei/confirm_transition.html", context, status=status)


def _asked_now(row: Any) -> Preview:
    """Return what a page that asks for a decision shows, made once: what is shown is what the decision is bound to."""
    if getattr(row, "shown_now", None) is None:
        row.shown_now = asked.preview_on(row.entry, row.effective_on, row.prior_period)
    found: Preview = row.shown_now
    return found


def _blockers(request: HttpRequest, entry: Entry, preview: Preview) -> list[errors.LedgerError]:
    """Return why a proposal would be refused before anything is typed."""
    user = doorways.from_request(request, "admin").user
    found: list[errors.LedgerError] = []
    if PROPOSE not in rights_of(user):
        found.append(errors.NotPermitted(user=user.username, right=reversals.PROPOSING, who=_("Support and finance")))
    return [*found, *asked.standing(entry), *preview.refusals]


def effects_of(entry: Entry, preview: Preview) -> list[Fact]:
    """Return what a reversal would do as rows of a page: its date, and each balance before and after."""
    if preview.draft is None:
        return []
    day = look.day_text(preview.draft.effective_on)
    if preview.prior_period:
        day = gettext("{day}, marked as of the prior period {period}").format(day=day, period=preview.prior_period)
    return [
        (_("Date of the reversal"), day),
        *[_balance_fact(row, entry.book) for row in balance_rows(preview)],
        *shown_facts(preview.lots, entry.book),
    ]


def balance_rows(preview: Preview) -> list[dict[str, Any]]:
    """Return each account of a reversal with its balance before and after, in the account's natural direction."""
    return [
        {
            "account": each.account,
            "url": reverse("admin:ledger_app_account_change", args=[each.account_id]),
            "debit": each.amount if each.amount > 0 else None,
            "credit": -each.amount if each.amount < 0 else None,
            "before": sides.natural(each.category, each.before),
            "after": sides.natural(each.category, each.after),
        }
        for each in preview.balances
    ]


def posted_rows(row: Reversal) -> list[dict[str, Any]]:
    """Return what a reversal did, line by line as it was posted. Of striped accounts no line knows the balance."""
    if row.reversal is None:
        return []
    found = []
    for line in row.reversal.lines.select_related("account").order_by("id"):
        account, is_whole = line.account, line.account.stripes == 1
        found.append(
            {
                "account": account.code,
                "url": url_of(account),
                "debit": line.amount if line.amount > 0 else None,
                "credit": -line.amount if line.amount < 0 else None,
                "before": sides.natural(account.category, line.balance_after - line.amount) if is_whole else None,
                "after": sides.natural(account.category, line.balance_after) if is_whole else None,
            }
        )
    return found


def _posted_lots(row: Reversal) -> Any:
    return shown_rows(shown_lots.of_lines(row.reversal.lines.all())) if row.reversal is not None else []


def _balance_fact(row: Mapping[str, Any], book: Book) -> Fact:
    amounts = (look.amount_text(row["before"], book.exponent), look.amount_cell(row["after"], book))
    return row["account"], format_html("{} → {}", *amounts)
