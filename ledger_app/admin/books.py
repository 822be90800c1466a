"""Books and seals in the admin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import NOTHING, HistoryAdmin, ReadOnlyAdmin, facts_of, link_to
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from ledger_app.admin.opening import BookPages, may
from ledger_app.admin.reports import ReportPages
from ledger_app.books.operations.books import OPEN
from ledger_app.models import Account, Book, Seal
from ledger_app.templatetags import look


@admin.register(Book)
class BookAdmin(HistoryAdmin):
    """The books: one unit each, and the zone that says what a date is."""

    list_display = ("code", "name", "unit", "exponent", "time_zone")
    ordering = ("code",)
    change_list_template = "ledger_app/kept_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that open books and what they begin with, and their reports."""
        return [*BookPages(self).urls(), *ReportPages(self).urls(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the link that opens a book, for a user who may."""
        address = reverse("admin:ledger_app_book_open") if may(request, OPEN) else ""
        return super().changelist_view(
            request, {"keep_address": address, "keep_label": _("Open a book"), **(extra_context or {})}
        )

    def sheet(self, request: HttpRequest, row: Book) -> Sheet:
        """Return what a book is, its periods, and which accounts its members get."""
        periods = [
            (
                link_to(period, period.name),
                look.day_text(period.starts_on),
                look.day_text(period.ends_on),
                look.state_pill(period.state),
            )
            for period in row.periods.order_by("-starts_on")
        ]
        columns = (Column(_("period")), Column(_("starts on")), Column(_("ends on")), Column(_("state")))
        return Sheet(
            title=row.code,
            subtitle=row.name,
            remark=BookPages(self).links(request, row),
            main=[Table(_("Periods"), columns, periods, _("No period has been opened yet.")), _templates(row)],
            side=[Facts(_("The book"), facts_of(row, without=frozenset({"id"})))],
        )


def _templates(book: Book) -> Table:
    """Return which accounts a member is opened in a book."""
    rows = [
        (each.role, each.get_category_display(), NOTHING if each.floor is None else look.amount_cell(each.floor, book))
        for each in book.templates.order_by("role")
    ]
    columns = (Column(_("role")), Column(_("category")), Column(_("floor"), is_figure=True))
    return Table(_("Accounts that each member gets"), columns, rows, _("None: members who are registered get no account here."))


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The evidence of each freeze."""

    list_display = ("period", "number", "shown_digest", "shown_entries", "shown_debits", "sealed_by", "shown_at")
    list_filter = ("book",)
    list_select_related = ("period__book", "book", "sealed_by")

    def name_of(self, row: Seal) -> str:
        """Return the period that is sealed."""
        return str(row.period)

    @admin.display(description=_("digest"))
    def shown_digest(self, row: Seal) -> SafeString:
        """The digest, shortened, whole on a click."""
        return look.digest_cell(bytes(row.digest))

    @admin.display(description=_("entries"))
    def shown_entries(self, row: Seal) -> SafeString:
        """How many entries."""
        return look.count_cell(row.entry_count)

    @admin.display(description=_("sum of debits"))
    def shown_debits(self, row: Seal) -> SafeString:
        """The sum of debits in the book's unit."""
        return look.amount_cell(row.debit_total, row.book)

    @admin.display(description=_("sealed at"))
    def shown_at(self, row: Seal) -> SafeString:
        """When, in the book's zone."""
        return look.instant_cell(row.sealed_at, row.book)

    def sheet(self, request: HttpRequest, row: Seal) -> Sheet:
        """Return what was sealed, and what the seal hangs on."""
        del request
        facts: list[tuple[Any, Any]] = [
            (_("Period"), link_to(row.period)),
            (_("Number"), row.number),
            (_("Digest"), look.digest_cell(bytes(row.digest))),
            (_("Seal before it"), link_to(row.previous) if row.previous else _("none: the first of the book")),
            (_("Canonical form"), row.form),
            (_("Sealed at"), look.instant_cell(row.sealed_at, row.book)),
            (_("Sealed by"), row.sealed_by.username),
            (_("Code version"), row.code_version),
        ]
        columns = (*(Column(_("category")), Column(_("accounts"))), *(Column(each, is_figure=True) for each in FIGURES.values()))
        rows = [
            (each["category"], each["role"], *(look.amount_filter(each[figure], row.book) for figure in FIGURES))
            for each in shown_trial_balance(row.trial_balance)
        ]
        return Sheet(
            title=gettext("Seal of {period}").format(period=row.period),
            state="frozen",
            main=[
                Facts(_("What was sealed"), [*_sums(row), *controls_of(row)]),
                Table(_("Trial balance"), columns, rows, _("No entry is dated in this period."), note=row.book.unit),
            ],
            side=[Facts(_("The seal"), facts)],
        )


FIGURES = {"opening": _("opening"), "debit": _("debit"), "credit": _("credit"), "closing": _("closing")}


def shown_trial_balance(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a trial balance with categories in words, and their total as the last row; none where there is none."""
    words = dict(Account.Category.choices)
    shown = [{**row, "category": words.get(row["category"], row["category"])} for row in rows]
    if not shown:
        return []
    sums = {column: sum(row[column] for row in rows) for column in FIGURES}
    return [*shown, {"category": _("Total"), "role": "", "is_total": True, **sums}]


def controls_of(seal: Seal) -> list[tuple[Any, Any]]:
    """Return the control totals that were typed in at a freeze, as (label, value)."""
    return [
        (
            gettext("Control total {name}").format(name=name),
            look.count_cell(value) if name == "entries" else look.amount_cell(value, seal.book),
        )
        for name, value in seal.controls.items()
    ] or [(_("Control totals"), NOTHING)]


def _sums(seal: Seal) -> list[tuple[Any, Any]]:
    return [
        (_("Entries"), look.count_cell(seal.entry_count)),
        (_("Lines"), look.count_cell(seal.line_count)),
        (_("Sum of debits"), look.amount_cell(seal.debit_total, seal.book)),
    ]


def sealed_facts(seal: Seal) -> list[tuple[Any, Any]]:
    """Return what a seal says, for the page of its period."""
    return [
        (_("Digest"), look.digest_cell(bytes(seal.digest))),
        (_("Seal before it"), link_to(seal.previous) if seal.previous else _("none: the first of the book")),
        *_sums(seal),
        (_("Sealed at"), look.instant_cell(seal.sealed_at, seal.book)),
        (_("Sealed by"), seal.sealed_by.username),
        (_("Code version"), seal.code_version),
        *controls_of(seal),
        (_("Evidence"), link_to(seal, gettext("The seal ›"))),
    ]
