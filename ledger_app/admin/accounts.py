"""Accounts in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to
from ledger_app.admin.account_days import ahead_facts
from ledger_app.admin.account_states import AccountTransitions
from ledger_app.admin.explanations import AccountPages, offers_of, position_of, position_text
from ledger_app.admin.lot_tables import open_lots_table
from ledger_app.base.queries.totals import Total, TotalOf
from ledger_app.explain.queries import statements
from ledger_app.explain.queries.statements import Movement, Position
from ledger_app.members.queries import members
from ledger_app.models import Account, Balance, Holder
from ledger_app.points.queries import standing
from ledger_app.templatetags import look
from ledger_app.values import sides

LINES_A_PAGE = 50


def member_number(holder: Holder) -> str:
    """Return the member number of a holder; of a merged holder the number that it had; without any, the number of its row."""
    if found := members.numbers_own_first().filter(holder=holder).first():
        return found.value
    gone = members.numbers_own_first(holder).first() if holder.merged_into_id else None
    return gone.value if gone else f"#{holder.pk}"


def member_link(holder: Holder | None) -> SafeString | str:
    """Return a member as a link with its number; a dash for none."""
    return link_to(holder, member_number(holder)) if holder else NOTHING


def latest_lines(account: Account, most: int, before: Position | None = None) -> list[dict[str, Any]]:
    """Return the lines of an account as tables show them, the latest date first, each with the balance that runs in that order."""
    return [line_cells(each, account) for each in reversed(statements.latest(account, before=before, limit=most))]


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
        summed = Balance.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(total=Total("amount"))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(signed=TotalOf(summed.values("total")))
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the explanation and the statement."""
        return [*AccountPages(self).urls(), *super().get_urls()]

    @admin.display(description=_("balance"))
    def shown_balance(self, row: Any) -> SafeString:
        """The balance in the account's natural direction."""
        return look.amount_cell(sides.natural(row.category, row.signed or 0), row.book)

    @admin.display(description=_("state"))
    def shown_state(self, row: Account) -> SafeString:
        """Open, suspended or closed."""
        return look.state_pill(row.state)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the balance, the facts and a page of lines, newest first."""
        before = position_of(request.GET, "before")
        shown = latest_lines(row, LINES_A_PAGE, before)
        facts: list[tuple[Any, Any]] = [
            (_("Book"), link_to(row.book)),
            (_("Role"), row.role),
            (_("Category"), row.get_category_display()),
            (_("Member"), member_link(row.holder)),
            (_("Floor"), NOTHING if row.floor is None else look.amount_cell(row.floor, row.book)),
            (_("Opened at"), look.instant_cell(row.opened_at, row.book)),
            *ahead_facts(row),
        ]
        side = gettext("debit balance") if sides.is_debit(row.category) else gettext("credit balance")
        note = (
            side if row.stripes == 1 else gettext("{side}, summed over {stripes} stripes").format(side=side, stripes=row.stripes)
        )
        return {
            "title": row.code,
            "account": row,
            "book": row.book,
            "facts": facts,
            "balance": sides.natural(row.category, row.signed or 0),
            "balance_note": note,
            "standing": standing_facts(row, standing.of([row], at=doorways.now())[row.pk]),
            "lots": open_lots_table(row),
            "lines": shown,
            "is_part": before is not None,
            "older": f"?before={shown[-1]['place']}" if len(shown) == LINES_A_PAGE else "",
            "onward": [*offers_of(row, request.user), _adjustments_of(row)],
            "offers": self.offers(request, row),
            "audit": self.trail(row),
        }


def standing_facts(account: Account, found: standing.Standing) -> list[tuple[Any, Any]]:
    """Return what stands beside a balance: what of it cannot be spent and why, and what can; nothing where nothing bounds it."""
    if found.spendable is None:
        return []
    rows: list[tuple[Any, int]] = [(_("Can be spent"), found.spendable)]
    if account.keeps_lots:
        rows[:0] = [
            (_("Held"), found.held),
            (_("Was due, not expired yet"), found.overdue),
            (_("Granted from a later day"), found.upcoming),
        ]
    return [(label, look.amount_cell(amount, account.book)) for label, amount in rows]


def _adjustments_of(row: Account) -> tuple[Any, str]:
    """Return the way to the proposals to adjust an account, decided and not."""
    return _("Adjustments"), f"{reverse('admin:ledger_app_adjustment_changelist')}?{urlencode({'q': row.code})}"


def line_cells(line: Movement, account: Account) -> dict[str, Any]:
    """Return a line as tables show it."""
    return {
        "date": line.effective_on,
        "place": position_text(line.position),
        "url": reverse("admin:ledger_app_entry_change", args=[line.entry_id]),
        "reference": line.reference,
        "description": line.description,
        "debit": line.amount if line.amount > 0 else None,
        "credit": -line.amount if line.amount < 0 else None,
        "balance_after": None if line.known_running is None else sides.natural(account.category, line.running),
    }
