"""Lots, their rules and runs of expiry in the admin."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to, url_of
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.admin.accounts import member_link
from ledger_app.admin.holds import seen_state
from ledger_app.admin.lot_tables import link_text
from ledger_app.admin.rule_forms import LotRuleForms
from ledger_app.books.queries import books
from ledger_app.errors import Refused
from ledger_app.models import Account, Book, ExpiryRun, Lot, LotRule
from ledger_app.points.queries import expiry, lot_pages
from ledger_app.templatetags import look

CHUNKS_SHOWN = 50


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """Lots: what was granted, used by what, and what is left."""

    list_display = ("number", "shown_account", "kind", "shown_granted_on", "shown_due_on", "shown_amount", "shown_left")
    list_display_links = ("number",)
    search_fields = ("account__code__exact",)
    search_help_text = _("A whole account code")
    list_select_related = ("account__book", "remainder")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find the accounts first, by their index: there are more lots than accounts."""
        if term := search_term.strip():
            return queryset.filter(**books.narrowed({"account": term})), False
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Let the account's page lead to its lots."""
        return lookup == "account__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description=_("lot"), ordering="id")
    def number(self, row: Lot) -> str:
        """The number."""
        return str(row)

    @admin.display(description=_("account"))
    def shown_account(self, row: Lot) -> SafeString | str:
        """The account, as a link."""
        return link_to(row.account)

    @admin.display(description=_("granted on"))
    def shown_granted_on(self, row: Lot) -> str:
        """The day of granting."""
        return look.day_text(row.granted_on)

    @admin.display(description=_("due on"))
    def shown_due_on(self, row: Any) -> str:
        """The last day of what is left."""
        remainder = getattr(row, "remainder", None)
        day = remainder.due_on if remainder else row.expires_on
        return look.day_text(day) if day else NOTHING

    @admin.display(description=_("granted"))
    def shown_amount(self, row: Lot) -> SafeString:
        """What was granted."""
        return look.amount_cell(row.amount, row.account.book)

    @admin.display(description=_("left"))
    def shown_left(self, row: Any) -> SafeString:
        """What is left."""
        remainder = getattr(row, "remainder", None)
        return look.amount_cell(remainder.remaining if remainder else 0, row.account.book)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return what the lot is, and each entry that took of it."""
        del request
        lot: Any = lot_pages.of_account(row.account, at=doorways.now()).get(pk=row.pk)
        book, remainder = row.account.book, getattr(lot, "remainder", None)
        facts = [
            (_("Account"), link_to(lot.account)),
            (_("Member"), member_link(lot.account.holder)),
            (_("Kind"), lot.get_kind_display()),
            (_("Granted by"), link_to(lot.line.entry)),
            (_("Granted on"), look.day_text(lot.granted_on)),
            (_("Expires on"), look.day_text(lot.expires_on) if lot.expires_on else _("never")),
            (_("Due on"), look.day_text(remainder.due_on) if remainder and remainder.due_on else NOTHING),
            (_("Granted"), look.amount_cell(lot.amount, book)),
            (_("Left"), look.amount_cell(remainder.remaining if remainder else 0, book)),
            (_("Held"), look.amount_cell(sum(part.amount for part in lot.held_parts), book)),
        ]
        rows = [
            (
                look.day_text(use.line.entry.effective_on),
                link_to(use.line.entry),
                look.amount_filter(use.amount if use.amount > 0 else None, book),
                look.amount_filter(-use.amount if use.amount < 0 else None, book),
            )
            for use in lot.uses.all()
        ]
        columns = (
            *(Column(_("date")), Column(_("entry"))),
            *(Column(_("taken"), is_figure=True), Column(_("given back"), is_figure=True)),
        )
        held = [
            (link_to(part.hold), look.state_pill(seen_state(part.hold)), look.amount_cell(part.amount, book))
            for part in _parts(lot)
        ]
        tables = [Table(_("Used by"), columns, rows, _("Nothing has been taken of this lot."))]
        if held:
            of_hold = (Column(_("hold")), Column(_("state")), Column(_("amount"), is_figure=True))
            tables.append(Table(_("Held by"), of_hold, held, ""))
        return Sheet(title=gettext("Lot {number}").format(number=row), main=tables, side=[Facts(_("The lot"), facts)])


def _parts(lot: Lot) -> list[Any]:
    return list(lot.held_by.select_related("hold").order_by("-id")[:CHUNKS_SHOWN])


@admin.register(LotRule)
class LotRuleAdmin(LotRuleForms):
    """The rules of lots, and what would expire by a day."""

    list_display = ("book", "role", "shown_expiry", "order", "kind", "shown_breakage")
    list_select_related = ("book", "breakage")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of what is due."""
        own = [
            path("due/<int:pk>/", self.admin_site.admin_view(self.due_of_book), name="ledger_app_lotrule_due"),
            path(
                "due/account/<int:pk>/", self.admin_site.admin_view(self.due_of_account), name="ledger_app_lotrule_due_of_account"
            ),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=_("expiry"))
    def shown_expiry(self, row: LotRule) -> str:
        """When a lot's last day is, with its figure."""
        return look.expiry_text(row.expiry, row.validity, row.fixed_on)

    @admin.display(description=_("breakage account"))
    def shown_breakage(self, row: LotRule) -> SafeString | str:
        """Where what has expired goes."""
        return link_to(row.breakage)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the rule, and where what is due can be seen."""
        address = reverse("admin:ledger_app_lotrule_due", args=[row.book_id])
        facts = [
            (_("Book"), link_to(row.book)),
            (_("Role"), row.role),
            (_("Expiry"), self.shown_expiry(row)),
            (_("Order of spending"), row.get_order_display()),
            (_("Kind of a grant"), row.get_kind_display()),
            (_("Breakage account"), link_to(row.breakage)),
        ]
        return Sheet(
            title=gettext("Lots of {book}, role {role}").format(book=row.book.code, role=row.role),
            main=[Facts(_("The rule"), facts)],
            remark=format_html("{} {}", link_text(address, gettext("What would expire by a day")), self.remark(request, row)),
        )

    def due_of_book(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what of a book would expire by a day, once one is asked for: it may be a great many rows."""
        book = Book.objects.filter(pk=pk).first()
        if book is None:
            raise Http404
        return self._due(request, book, url_of(book), {"book_id": book.pk})

    def due_of_account(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what of an account would expire by a day."""
        account = Account.objects.select_related("book").filter(pk=pk).first()
        if account is None:
            raise Http404
        return self._due(request, account, url_of(account), {"account_id": account.pk})

    def _due(self, request: HttpRequest, of: Any, address: str, given: dict[str, int]) -> HttpResponse:
        if not request.user.has_perm("ledger_app.view_openlot"):
            raise PermissionDenied
        book = of if isinstance(of, Book) else of.book
        asked = DueForm(request.GET or None)
        by = asked.cleaned_data["by"] if asked.is_bound and asked.is_valid() else None
        try:
            days = expiry.due_while_waited_for(by=by, at=doorways.now(), **given) if by else []
        except Refused as refusal:
            asked.add_error("by", refusal.sentence)
            by, days = None, []
        columns = (
            *(Column(_("due on")), Column(_("accounts"), is_figure=True), Column(_("lots"), is_figure=True)),
            *(Column(_("amount"), is_figure=True), Column(_("of it held"), is_figure=True)),
        )
        rows = [(look.day_text(day.due_on), day.accounts, day.lots, *_amounts(day, book)) for day in days]
        whole = expiry.total(days)
        title = gettext("What would expire of {what}").format(what=of)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "form": asked,
            "back": (address, str(of)),
            "part": Table(_("By day"), columns, rows, _("Nothing would expire by that day.")) if by else None,
            "sum": look.amount_cell(whole.amount, book) if whole else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/due.html", context)


def _amounts(day: expiry.DayDue, book: Book) -> tuple[Any, Any]:
    return look.amount_filter(day.amount, book), look.amount_filter(day.held, book)


class DueForm(forms.Form):
    """By when."""

    by = forms.DateField(
        label=_("Due by"),
        initial=lambda: doorways.now().date() + timedelta(days=31),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("What is due up to and on this day."),
    )

    def clean_by(self) -> date:
        """Return the day."""
        found: date = self.cleaned_data["by"]
        return found


@admin.register(ExpiryRun)
class ExpiryRunAdmin(ReadOnlyAdmin):
    """The runs of expiry, and what each posted."""

    list_display = ("book", "shown_through", "shown_started_at")
    list_filter = ("book",)
    list_select_related = ("book",)

    @admin.display(description=_("through"))
    def shown_through(self, row: ExpiryRun) -> str:
        """The last day."""
        return look.day_text(row.through)

    @admin.display(description=_("started at"))
    def shown_started_at(self, row: ExpiryRun) -> SafeString:
        """When it began."""
        return look.instant_cell(row.started_at, row.book)

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the run, and its parts."""
        del request
        facts = [
            (_("Book"), link_to(row.book)),
            (_("Through"), look.day_text(row.through)),
            (_("Started at"), look.instant_cell(row.started_at, row.book)),
            (_("Started by"), row.started_by.username),
        ]
        parts = [
            (str(each), each.entry_count, look.amount_filter(each.amount, row.book))
            for each in row.chunks.filter(Q(entry_count__gt=0)).order_by("id")[:CHUNKS_SHOWN]
        ]
        columns = (Column(_("part")), Column(_("entries"), is_figure=True), Column(_("amount"), is_figure=True))
        table = Table(_("Parts, each posted in one transaction"), columns, parts, _("Nothing was posted."))
        return Sheet(title=str(row), main=[table], side=[Facts(_("The run of expiry"), facts)])
