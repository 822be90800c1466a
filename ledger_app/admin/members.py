"""Members in the admin: found by any identifier, with what they are named by, what they have, and what became of them."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, HistoryAdmin, link_to, url_of
from config.doors.admin.sheets import Facts, Offers, Sheet
from config.doors.admin.typed_before import typed
from ledger_app.admin import answers
from ledger_app.admin.accounts import member_link, member_number
from ledger_app.admin.answers import Answers
from ledger_app.admin.member_forms import MemberPage, ReasonForm
from ledger_app.admin.member_tables import (
    MERGED_SHOWN,
    accounts_table,
    identifiers_table,
    kind_text,
    lines_table,
    merges_table,
    moves_table,
    trail_table,
)
from ledger_app.admin.merge_proposals import MemberMergeForm, respond
from ledger_app.admin.opening import RegisterPage
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries.totals import Total
from ledger_app.erasures import queries as erasures
from ledger_app.errors import LedgerError, NotPermitted, Refused
from ledger_app.errors.members import CardNumberInAddress
from ledger_app.members.operations import members as operations
from ledger_app.members.queries import members, merges
from ledger_app.members.rules.merges import PROPOSE
from ledger_app.models import Holder, Identifier, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look
from ledger_app.values import identifiers
from ledger_app.values.identifiers import KINDS

GIVEN = {
    operations.Answer.GIVEN: _("{identifier} is given to this member."),
    operations.Answer.ALREADY: _("{identifier} was this member’s already. Nothing was written."),
    operations.Answer.AHEAD: _("{identifier} is this member’s already, from {from_day} on. Nothing was written."),
    operations.Answer.AGAIN: _("{identifier}, which had ended, is given to this member again."),
}
ENDED = {
    operations.Answer.ENDED: _("{identifier} ends on {day}."),
    operations.Answer.ALREADY: _("{identifier} had {day} as its last day already. Nothing was written, and no reason was kept."),
}


class IdentifierForm(ReasonForm):
    """An identifier. What was typed is not shown again after a refusal: it may be a card number."""

    kind = forms.ChoiceField(choices=[(name, kind.label) for name, kind in KINDS.items()], label=_("Kind"))
    value = forms.CharField(max_length=64, label=_("Value"), widget=forms.PasswordInput(attrs={"autocomplete": "off"}))
    active_from = forms.DateField(required=False, label=_("Active from"), widget=forms.DateInput(attrs={"type": "date"}))
    active_to = forms.DateField(required=False, label=_("Active to"), widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("kind", "value", "active_from", "active_to", "reason")


class EndForm(ReasonForm):
    """The end of an identifier."""

    active_to = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    field_order = ("active_to", "reason")


@admin.register(Holder)
class HolderAdmin(Answers, HistoryAdmin):
    """Members, found by any identifier, whole or by its beginning."""

    list_display = ("number", "name", "shown_opened_at")
    list_display_links = ("number",)
    search_fields = ("name__exact",)
    search_help_text = _("A member number or its beginning, a card token, a card’s last four, a name")
    change_list_template = "ledger_app/kept_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the link that registers members, for a user who may."""
        shown = {"keep_address": RegisterPage(self).address(request), "keep_label": _("Register members")}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the member number with each row."""
        number = members.numbers_own_first().filter(holder=OuterRef("pk")).values("value")[:1]
        rows: QuerySet[Any] = super().get_queryset(request).annotate(member_number=Subquery(number))
        return rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by any identifier or name, by the ranges of their indexes. A card number is looked for where it is not in an address."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if request.method != "POST" and identifiers.card_digits(term):
            remedy = gettext("Use the search at the top of the page.")
            messages.error(request, CardNumberInAddress(remedy=remedy).sentence)
            return queryset.none(), False
        try:
            found = members.search(term)
        except Refused:
            return queryset.none(), False
        return queryset.filter(pk__in={match.holder_id for match in found.matches}), False

    def get_urls(self) -> list[URLPattern]:
        """Add the pages on which something is asked for."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/identify/", wrap(self.identify), name="ledger_app_holder_identify"),
            path(
                "<int:pk>/identifiers/<int:identifier>/end/", wrap(self.end_identifier), name="ledger_app_holder_end_identifier"
            ),
            path("<int:pk>/merge/", wrap(self.merge), name="ledger_app_holder_merge"),
            *self.answer_urls(),
            *RegisterPage(self).urls(),
            *super().get_urls(),
        ]

    def identify(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for an identifier, and give it."""

        def give(caller: Caller, row: Holder, given: Mapping[str, Any]) -> str:
            span = operations.Span(given["active_from"], given["active_to"])
            said = {name: given[name] for name in ("kind", "value", "reason")}
            made = operations.give(holder_id=row.pk, caller=caller, span=span, **said)
            from_day = look.day_text(made.identifier.active_from)
            return str(GIVEN[made.answer]).format(identifier=made.identifier.shown, from_day=from_day)

        page = MemberPage(
            _("Add an identifier"), _("The member is found by it from now on. It is never given to another."), IdentifierForm
        )
        return self._asked(request, pk, page, give)

    def end_identifier(self, request: HttpRequest, pk: int, identifier: int) -> HttpResponse:
        """Ask for the last day of an identifier, and end it."""
        found = Identifier.objects.filter(pk=identifier, holder_id=pk).first()
        if found is None:
            raise Http404

        def end(caller: Caller, _row: Holder, given: Mapping[str, Any]) -> str:
            done = operations.end_identifier(identifier_id=identifier, caller=caller, **given)
            day = look.day_text(done.identifier.active_to)
            return str(ENDED[done.answer]).format(identifier=done.identifier.shown, day=day)

        effects = [(_("Kind"), kind_text(found.kind)), (_("Value"), found.shown)]
        return self._asked(
            request, pk, MemberPage(_("End an identifier"), _("It stays the member’s, with its end."), EndForm, effects), end
        )

    def merge(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask into whom a member is to be merged, show what it would do, and propose it."""
        return respond(request, self, pk, MemberMergeForm)

    def _asked(
        self,
        request: HttpRequest,
        pk: int,
        page: MemberPage,
        act: Callable[[Caller, Holder, Mapping[str, Any]], str | HttpResponse],
    ) -> HttpResponse:
        """Show the page, and on a POST act: with a sentence of what was done, or with an answer of its own."""
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        form = page.form(
            request.POST if request.method == "POST" else None, initial={**page.initial, **(typed(request) or QueryDict()).dict()}
        )
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                done = act(doorways.from_request(request, "admin"), row, form.cleaned_data)
            except LedgerError as error:
                reasons = error.reasons if isinstance(error, Refused) else (error,)
                for reason in reasons:
                    form.add_error(None, reason.sentence)
                status = 403 if any(isinstance(reason, NotPermitted) for reason in reasons) else 409
            else:
                if isinstance(done, HttpResponseBase):
                    return done
                messages.success(request, done)
                return HttpResponseRedirect(url_of(row))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": page.title,
            "object": self.name_of(row),
            "named": self.name_of(row),
            "object_url": url_of(row),
            "sentence": page.sentence,
            "effects": [(_("Member"), self.name_of(row)), *page.effects],
            "fields": form,
            "reasons": [] if request.method == "POST" else _blockers(doorways.from_request(request, "admin").user, page),
            "submit_label": page.title,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "kakutei/confirm_transition.html", context, status=status)

    def name_of(self, row: Any) -> str:
        """Return the member number, and the name where there is one."""
        number = getattr(row, "member_number", None) or member_number(row)
        return f"{number} · {row.name}" if row.name else number

    @admin.display(description=_("member number"))
    def number(self, row: Any) -> str:
        """The member number."""
        return row.member_number or f"#{row.pk}"

    @admin.display(description=_("opened at"), ordering="id")
    def shown_opened_at(self, row: Holder) -> SafeString:
        """When the member was registered, in UTC."""
        return look.instant_cell(row.opened_at)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return identifiers, accounts with their balances, and the last lines that explain them."""
        accounts = list(
            row.accounts.select_related("book").annotate(signed=Total("balances__amount")).order_by("book__code", "code")
        )
        facts = [(_("Name"), row.name or NOTHING), (_("Opened at"), look.instant_cell(row.opened_at))]
        facts += [(_("Merged into"), member_link(row.merged_into))] if row.merged_into else []
        if (erased := erasures.of_member(row.pk)) is not None:
            facts[0] = (
                _("Name"),
                format_html(
                    gettext("erased by request {erasure}, {at}"), erasure=link_to(erased), at=look.instant_cell(erased.decided_at)
                ),
            )
        merged = [member_link(each) for each in row.merged_from.order_by("id")[:MERGED_SHOWN]]
        facts += [(_("Merged from"), format_html_join(", ", "{}", ((each,) for each in merged)))] if merged else []
        remark = gettext("This member was merged: what is posted from now on goes to {member}.") if row.merged_into else ""
        user = doorways.from_request(request, "admin").user
        may_end = operations.RIGHT in rights_of(user) and row.merged_into is None
        remains = Holder.objects.get(pk=merges.survivors([row.pk])[row.pk])
        side: list[Any] = [Facts(_("The member"), facts), identifiers_table(row, may_end=may_end), moves_table(row)]
        if row.merged_into is None:
            side.insert(0, Offers(_("What can be done"), [*_offers(row, user), *answers.offers(row, user)]))
        return Sheet(
            title=gettext("Member {number}").format(number=self.name_of(row)),
            remark=format_html(remark, member=member_link(remains)) if remark else "",
            main=[
                accounts_table(accounts, user, doorways.now()),
                *(lines_table(account) for account in accounts),
                merges_table(row),
                trail_table(row),
            ],
            side=side,
        )


def _blockers(user: User, page: MemberPage) -> list[dict[str, Any]]:
    """Return why a user is not shown the form of what they may not do."""
    if page.right in rights_of(user):
        return []
    return [NotPermitted(user=user.username, right=page.title, who=page.who).as_dict()]


def _offers(row: Holder, user: User) -> list[dict[str, Any]]:
    """Return what can be done with a member; what the user may not do is disabled, and its blocker says whose right it is."""
    rights = rights_of(user)
    offers = (
        ("identify", _("Add an identifier"), operations.RIGHT, _("The member is found by it from now on.")),
        ("merge", _("Propose a merge"), PROPOSE, _("The member becomes one with another, once another person has approved it.")),
    )
    return [
        {
            "name": name,
            "label": label,
            "description": description,
            "url": reverse(f"admin:ledger_app_holder_{name}", args=[row.pk]),
            "blockers": [] if right in rights else [NotPermitted(user=user.username, right=label, who=_("Support")).as_dict()],
            "primary": False,
        }
        for name, label, right, description in offers
    ]
