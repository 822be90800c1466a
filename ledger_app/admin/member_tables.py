"""What the page of a member shows: accounts, identifiers, merges, and who did what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.doors import telling
from config.doors.admin.model_admin import NOTHING, link_to, url_of
from config.doors.admin.sheets import Column, Table
from ledger_app.admin.account_days import balance_cell
from ledger_app.admin.accounts import latest_lines, member_link
from ledger_app.admin.explanations import offers_of
from ledger_app.members.queries import members, merges
from ledger_app.models import Holder, Identifier, MovedIdentifier, User
from ledger_app.points.queries import standing
from ledger_app.templatetags import look
from ledger_app.values.identifiers import KINDS

LINES_OF_MEMBER = 10
MERGED_SHOWN = 50
TRAIL_SHOWN = 20


def kind_text(kind: str) -> Any:
    """Return what people call a kind of identifier."""
    return KINDS[kind].label if kind in KINDS else kind


def merges_table(row: Holder) -> Table:
    """Return the merges that named a member."""
    return Table(
        _("Merges"),
        (Column(_("number")), Column(_("member")), Column(_("member who remains")), Column(_("state")), Column(_("proposed by"))),
        [
            (link_to(each), member_link(each.holder), member_link(each.survivor), look.state_pill(each.state), each.proposed_by)
            for each in merges.of_member(row.pk, MERGED_SHOWN)
        ],
        _("No merge has named this member."),
    )


def trail_table(row: Holder) -> Table:
    """Return who did what with a member, the latest first."""
    return Table(
        _("Who did what"),
        (Column(_("at")), Column(_("by")), Column(_("what was done")), Column(_("reason"))),
        [
            (
                look.instant_cell(each.at),
                format_html('<span class="nowrap">{}</span>', each.actor.username),
                telling.phrase_of(each),
                each.reason or " ".join(reason.get("sentence", "") for reason in each.reasons) or NOTHING,
            )
            for each in members.trail(row.pk, TRAIL_SHOWN)
        ],
        _("Nothing has been changed in this itself. What was posted to it stands in its entries."),
    )


def moves_table(row: Holder) -> Table:
    """Return the identifiers that came or went by merges."""
    moved = MovedIdentifier.objects.filter(from_holder=row) | MovedIdentifier.objects.filter(to_holder=row)
    shown = moved.select_related("identifier", "merge", "from_holder", "to_holder").order_by("-id")[:MERGED_SHOWN]
    return Table(
        _("Identifiers that moved"),
        (
            Column(_("value")),
            Column(pgettext_lazy("what moves", "from")),
            Column(pgettext_lazy("what moves", "to")),
            Column(_("merge")),
        ),
        [
            (each.identifier.shown, member_link(each.from_holder), member_link(each.to_holder), link_to(each.merge))
            for each in shown
        ],
        _("No identifier has come or gone by a merge."),
    )


def accounts_table(accounts: Sequence[Any], user: User, at: datetime) -> Table:
    """Return a member's accounts with their balances and what of them can be spent, and what leads on from each for a user."""
    found = standing.of(accounts, at=at)
    columns = (
        *(Column(_("book")), Column(_("account")), Column(_("state")), Column(_("balance"), is_figure=True)),
        *(Column(_("can be spent"), is_figure=True), Column(_("what can be done"))),
    )
    rows = [
        (
            each.book.code,
            format_html("{}<em>{}</em>", link_to(each, each.code), each.get_category_display()),
            look.state_pill(each.state),
            balance_cell(each),
            _spendable(found[each.pk], each.book),
            format_html_join(" · ", '<a href="{1}">{0}</a>', offers_of(each, user)),
        )
        for each in accounts
    ]
    return Table(_("Accounts"), columns, rows, _("This member has no account."))


def _spendable(found: standing.Standing, book: look.Unit) -> SafeString | str:
    """Return what can be spent of a balance, and why the rest cannot; a dash where nothing bounds it."""
    if found.spendable is None:
        return NOTHING
    kept = ((_("held"), found.held), (_("was due"), found.overdue), (_("granted from a later day"), found.upcoming))
    why = [(label, look.amount_filter(amount, book)) for label, amount in kept if amount]
    return format_html("{}{}", look.amount_filter(found.spendable, book), format_html_join("", "<em>{} {}</em>", why))


def lines_table(account: Any) -> Table:
    """Return the last lines of a member's account, whose balance after the first of them is the balance of the account."""
    lines = latest_lines(account, LINES_OF_MEMBER)
    columns = (
        *(Column(_("date")), Column(_("entry"))),
        *(Column(_("debit"), is_figure=True), Column(_("credit"), is_figure=True), Column(_("balance after"), is_figure=True)),
    )
    unit = account.book.exponent
    return Table(
        gettext("Last lines of {account}").format(account=account.code),
        columns,
        [
            (
                format_html('<span class="day">{}</span>', look.day_text(line["date"])),
                format_html('<a href="{}">{}</a><em>{}</em>', line["url"], line["reference"], line["description"]),
                *(look.amount_filter(line[column], unit) for column in ("debit", "credit", "balance_after")),
            )
            for line in lines
        ],
        _("No entry has touched this account yet."),
        note=gettext("{book} · {unit} · by date, the latest first").format(book=account.book.code, unit=account.book.unit),
        more=(_("All lines ›"), url_of(account)),
    )


def identifiers_table(holder: Holder, *, may_end: bool) -> Table:
    """Return the identifiers of a member; beside each that has not ended the link that ends it, for a user who may."""
    rows = []
    for each in holder.identifiers.order_by("kind", "value"):
        valid = gettext("always")
        if each.active_from or each.active_to:
            span = f"{look.day_text(each.active_from)} – {look.day_text(each.active_to)}"
            valid = format_html('<span class="day">{}</span>', span.strip())
        end = "" if each.active_to or not may_end else _end_link(each)
        rows.append((format_html("{}<em>{} · {}</em>", each.shown, kind_text(each.kind), valid), end))
    columns = (Column(_("identifier")), Column(_("what can be done"), is_figure=True))
    return Table(_("Identifiers"), columns, rows, _("This member has no identifier."))


def _end_link(row: Identifier) -> SafeString:
    address = reverse("admin:ledger_app_holder_end_identifier", args=[row.holder_id, row.pk])
    return format_html('<a href="{}">{}</a>', address, _("End"))
