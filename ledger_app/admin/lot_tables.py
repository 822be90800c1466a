"""What pages of accounts, entries and proposals show of lots."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import link_to
from config.doors.admin.sheets import Column, Table
from ledger_app.models import Account, Book, Entry, Lot
from ledger_app.points.queries import lot_pages
from ledger_app.posting.queries.lots import held_at
from ledger_app.posting.rules.lots import ShownLot
from ledger_app.templatetags import look

LOTS_SHOWN = 10


def link_text(address: str, text: str) -> SafeString:
    """Return a link."""
    return format_html('<a href="{}">{}</a>', address, text)


def open_lots_table(account: Account) -> Table | None:
    """Return what is open of an account's lots, due first first; None where it keeps none."""
    if not account.keeps_lots:
        return None
    book = account.book
    open_lots = lot_pages.open_of(account, LOTS_SHOWN)
    held = held_at(open_lots, doorways.now())
    rows = [
        (
            format_html("{}<em>{}</em>", link_to(each.lot), link_to(each.lot.line.entry)),
            format_html(
                '<span class="day">{}</span><em>{}</em>', look.day_text(each.lot.granted_on), each.lot.get_kind_display()
            ),
            day_or_never(each.due_on),
            look.amount_filter(each.lot.amount, book),
            look.amount_filter(each.remaining, book),
            look.amount_filter(held[each.lot_id] or None, book),
        )
        for each in open_lots
    ]
    address = f"{reverse('admin:ledger_app_lot_changelist')}?account__id__exact={account.pk}"
    due = reverse("admin:ledger_app_lotrule_due_of_account", args=[account.pk])
    return Table(
        _("Lots with something left"),
        (
            *(Column(_("lot, and what granted it")), Column(_("granted on")), Column(_("due on"))),
            *(Column(_("granted"), is_figure=True), Column(_("left"), is_figure=True), Column(_("held"), is_figure=True)),
        ),
        rows,
        _("No lot has anything left."),
        note=link_text(due, gettext("What would expire by a day")),
        more=(_("All lots ›"), address),
    )


def allocation_table(entry: Entry) -> Table | None:
    """Return a table of the lots that an entry granted, took from or gave back to; None where it did none of this."""
    book = entry.book
    rows = [
        (link_to(each.account), link_to(each), each.get_kind_display(), gettext("granted"), look.amount_filter(each.amount, book))
        for each in lot_pages.made_by(entry)
    ]
    rows += [
        (
            link_to(each.lot.account),
            link_to(each.lot),
            each.lot.get_kind_display(),
            gettext("taken") if each.amount > 0 else gettext("given back"),
            look.amount_filter(abs(each.amount), book),
        )
        for each in lot_pages.used_by(entry)
    ]
    if not rows:
        return None
    columns = (
        *(Column(_("account")), Column(_("lot")), Column(_("kind")), Column(_("what was done"))),
        Column(_("amount"), is_figure=True),
    )
    return Table(_("Lots of this entry"), columns, rows, "")


class LotRow(NamedTuple):
    """A lot that an entry would make, take of or give back to, as a table shows it. ``change`` is what it gets, in minor units."""

    account: str
    lot: SafeString | str
    kind: str
    granted_on: str
    expires_on: str
    change: int


def shown_rows(lots: Sequence[ShownLot]) -> list[LotRow]:
    """Return what a proposal would do to lots, row by row."""
    kinds = dict(Lot.Kind.choices)
    return [
        LotRow(
            each.account,
            link_text(reverse("admin:ledger_app_lot_change", args=[each.lot]), f"#{each.lot}")
            if each.lot
            else gettext("new lot"),
            str(kinds[each.kind]),
            each.granted_on,
            each.expires_on or gettext("never"),
            each.amount,
        )
        for each in lots
    ]


def shown_facts(lots: Sequence[ShownLot], book: Book) -> list[tuple[Any, Any]]:
    """Return the same as facts of a page that asks for a decision: which lot, and what it gets."""
    template = gettext("{account}, {kind}, last day {day}")
    return [
        (
            format_html("{} <em>{}</em>", row.lot, template.format(account=row.account, kind=row.kind, day=row.expires_on)),
            look.amount_cell(row.change, book),
        )
        for row in shown_rows(lots)
    ]


def day_or_never(day: Any) -> str:
    """Return the last day of a lot, or that it has none."""
    return look.day_text(day) if day else gettext("never")
