"""What a merge moves, as tables: on its page, and before it is proposed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import NOTHING, link_to, tellers
from config.doors.admin.sheets import Column, Table
from ledger_app.admin.member_tables import kind_text
from ledger_app.models import Account, Book, Lot, Merge
from ledger_app.templatetags import look


def plan_days(plan: Mapping[str, Any]) -> str:
    """Return the day of the entries: one, or where the books' zones are apart one for each book."""
    days = {book: look.day_text(date.fromisoformat(on)) for book, on in plan.get("days", {}).items()}
    if len(set(days.values())) < 2:
        return next(iter(days.values()), NOTHING)
    return ", ".join(f"{book}: {day}" for book, day in days.items())


def told_amounts(_row: Any, amounts: Sequence[Sequence[Any]]) -> list[str]:
    """Return what is given back by account, in words."""
    books = {book.code: book for book in Book.objects.all()}
    return [
        f"{book} · {role}: {look.amount_text(amount, books[book].exponent)} {books[book].unit}" for book, role, amount in amounts
    ]


def told_plan(_row: Any, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a plan moves, in words: amounts by account, identifiers as the eye may see them, the day of the entries."""
    moves = plan.get("moves", [])
    amounts = told_amounts(_row, [(each["book"], each["role"], each["amount"]) for each in moves])
    told = [
        f"{amount}, {each['from']} → {each['to'] or gettext('a new account')}"
        for amount, each in zip(amounts, moves, strict=True)
    ]
    named = [f"{kind_text(kind)} {value}" for _key, kind, value in plan.get("identifiers", [])]
    return {gettext("What moves"): told, gettext("Identifiers"): named, gettext("Date of the entries"): plan_days(plan)}


tellers.update({(Merge, "amounts"): told_amounts, (Merge, "preview"): told_plan, (Merge, "decided_preview"): told_plan})


def moves_table(plan: Mapping[str, Any]) -> Table:
    """Return what goes from which account to which, with the balances of the member who remains."""
    books = {book.code: book for book in Book.objects.all()}
    links = _account_links(plan)
    is_undoing = any("moved" in each for each in plan.get("moves", []))
    columns = (
        *(Column(_("book")), Column(pgettext_lazy("what moves", "from")), Column(pgettext_lazy("what moves", "to"))),
        *(
            Column(_("balance before"), is_figure=True),
            *([Column(_("moved by the merge"), is_figure=True)] if is_undoing else []),
            Column(_("amount"), is_figure=True),
            Column(_("balance after"), is_figure=True),
        ),
    )
    return Table(
        _("What moves"),
        columns,
        [
            (
                format_html("{}<em>{}</em>", each["book"], books[each["book"]].unit),
                links.get((each["book"], each["from"]), each["from"]),
                links.get((each["book"], each["to"]), each["to"]) or _("a new account"),
                *(
                    look.amount_filter(amount, books[each["book"]])
                    for amount in (
                        each["to_balance"],
                        *([each.get("moved", 0)] if is_undoing else []),
                        each["amount"],
                        each["to_balance"] + each["amount"],
                    )
                ),
            )
            for each in plan.get("moves", [])
        ],
        _("No account has anything to give."),
        note=_("balances of the new member") if is_undoing else _("balances of the member who remains"),
    )


def lots_table(plan: Mapping[str, Any]) -> list[Table]:
    """Return the lots that go as they are, where some are named: all that came with a merge and is still there, when that is undone."""
    books = {book.code: book for book in Book.objects.all()}
    rows = [
        (
            format_html("{}<em>{}</em>", each["book"], books[each["book"]].unit),
            f"#{number}",
            Lot.Kind(kind).label,
            look.day_text(date.fromisoformat(granted_on)),
            look.day_text(date.fromisoformat(last)) if last else _("never"),
            look.amount_filter(amount, books[each["book"]]),
        )
        for each in plan.get("moves", [])
        for number, kind, granted_on, last, amount in each.get("lots", [])
    ]
    columns = (
        *(Column(_("book")), Column(_("lot")), Column(_("kind")), Column(_("granted on")), Column(_("last day"))),
        Column(_("amount"), is_figure=True),
    )
    return [Table(_("Lots that go as they are"), columns, rows, "")] if rows else []


def identifiers_table(plan: Mapping[str, Any]) -> Table:
    """Return the identifiers that move."""
    return Table(
        _("Identifiers that move"),
        (Column(_("kind")), Column(_("value"))),
        [(kind_text(kind), value) for _key, kind, value in plan.get("identifiers", [])],
        _("No identifier moves."),
    )


def _account_links(plan: Mapping[str, Any]) -> dict[tuple[str, str], SafeString | str]:
    """Return the accounts of a plan as links, by (code of the book, code)."""
    named = [(each["book"], code) for each in plan.get("moves", []) for code in (each["from"], each["to"]) if code]
    accounts = Account.objects.filter(book__code__in={book for book, _code in named}, code__in={code for _book, code in named})
    return {(each.book.code, each.code): link_to(each, each.code) for each in accounts.select_related("book")}
