"""Members in the admin: found by any identifier, with what they are named by, what they have, and what became of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config import doorways, telling
from config.model_admin import NOTHING, HistoryAdmin, link_to, url_of
from config.sheets import Column, Facts, Sheet, Table
from config.transition_admin import Done
from ledger_app.admin.accounts import line_cells, lines_of, member_link, member_number
from ledger_app.errors import LedgerError, NotFound, NotPermitted, Refused
from ledger_app.errors.members import CardNumberInAddress
from ledger_app.models import Holder, Identifier, MovedIdentifier
from ledger_app.operations import members as operations
from ledger_app.operations import merges as merging
from ledger_app.operations.audit import Caller
from ledger_app.queries import members, merges
from ledger_app.rules import identifiers, posting
from ledger_app.rules.identifiers import KINDS
from ledger_app.templatetags import look

LINES_OF_MEMBER = 10
MERGED_SHOWN = 50
TRAIL_SHOWN = 20
REASON_MOST = 500


class ReasonForm(forms.Form):
    """What every change of a member asks for."""

    reason = forms.CharField(max_length=REASON_MOST, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


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


class MergeForm(ReasonForm):
    """Into whom a member is to be merged."""

    survivor = forms.CharField(max_length=64, label=_("Member who remains: a whole identifier"))
    effective_on = forms.DateField(
        required=False,
        label=_("Date of the entries, the day of the decision where none is given"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("survivor", "effective_on", "reason")


class AskedPage(NamedTuple):
    """A page that asks for something: its title, what will happen, the form, and what it is about."""

    title: Any
    sentence: Any
    form: type[forms.Form]
    effects: Sequence[tuple[Any, Any]] = ()


def kind_text(kind: str) -> Any:
    """Return what people call a kind of identifier."""
    return KINDS[kind].label if kind in KINDS else kind


@admin.register(Holder)
class HolderAdmin(HistoryAdmin):
    """Members, found by any identifier, whole or by its beginning."""

    list_display = ("number", "name", "shown_opened_at")
    list_display_links = ("number",)
    search_fields = ("name__exact",)
    search_help_text = _("A member number or its beginning, a card token, a card’s last four, a name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the member number with each row."""
        number = (
            Identifier.objects.filter(holder=OuterRef("pk"), kind=Identifier.MEMBER_NUMBER).order_by("id").values("value")[:1]
        )
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
            *super().get_urls(),
        ]

    def identify(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for an identifier, and give it."""

        def give(caller: Caller, row: Holder, given: Mapping[str, Any]) -> str:
            made = operations.add_identifier(holder_id=row.pk, caller=caller, **given)
            return gettext("{identifier} is given to this member.").format(identifier=made.shown)

        page = AskedPage(
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
            return gettext("{identifier} ends on {day}.").format(identifier=done.shown, day=look.day_text(done.active_to))

        effects = [(_("Kind"), kind_text(found.kind)), (_("Value"), found.shown)]
        return self._asked(
            request, pk, AskedPage(_("End an identifier"), _("It stays the member’s, with its end."), EndForm, effects), end
        )

    def merge(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask into whom a member is to be merged, and propose it."""

        def propose(caller: Caller, row: Holder, given: Mapping[str, Any]) -> Done:
            found = members.search(given["survivor"], by=members.By.EXACT).matches
            if not found:
                raise Refused([NotFound(what=_("member"), name=identifiers.masked_text(given["survivor"]))])
            made = merging.propose(
                holder_id=row.pk,
                survivor_id=found[0].holder_id,
                reason=given["reason"],
                effective_on=given["effective_on"],
                caller=caller,
            )
            return Done(gettext("Merge {number} is proposed. Another person decides it.").format(number=made), url_of(made))

        sentence = _(
            "A proposal is made. When another person approves it, identifiers and points move to the other member, for ever."
        )
        return self._asked(request, pk, AskedPage(_("Propose a merge"), sentence, MergeForm), propose)

    def _asked(
        self, request: HttpRequest, pk: int, page: AskedPage, act: Callable[[Caller, Holder, Mapping[str, Any]], Any]
    ) -> HttpResponse:
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        form = page.form(request.POST if request.method == "POST" else None)
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
                sentence, address = done if isinstance(done, Done) else (done, url_of(row))
                messages.success(request, sentence)
                return HttpResponseRedirect(address)
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

    @admin.display(description=_("opened at (UTC)"), ordering="id")
    def shown_opened_at(self, row: Holder) -> SafeString:
        """When the member was registered, in UTC."""
        return look.instant_cell(row.opened_at)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return identifiers, accounts with their balances, and the last lines that explain them."""
        del request
        accounts = list(
            row.accounts.select_related("book").annotate(signed=Sum("balances__amount")).order_by("book__code", "code")
        )
        facts = [(_("Name"), row.name or NOTHING), (_("Opened at (UTC)"), look.instant_cell(row.opened_at))]
        facts += [(_("Merged into"), member_link(row.merged_into))] if row.merged_into else []
        merged = [member_link(each) for each in row.merged_from.order_by("id")[:MERGED_SHOWN]]
        facts += [(_("Merged from"), format_html_join(", ", "{}", ((each,) for each in merged)))] if merged else []
        remark = gettext("This member was merged: what is posted from now on goes to {member}.") if row.merged_into else ""
        remains = Holder.objects.get(pk=merges.survivors([row.pk])[row.pk])
        side: list[Any] = [Facts(_("The member"), facts), _identifiers_table(row), _moves_table(row)]
        if row.merged_into is None:
            side.insert(1, Facts(_("What can be done"), _offers(row)))
        return Sheet(
            title=gettext("Member {number}").format(number=self.name_of(row)),
            remark=format_html(remark, member=member_link(remains)) if remark else "",
            main=[
                _accounts_table(accounts),
                *(_lines_table(account) for account in accounts),
                _merges_table(row),
                _trail_table(row),
            ],
            side=side,
        )


def _offers(row: Holder) -> list[tuple[Any, Any]]:
    pages = (("identify", _("Add an identifier")), ("merge", _("Propose a merge")))
    return [
        (label, format_html('<a href="{}">{} ›</a>', reverse(f"admin:ledger_app_holder_{name}", args=[row.pk]), label))
        for name, label in pages
    ]


def _merges_table(row: Holder) -> Table:
    return Table(
        _("Merges"),
        (Column(_("number")), Column(_("member")), Column(_("member who remains")), Column(_("state")), Column(_("proposed by"))),
        [
            (link_to(each), member_link(each.holder), member_link(each.survivor), look.state_pill(each.state), each.proposed_by)
            for each in merges.of_member(row.pk, MERGED_SHOWN)
        ],
        _("No merge has named this member."),
    )


def _trail_table(row: Holder) -> Table:
    return Table(
        _("Who did what"),
        (Column(_("at")), Column(_("by")), Column(_("what")), Column(_("reason"))),
        [
            (
                look.instant_cell(each.at),
                each.actor.username,
                telling.told(each),
                each.reason or " ".join(reason.get("sentence", "") for reason in each.reasons) or NOTHING,
            )
            for each in members.trail(row.pk, TRAIL_SHOWN)
        ],
        _("Nobody has done anything here yet."),
    )


def _moves_table(row: Holder) -> Table:
    moved = MovedIdentifier.objects.filter(from_holder=row) | MovedIdentifier.objects.filter(to_holder=row)
    shown = moved.select_related("identifier", "merge", "from_holder", "to_holder").order_by("-id")[:MERGED_SHOWN]
    return Table(
        _("Identifiers that moved"),
        (Column(_("value")), Column(_("from")), Column(_("to")), Column(_("merge"))),
        [
            (each.identifier.shown, member_link(each.from_holder), member_link(each.to_holder), link_to(each.merge))
            for each in shown
        ],
        _("No identifier has come or gone by a merge."),
    )


def _accounts_table(accounts: list[Any]) -> Table:
    return Table(
        _("Accounts"),
        (
            Column(_("book")),
            Column(_("account")),
            Column(_("category")),
            Column(_("state")),
            Column(_("balance"), is_figure=True),
        ),
        [
            (
                each.book.code,
                link_to(each, each.code),
                each.get_category_display(),
                look.state_pill(each.state),
                look.amount_cell(posting.natural(each.category, each.signed or 0), each.book),
            )
            for each in accounts
        ],
        _("This member has no account."),
    )


def _lines_table(account: Any) -> Table:
    """Return the last lines of a member's account, whose balance after the first of them is the balance of the account."""
    lines = [line_cells(line, account) for line in lines_of(account)[:LINES_OF_MEMBER]]
    columns = (
        *(Column(_("date")), Column(_("entry")), Column(_("description"))),
        *(Column(_("debit"), is_figure=True), Column(_("credit"), is_figure=True), Column(_("balance after"), is_figure=True)),
    )
    unit = account.book.exponent
    return Table(
        gettext("Last lines of {account}").format(account=account.code),
        columns,
        [
            (
                format_html('<span class="day">{}</span>', look.day_text(line["date"])),
                format_html('<a class="nowrap" href="{}">{}</a>', line["url"], line["reference"]),
                line["description"],
                *(look.amount_filter(line[column], unit) for column in ("debit", "credit", "balance_after")),
            )
            for line in lines
        ],
        _("No entry has touched this account yet."),
        note=f"{account.book.code} · {account.book.unit}",
        more=(_("All lines ›"), url_of(account)),
    )


def _identifiers_table(holder: Holder) -> Table:
    return Table(
        _("Identifiers"),
        (Column(_("kind")), Column(_("value")), Column(_("valid")), Column(_("what can be done"))),
        [
            (
                kind_text(each.kind),
                each.shown,
                f"{look.day_text(each.active_from)} – {look.day_text(each.active_to)}"
                if each.active_from or each.active_to
                else _("always"),
                NOTHING if each.active_to else _end_link(each),
            )
            for each in holder.identifiers.order_by("kind", "value")
        ],
        _("This member has no identifier."),
    )


def _end_link(row: Identifier) -> SafeString:
    address = reverse("admin:ledger_app_holder_end_identifier", args=[row.holder_id, row.pk])
    return format_html('<a href="{}">{}</a>', address, _("End"))
