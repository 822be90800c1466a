"""Whatever opens, keeps or registers something is given odd codes, names and numbers: each is refused by a rule with a code, or kept as it is."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening, MemberOpening
from ledger_app.books.queries import books as book_rows
from ledger_app.explain.queries import explain
from ledger_app.members.operations import members
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.points.queries import holds
from tests.support import samples

pytestmark = pytest.mark.django_db

ODD = {
    "empty": "",
    "blank": "   ",
    "long": "x" * 5000,
    "accented": "café",
    "wide": "ＣＡＲＤ",
    "katakana": "ﾎﾟｲﾝﾄ",
    "newline": "a\nb",
    "nul": "a\x00b",
    "escape": "\x1b[2J",
    "right to left": "a\u202eb",
    "surrogate": "a\ud800",
    "emoji": "a😀",
    "quote": "a'); --",
    "slash": "a/b",
}
NUMBERS = (-1, 40, 7, 2**31, 2**63, 10**30, True)


@pytest.fixture
def maker(make_user: Any) -> Caller:
    user: User = make_user("keeper", "finance", is_superuser=True)
    return Caller(user, samples.AFTER_JANUARY, "test")


def by(work: Callable[[str, str], Any], *names: str, of: str) -> dict[str, Callable[[str], Any]]:
    """Return ``work`` for each of the names of what is given, which it is told with the text."""
    return {f"{of} {name}": partial(work, name) for name in names}


def operations(ledger: samples.SmallLedger, caller: Caller) -> dict[str, Callable[[str], Any]]:
    """Return what opens or keeps something, by which of its texts is given."""
    book = ledger.book
    open_book: dict[str, Any] = {"code": "B", "name": "B", "unit": "U", "exponent": 0, "time_zone": "UTC", "caller": caller}

    def account(**given: Any) -> Any:
        opening = AccountOpening(**{"code": "a", "role": "r", "category": "asset", **given})
        return books.open_accounts(book=book, openings=[opening], caller=caller)

    def member(account_given: dict[str, Any], book_code: str = "CARD", **given: Any) -> Any:
        opening = AccountOpening(**{"code": "m", "role": "receivable", "category": "asset", **account_given})
        said = {"member_number": "M77", **given}
        return books.open_members(openings=[MemberOpening(accounts=((book_code, opening),), **said)], caller=caller)

    return {
        **by(lambda name, text: books.open_book(**{**open_book, name: text}), "code", "name", "unit", "time_zone", of="book"),
        "period name": lambda text: books.open_period(
            book=book, name=text, starts_on=date(2018, 1, 1), ends_on=date(2018, 1, 31), caller=caller
        ),
        **by(lambda name, text: account(**{name: text}), "code", "role", "category", of="account"),
        "member number": lambda text: member({}, member_number=text),
        "member name": lambda text: member({}, name=text),
        "member card token": lambda text: member({}, card_tokens=(text,)),
        "member card number": lambda text: member({}, card_numbers=(text,)),
        "member book": lambda text: member({}, text),
        **by(lambda name, text: member({name: text}), "code", "role", "category", of="member account"),
        "reason code": lambda text: reason_codes.keep(code=text, name="n", contra_accounts={}, caller=caller),
        "reason name": lambda text: reason_codes.keep(code="c", name=text, contra_accounts={}, caller=caller),
        "reason book": lambda text: reason_codes.keep(code="c", name="n", contra_accounts={text: "cash"}, caller=caller),
        "reason account": lambda text: reason_codes.keep(code="c", name="n", contra_accounts={"CARD": text}, caller=caller),
        "limit group": lambda text: reason_codes.set_limit(
            group=text, book="CARD", amount_most=1, two_deciders_above=1, caller=caller
        ),
        "limit book": lambda text: reason_codes.set_limit(
            group="finance", book=text, amount_most=1, two_deciders_above=1, caller=caller
        ),
        "lot rule role": lambda text: lot_rules.set_rule(
            book=book, role=text, given=RuleGiven(expiry="never", breakage="sales"), caller=caller
        ),
        "lot rule breakage": lambda text: lot_rules.set_rule(
            book=book, role="r", given=RuleGiven(expiry="never", breakage=text), caller=caller
        ),
        "lot rule expiry": lambda text: lot_rules.set_rule(
            book=book, role="r", given=RuleGiven(expiry=text, breakage="sales"), caller=caller
        ),
        "user name": lambda text: people.register(username=text, password="p", group="finance", caller=caller),
        "user group": lambda text: people.register(username="u-1", password="p", group=text, caller=caller),
        **by(
            lambda kind, text: members.add_identifier(
                holder_id=holder_of(ledger), kind=kind, value=text, reason="r", caller=caller
            ),
            *("member_number", "card_token", "card_number"),
            of="identifier",
        ),
        "found book": book_rows.find,
        "found period": lambda text: book_rows.find_period("CARD", text),
        "found account": lambda text: explain.find_account("CARD", text),
        "account to hold": lambda text: holds.find_account("CARD", text),
    }  # fmt: skip


def holder_of(ledger: samples.SmallLedger) -> int:
    holder = ledger.accounts["M1-receivable"].holder_id
    assert holder is not None
    return holder


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_text_is_refused_by_a_rule_or_kept_as_it_is(ledger: samples.SmallLedger, maker: Caller, odd: str) -> None:
    said: dict[str, list[str]] = {}
    for name, operation in operations(ledger, maker).items():
        try:
            operation(ODD[odd])
        except errors.Refused as refused:
            said[name] = [reason.sentence for reason in refused.reasons]
    assert all(sentence for sentences in said.values() for sentence in sentences)


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "empty"])
def test_no_code_of_any_kind_is_odd(ledger: samples.SmallLedger, maker: Caller, odd: str) -> None:
    codes = ("book code", "book unit", "period name", "account code", "account role", "reason code", "lot rule role")
    asked = operations(ledger, maker)
    for name in codes:
        if name == "book unit" and odd in {"accented", "emoji", "quote", "slash"}:
            continue
        with pytest.raises(errors.Refused):
            asked[name](ODD[odd])


@pytest.mark.parametrize("number", NUMBERS)
def test_an_odd_number_is_refused_by_a_rule(ledger: samples.SmallLedger, maker: Caller, number: int) -> None:
    with pytest.raises(errors.Refused) as refused:
        books.open_book(code="B", name="B", unit="U", exponent=number, time_zone="UTC", caller=maker)
    assert [each.code for each in refused.value.reasons] == ["number_out_of_range"]
    for given in ({"stripes": number}, {"floor": number}, {"stripes": 2, "floor": 0}):
        opening = AccountOpening("a", "r", "asset", **given)
        with suppress(errors.Refused):
            books.open_accounts(book=ledger.book, openings=[opening], caller=maker)
    with suppress(errors.Refused):
        reason_codes.set_limit(group="finance", book="CARD", amount_most=number, two_deciders_above=0, caller=maker)
