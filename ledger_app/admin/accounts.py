"""Members and accounts in the admin."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.model_admin import NOTHING, BoundedPaginator, HistoryAdmin, link_to, url_of
from config.sheets import Column, Facts, Sheet, Table
from ledger_app.admin.explanations import AccountPages, offers_of
from ledger_app.admin.lots import open_lots_table
from ledger_app.models import Account, Balance, Holder, Identifier, Line
from ledger_app.rules import posting
from ledger_app.templatetags import look

LINES_A_PAGE = 50
LINES_OF_MEMBER = 10
MERGED_SHOWN = 50
KINDS: Final = {Identifier.MEMBER_NUMBER: _("Member number"), Identifier.CARD_TOKEN: _("Card token")}


@admin.register(Holder)
class HolderAdmin(HistoryAdmin):
    """Members, found by any identifier, whole."""

    list_display = ("number", "name", "shown_opened_at")
    list_display_links = ("number",)
    search_fields = ("name__exact",)
    search_help_text = _("A whole member number or card token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the member number with each row."""
        number = (
            Identifier.objects.filter(holder=OuterRef("pk"), kind=Identifier.MEMBER_NUMBER).order_by("id").values("value")[:1]
        )
        rows: QuerySet[Any] = super().get_queryset(request).annotate(member_number=Subquery(number))
        return rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by identifier, through its unique index."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(pk__in=Identifier.objects.filter(value=term).values("holder_id")), False

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
        facts += [(_("Merged into"), _member_link(row.merged_into))] if row.merged_into else []
        merged = [_member_link(each) for each in row.merged_from.order_by("id")[:MERGED_SHOWN]]
        facts += [(_("Merged from"), format_html_join(", ", "{}", ((each,) for each in merged)))] if merged else []
        remark = gettext("This member was merged: what is posted from now on goes to {member}.") if row.merged_into else ""
        return Sheet(
            title=gettext("Member {number}").format(number=self.name_of(row)),
            remark=format_html(remark, member=_member_link(row.merged_into)) if remark else "",
            main=[_accounts_table(accounts), *(_lines_table(account) for account in accounts)],
            side=[Facts(_("The member"), facts), _identifiers_table(row)],
        )


def member_number(holder: Holder) -> str:
    """Return the member number of a holder, or the number of its row where it has none."""
    values = (
        Identifier.objects.filter(holder=holder, kind=Identifier.MEMBER_NUMBER).order_by("id").values_list("value", flat=True)
    )
    return values.first() or f"#{holder.pk}"


def _member_link(holder: Holder | None) -> SafeString | str:
    return link_to(holder, member_number(holder)) if holder else NOTHING


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
    lines = [_line(line, account) for line in lines_of(account)[:LINES_OF_MEMBER]]
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
        (Column(_("kind")), Column(_("value")), Column(_("valid"))),
        [
            (
                KINDS.get(each.kind, each.kind),
                each.value,
                f"{look.day_text(each.active_from)} – {look.day_text(each.active_to)}"
                if each.active_from or each.active_to
                else _("always"),
            )
            for each in holder.identifiers.order_by("kind", "value")
        ],
        _("This member has no identifier."),
    )


def lines_of(account: Any) -> QuerySet[Line]:
    """Return the lines of an account, newest first; where one row holds its balance, in the order of its index."""
    lines = Line.objects.filter(account=account).select_related("entry")
    return lines.filter(stripe=0).order_by("-sequence") if account.stripes == 1 else lines.order_by("-id")


@admin.register(Account)
class AccountAdmin(HistoryAdmin):
    """Accounts with their balances, and each account's lines."""

    list_display = ("code", "book", "role", "category", "shown_balance", "shown_state")
    # No filter by role: its choices would be read from all accounts.
    list_filter = ("book", "category", "state")
    search_fields = ("code__exact",)
    search_help_text = _("A whole account code")
    list_select_related = ("book",)
    change_form_template = "ledger_app/account_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the balance, summed over the stripes, with each row."""
        summed = Balance.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(total=Sum("amount"))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(signed=Subquery(summed.values("total")))
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the explanation and the statement."""
        return [*AccountPages(self).urls(), *super().get_urls()]

    @admin.display(description=_("balance"))
    def shown_balance(self, row: Any) -> SafeString:
        """The balance in the account's natural direction."""
        return look.amount_cell(posting.natural(row.category, row.signed or 0), row.book)

    @admin.display(description=_("state"))
    def shown_state(self, row: Account) -> SafeString:
        """Open, suspended or closed."""
        return look.state_pill(row.state)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the balance, the facts and a page of lines, newest first."""
        paginator = BoundedPaginator(lines_of(row), LINES_A_PAGE)
        shown = paginator.get_page(request.GET.get("p"))
        shown.object_list = [_line(line, row) for line in shown.object_list]
        facts: list[tuple[Any, Any]] = [
            (_("Book"), row.book),
            (_("Role"), row.role),
            (_("Category"), row.get_category_display()),
            (_("Member"), _member_link(row.holder)),
            (_("Floor"), NOTHING if row.floor is None else look.amount_cell(row.floor, row.book)),
            (_("Opened at"), look.instant_cell(row.opened_at, row.book)),
        ]
        side = gettext("debit balance") if row.category in posting.DEBIT_CATEGORIES else gettext("credit balance")
        note = (
            side if row.stripes == 1 else gettext("{side}, summed over {stripes} stripes").format(side=side, stripes=row.stripes)
        )
        return {
            "title": row.code,
            "account": row,
            "book": row.book,
            "facts": facts,
            "balance": posting.natural(row.category, row.signed or 0),
            "balance_note": note,
            "lots": open_lots_table(row),
            "lines": shown,
            "page_var": "p",
            "onward": offers_of(row),
            "page_range": paginator.get_elided_page_range(shown.number),
        }


def _line(line: Line, account: Account) -> dict[str, Any]:
    return {
        "date": line.entry.effective_on,
        "url": url_of(line.entry),
        "reference": line.entry.reference,
        "description": line.entry.description,
        "debit": line.amount if line.amount > 0 else None,
        "credit": -line.amount if line.amount < 0 else None,
        # The balances of stripes are no balances of the account: they are shown only where there is one.
        "balance_after": posting.natural(account.category, line.balance_after) if account.stripes == 1 else None,
    }
