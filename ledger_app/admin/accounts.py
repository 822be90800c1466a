"""Accounts in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.model_admin import NOTHING, BoundedPaginator, link_to, url_of
from ledger_app.admin.account_days import ahead_facts
from ledger_app.admin.account_states import AccountTransitions
from ledger_app.admin.explanations import AccountPages, offers_of
from ledger_app.admin.lot_tables import open_lots_table
from ledger_app.models import Account, Balance, Holder, Line
from ledger_app.queries import members
from ledger_app.rules import posting
from ledger_app.templatetags import look

LINES_A_PAGE = 50


def member_number(holder: Holder) -> str:
    """Return the member number of a holder, of one that was merged the one that it had, or the number of its row where it has none."""
    numbers = members.numbers_own_first().values_list("value", flat=True)
    if found := numbers.filter(holder=holder).first():
        return found
    return (numbers.filter(moves__from_holder=holder).first() if holder.merged_into_id else None) or f"#{holder.pk}"


def member_link(holder: Holder | None) -> SafeString | str:
    """Return a member as a link with its number; a dash for none."""
    return link_to(holder, member_number(holder)) if holder else NOTHING


def lines_of(account: Any) -> QuerySet[Line]:
    """Return the lines of an account, newest first; where one row holds its balance, in the order of its index."""
    lines = Line.objects.filter(account=account).select_related("entry")
    return lines.filter(stripe=0).order_by("-sequence") if account.stripes == 1 else lines.order_by("-id")


@admin.register(Account)
class AccountAdmin(AccountTransitions):
    """Accounts with their balances, and each account's lines."""

    list_display = ("code", "book", "role", "category", "shown_balance", "shown_state")
    # No filter by role: its choices would be read from all accounts.
    list_filter = ("book", "category", "state")
    search_fields = ("code__exact",)
    is_searched_by_book = True
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
        shown.object_list = [line_cells(line, row) for line in shown.object_list]
        facts: list[tuple[Any, Any]] = [
            (_("Book"), link_to(row.book)),
            (_("Role"), row.role),
            (_("Category"), row.get_category_display()),
            (_("Member"), member_link(row.holder)),
            (_("Floor"), NOTHING if row.floor is None else look.amount_cell(row.floor, row.book)),
            (_("Opened at"), look.instant_cell(row.opened_at, row.book)),
            *ahead_facts(row),
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
            "onward": [*offers_of(row, request.user), _adjustments_of(row)],
            "offers": self.offers(request, row),
            "audit": self.trail(row),
            "page_range": paginator.get_elided_page_range(shown.number),
        }


def _adjustments_of(row: Account) -> tuple[Any, str]:
    """Return the way to the proposals to adjust an account, decided and not."""
    return _("Adjustments"), f"{reverse('admin:ledger_app_adjustment_changelist')}?{urlencode({'q': row.code})}"


def line_cells(line: Line, account: Account) -> dict[str, Any]:
    """Return a line as tables show it."""
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
