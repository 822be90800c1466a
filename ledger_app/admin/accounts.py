"""Members and accounts in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from config.model_admin import BoundedPaginator, HistoryAdmin, url_of
from ledger_app.models import Account, Balance, Holder, Identifier, Line
from ledger_app.rules import posting
from ledger_app.templatetags import look

LINES_A_PAGE = 50


@admin.register(Holder)
class HolderAdmin(HistoryAdmin):
    """Members, found by any identifier, whole."""

    list_display = ("number", "name", "shown_opened_at")
    list_display_links = ("number",)
    search_fields = ("name__exact",)
    search_help_text = _("A whole member number or card token")
    fields = ("name", "identifiers", "accounts", "merged_into", "opened_at")
    readonly_fields = fields

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

    @admin.display(description=_("member number"))
    def number(self, row: Any) -> str:
        """The member number."""
        return row.member_number or f"#{row.pk}"

    @admin.display(description=_("opened at"), ordering="id")
    def shown_opened_at(self, row: Holder) -> SafeString:
        """When the member was registered, in UTC."""
        return look.instant_cell(row.opened_at)

    @admin.display(description=_("identifiers"))
    def identifiers(self, row: Holder) -> str:
        """All identifiers."""
        return ", ".join(f"{each.kind} {each.value}" for each in row.identifiers.order_by("kind", "value"))

    @admin.display(description=_("accounts"))
    def accounts(self, row: Holder) -> SafeString:
        """All accounts with their balances."""
        found = row.accounts.select_related("book").annotate(signed=Sum("balances__amount")).order_by("book__code", "code")
        return format_html_join(
            " ",
            '<a href="{}">{} {}</a> {}',
            (
                (
                    url_of(each),
                    each.book.code,
                    each.code,
                    look.amount_cell(posting.natural(each.category, each.signed or 0), each.book),
                )
                for each in found
            ),
        )


@admin.register(Account)
class AccountAdmin(HistoryAdmin):
    """Accounts with their balances, and each account's lines."""

    list_display = ("code", "book", "role", "category", "shown_balance", "shown_state")
    list_filter = ("book", "category", "state", "role")
    search_fields = ("code__exact",)
    search_help_text = _("A whole account code")
    list_select_related = ("book",)
    change_form_template = "ledger_app/account_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the balance, summed over the stripes, with each row."""
        summed = Balance.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(total=Sum("amount"))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(signed=Subquery(summed.values("total")))
        return rows

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
        lines = Line.objects.filter(account=row).select_related("entry").order_by("-id")
        paginator = BoundedPaginator(lines, LINES_A_PAGE)
        shown = paginator.get_page(request.GET.get("p"))
        shown.object_list = [_line(line, row) for line in shown.object_list]
        facts: list[tuple[Any, Any]] = [
            (_("Book"), row.book),
            (_("Role"), row.role),
            (_("Category"), row.get_category_display()),
            (_("Member"), row.holder or "–"),
            (_("Floor"), "–" if row.floor is None else look.amount_text(row.floor, row.book.exponent)),
            (_("Opened at"), look.instant_cell(row.opened_at, row.book)),
        ]
        side = _t("debit balance") if row.category in posting.DEBIT_CATEGORIES else _t("credit balance")
        note = side if row.stripes == 1 else _t("{side}, summed over {stripes} stripes").format(side=side, stripes=row.stripes)
        return {
            "title": row.code,
            "account": row,
            "book": row.book,
            "facts": facts,
            "balance": posting.natural(row.category, row.signed or 0),
            "balance_note": note,
            "lines": shown,
            "page_var": "p",
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
