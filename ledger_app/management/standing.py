"""How an account stands, as commands say it to people."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from ledger_app.models import Account
from ledger_app.values.amounts import decimal_text


def standing_text(account: Account, told: Mapping[str, Any]) -> str:
    """Return, in one line, the balance, what of it can be spent, what cannot and why, and what expires next."""

    def text(name: str) -> str:
        return f"{decimal_text(told[name], account.book.exponent)} {account.book.unit}"

    parts = [_("On {date}: balance {balance}").format(date=told["on"], balance=text("balance"))]
    if told["spendable"] is not None:
        parts.append(_("{spendable} can be spent").format(spendable=text("spendable")))
    if account.keeps_lots:
        parts += [
            _("{held} held").format(held=text("held")),
            _("{overdue} was due and is not expired yet").format(overdue=text("overdue")),
            _("{upcoming} granted from a later day").format(upcoming=text("upcoming")),
        ]
        if told["next_due_on"]:
            parts.append(_("{amount} expires next, on {date}").format(amount=text("next_due"), date=told["next_due_on"]))
        else:
            parts.append(_("nothing expires"))
    return "; ".join(parts)
