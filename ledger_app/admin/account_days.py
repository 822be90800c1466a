"""What an account has today, where lines of later days make its balance another."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from ledger_app.models import Account
from ledger_app.points.queries import holds
from ledger_app.posting.queries import days
from ledger_app.templatetags import look
from ledger_app.values import sides


def ahead_of(account: Account) -> days.Ahead | None:
    """Return what an account has today, where it has lines of later days."""
    return days.ahead(account, holds.day(account.book, doorways.now()))


def ahead_facts(account: Account) -> list[tuple[Any, Any]]:
    """Return the facts of an account's page: what it has today, and the lowest of the days from today on."""
    found = ahead_of(account)
    if found is None:
        return []
    lowest = format_html("{} · {}", look.amount_cell(found.lowest, account.book), look.day_text(found.lowest_on))
    return [(_("Balance of today"), look.amount_cell(found.balance, account.book)), (_("Lowest from today on"), lowest)]


def balance_cell(account: Any) -> SafeString:
    """Return the balance of an account, and below it what it has today where that is another."""
    whole = look.amount_cell(sides.natural(account.category, account.signed or 0), account.book)
    found = ahead_of(account)
    if found is None:
        return whole
    said = gettext("today {amount}").format(amount=look.amount_text(found.balance, account.book.exponent))
    return format_html("{}<em>{}</em>", whole, said)
