"""The page that proposes a merge or the undoing of one: it asks, shows what would move and what would refuse it, and sends the proposal."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import url_of
from config.doors.admin.typed_before import typed
from ledger_app.admin.accounts import member_link
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.merge_tables import identifiers_table, lots_table, moves_table, plan_days
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError, NotFound, Refused, card_numbers
from ledger_app.members.operations import merges as operations
from ledger_app.members.queries import members, merges
from ledger_app.members.rules.merges import PROPOSE
from ledger_app.models import Book, Holder, Merge
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look
from ledger_app.values.most import REASON_MOST


class MergeForm(forms.Form):
    """What every proposal is asked for."""

    title: Any
    lead: Any
    effective_on = forms.DateField(
        required=False,
        label=_("Date of the entries"),
        help_text=_("Empty: the day of the decision."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    reason = forms.CharField(max_length=REASON_MOST, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    @abstractmethod
    def about(self) -> Merge:
        """Return the proposal as far as the page it hangs on says it."""

    @abstractmethod
    def wanted(self) -> Merge:
        """Return the proposal.

        :raises Refused: not_found
        """


class MemberMergeForm(MergeForm):
    """Into whom a member is to be merged."""

    title = _("Propose a merge")
    lead = _(
        "You see first what would move, and what would refuse it. When another person approves the proposal, identifiers and points move to the other member, for ever."
    )
    survivor = forms.CharField(max_length=64, label=_("Member who remains"), help_text=_("A whole identifier."))
    field_order = ("survivor", "effective_on", "reason")

    def __init__(self, member: Holder, *args: Any, **kwargs: Any) -> None:
        """Ask about one member."""
        super().__init__(*args, **kwargs)
        self._member = member

    def clean_survivor(self) -> str:
        """Take no card number, which would go with every step of the page, and show none again; nor what two members have."""
        said: str = self.cleaned_data["survivor"]
        if card_numbers.holds(said):
            self.data = {**dict(self.data.items()), "survivor": ""}
            raise forms.ValidationError(_("Name the member by another identifier than a card number."))
        if len({match.holder_id for match in members.search(said, by=members.By.EXACT).matches}) > 1:
            raise forms.ValidationError(_("Several members have this identifier, of different kinds. Give another."))
        return said

    def about(self) -> Merge:
        """Return a proposal to merge the member."""
        return Merge(holder_id=self._member.pk)

    def wanted(self) -> Merge:
        """Return the proposal to merge the member into the member who has the identifier."""
        said = self.cleaned_data
        found = members.search(said["survivor"], by=members.By.EXACT).matches
        if not found:
            raise Refused([NotFound(what=_("member"), name=said["survivor"])])
        return merges.proposal(
            holder_id=self._member.pk,
            survivor_id=found[0].holder_id,
            reason=said["reason"],
            effective_on=said["effective_on"],
        )


class UndoForm(MergeForm):
    """What is given back when a merge is undone: by account, in the unit of its book."""

    title = _("Undo the merge")
    lead = _(
        "A new member is opened. When another person approves the proposal, it gets the identifiers that the merge moved, and the amounts that you state: nothing that was posted is rewritten."
    )

    def __init__(self, merge: Merge, *args: Any, **kwargs: Any) -> None:
        """Ask for an amount of each account that the merge took from, and begin with what is there of what it took."""
        super().__init__(*args, **kwargs)
        self._merge = merge
        self._places: dict[str, tuple[str, str]] = {}
        books = {book.code: book for book in Book.objects.all()}
        there = merges.given_back(merge, doorways.now())
        for number, (code, role, moved) in enumerate(merges.moved_amounts(merge)):
            amount = there.get((code, role), 0)
            book, name = books[code], f"amount_{number}"
            self._places[name] = (code, role)
            self.fields[name] = AmountField(
                book.exponent,
                required=False,
                label=f"{code} · {role}",
                initial=look.amount_text(amount, book.exponent) if amount else "",
                help_text=gettext(
                    "{unit}; the merge moved {moved}, as much as stands here is there; empty: nothing is given back"
                ).format(unit=book.unit, moved=look.amount_text(moved, book.exponent)),
            )
        self.order_fields([*self._places, "effective_on", "reason"])

    def clean(self) -> dict[str, Any]:
        """Take no amount that gives nothing: an empty field does that."""
        said: dict[str, Any] = super().clean() or {}
        for name in self._places:
            if said.get(name) is not None and said[name] <= 0:
                self.add_error(name, gettext("Give an amount above zero, or leave it empty."))
        return said

    def about(self) -> Merge:
        """Return a proposal to undo the merge."""
        return Merge(holder_id=self._merge.holder_id, undoes=self._merge)

    def wanted(self) -> Merge:
        """Return the proposal that the merge be undone."""
        said = self.cleaned_data
        amounts = [(*place, said[name]) for name, place in self._places.items() if said[name] is not None]
        return merges.undoing(merge_id=self._merge.pk, amounts=amounts, reason=said["reason"], effective_on=said["effective_on"])


def respond(request: HttpRequest, page: Any, pk: int, asks: Callable[[Any, Any], MergeForm]) -> HttpResponse:
    """Answer one step of the page: the form, the preview, or the result. ``page`` is the admin of the row that the proposal is about, number ``pk``.

    :raises Http404: where that is not there
    :raises PermissionDenied: for the person who may not see it, or may not propose
    """
    row = page.get_object(request, str(pk))
    if row is None:
        raise Http404
    caller = doorways.from_request(request, "admin")
    if PROPOSE not in rights_of(caller.user) or not page.has_view_permission(request, row):
        raise PermissionDenied
    before = typed(request)
    form = asks(row, before or (request.POST if request.method == "POST" else None))
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "object": page.name_of(row),
        "object_url": url_of(row),
        "title": form.title,
        "lead": form.lead,
        "form": form,
    }
    refused = merges.shut(form.about())
    if refused:
        context |= {"is_shut": True, "reasons": [reason.as_dict() for reason in refused]}
        request.current_app = page.admin_site.name
        return TemplateResponse(
            request, "ledger_app/propose_merge.html", context, status=409 if request.method == "POST" else 200
        )
    # A person who comes back to a page sees it again, and sends nothing.
    step = request.POST.get("step") if before is None else {"change": "change"}.get(before.get("step", ""), "show")
    if form.is_bound and form.is_valid():
        if step == "change":
            form.initial, form.is_bound = {name: form.data.get(name, "") for name in form.fields}, False
        elif (wanted := _wanted(form, refused)) is not None:
            if step == "send" and (made := _sent(wanted, caller, request.POST.get("shown", ""), refused)) is not None:
                sentence = gettext("Merge {number} is proposed. Another person decides it.").format(number=made)
                messages.success(request, sentence)
                return HttpResponseRedirect(url_of(made))
            context |= _previewed(wanted, caller)
    # What the preview says already is said once.
    there = {reason["code"] for reason in context.get("refusals", ())}
    context["reasons"] = [reason.as_dict() for reason in refused if reason.code not in there]
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "ledger_app/propose_merge.html", context, status=409 if refused else 200)


def _wanted(form: MergeForm, refused: list[LedgerError]) -> Merge | None:
    try:
        return form.wanted()
    except Refused as refusal:
        refused += refusal.reasons
        return None


def _sent(wanted: Merge, caller: Caller, digest_shown: str, refused: list[LedgerError]) -> Merge | None:
    try:
        return operations.propose(wanted, caller=caller, digest_shown=digest_shown)
    except LedgerError as error:
        refused += error.reasons if isinstance(error, Refused) else [error]
        return None


def _previewed(wanted: Merge, caller: Caller) -> dict[str, Any]:
    plan, refusals, digest = merges.preview(wanted, user=caller.user, at=caller.at)
    shown = plan.as_json()
    survivor = member_link(wanted.survivor) if wanted.survivor_id is not None else _("A new member")
    return {
        "is_preview": True,
        "summary": [
            (_("Member"), member_link(wanted.holder)),
            (_("Member who remains"), survivor),
            (_("Date of the entries"), look.day_text(wanted.effective_on) if wanted.effective_on else plan_days(shown)),
            (_("Reason"), wanted.reason),
        ],
        "parts": [moves_table(shown), *lots_table(shown), identifiers_table(shown)],
        "refusals": [reason.as_dict() for reason in refusals],
        "may_send": not refusals,
        "shown": digest,
    }
