"""What is there with other content is told as people read it: amounts in the unit of their book, choices, switches and groups by their words."""

import re
from typing import Any

import pytest
from django.utils.translation import override

from ledger_app import errors
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.members.operations import opening
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.points.operations import hold_rules, lot_rules
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.support import samples

# What the program has for a thing, and no sentence: lists, switches, nothing, minor units, names of columns.
RAW = re.compile(r"\[|\]|\bTrue\b|\bFalse\b|\bNone\b|123456|[a-z]_[a-z]|free_first|months\b")
USD: dict[str, Any] = {"code": "USD", "name": "Dollars", "unit": "USD", "exponent": 2, "time_zone": "Asia/Tokyo"}


def system() -> Caller:
    return samples.machine_caller()


def templates(caller: Caller, floor: int | None) -> None:
    book = books.open_book(**USD, caller=caller)
    opening.set_template(book=book, role="wallet", category="liability", floor=floor, caller=caller)


def limits(caller: Caller, most: int) -> None:
    reason_codes.set_limit(group="finance", book="USD", amount_most=most, two_deciders_above=0, day_most=most, caller=caller)


def codes(caller: Caller, *, waives: bool) -> None:
    reason_codes.keep(code="late", name="Late", contra_accounts={}, may_waive_floor=waives, caller=caller)


def lots(caller: Caller, order: str) -> None:
    given = RuleGiven(expiry="days" if order == "free_first" else "months", validity=1, breakage="other", order=order)
    lot_rules.set_rule(book=books.open_book(**USD, caller=caller), role="wallet", given=given, caller=caller)


def holds(caller: Caller, most: int) -> None:
    hold_rules.set_rule(
        book=books.open_book(**USD, caller=caller), given=HoldRuleGiven(amount_most=most, amount_a_day=most), caller=caller
    )


def accounts(caller: Caller, floor: int) -> None:
    book = books.open_book(**USD, caller=caller)
    books.open_accounts(book=book, openings=[books.AccountOpening("cash", "cash", "asset", floor=floor)], caller=caller)


def users(caller: Caller, groups: list[str]) -> None:
    people.keep_user(username="erika", groups=groups, flags={"is_active": bool(groups)}, caller=caller)


TWICE = {
    "a template": (lambda by: templates(by, 0), lambda by: templates(by, -123456), ("0.00 USD", "−1,234.56 USD")),
    "a limit": (lambda by: limits(by, 0), lambda by: limits(by, 123456), ("0.00 USD", "1,234.56 USD")),
    "a reason code": (lambda by: codes(by, waives=False), lambda by: codes(by, waives=True), ("no ≠ yes",)),
    "a rule of lots": (
        lambda by: lots(by, "free_first"),
        lambda by: lots(by, "oldest_first"),
        ("free before paid", "Days after granting"),
    ),
    "a rule of holds": (lambda by: holds(by, 1), lambda by: holds(by, 123456), ("0.01 USD", "1,234.56 USD")),
    "an account": (lambda by: accounts(by, 0), lambda by: accounts(by, -123456), ("−1,234.56 USD",)),
    "a user": (lambda by: users(by, ["engineer"]), lambda by: users(by, []), ("engineer ≠ –", "yes ≠ no")),
    "a user without a group": (lambda by: users(by, []), lambda by: users(by, ["finance", "support"]), ("– ≠ finance, support",)),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", TWICE)
def test_what_differs_is_told_in_words_and_units(what: str) -> None:
    first, other, told = TWICE[what]
    caller = system()
    book = books.open_book(**USD, caller=caller)
    books.open_accounts(book=book, openings=[books.AccountOpening("other", "other", "income")], caller=caller)
    first(caller)
    with pytest.raises(errors.Refused) as raised:
        other(caller)
    (reason,) = raised.value.reasons
    assert reason.code == "definition_conflict"
    for each in told:
        assert each in reason.sentence, reason.sentence
    assert not RAW.findall(reason.sentence), reason.sentence
    with override("ja"):
        assert not re.search(r"exists|another|\byes\b|\bgroups\b|Free before", reason.sentence), reason.sentence
    assert User.objects.filter(username="erika").count() <= 1
