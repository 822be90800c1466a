"""Members, accounts and books are opened once, whole, and never as something else."""

from dataclasses import replace
from datetime import date

import pytest

from ledger_app import errors
from ledger_app.books.operations import books
from ledger_app.models import Account, Balance, Holder, Identifier
from ledger_app.people.operations import people


def member(number, *tokens, role="receivable", book="CARD", code=None):
    account = books.AccountOpening(code or f"{number}-{role}", role, "asset")
    return books.MemberOpening(number, ((book, account),), name=number, card_tokens=tokens)


def open_members(ledger, *openings):
    return books.open_members(openings=openings, caller=ledger.caller)


def refused(ledger, *openings):
    holders = Holder.objects.count()
    with pytest.raises(errors.Refused) as caught:
        open_members(ledger, *openings)
    assert Holder.objects.count() == holders
    return [(reason.code, str(reason.facts.get("name", ""))) for reason in caught.value.reasons]


def test_a_member_has_identifiers_accounts_and_a_balance_for_each(ledger):
    assert open_members(ledger, member("7", "tok-1", "tok-2"), member("8")) == 2
    holder = Identifier.objects.get(kind="member_number", value="7").holder
    assert set(holder.identifiers.values_list("kind", "value")) == {
        ("member_number", "7"),
        ("card_token", "tok-1"),
        ("card_token", "tok-2"),
    }
    account = Account.objects.get(code="7-receivable")
    assert account.holder == holder
    assert list(account.balances.values_list("stripe", "amount", "sequence")) == [(0, 0, 0)]
    assert holder.history.get().history_user == ledger.caller.user


def test_opening_members_again_is_found_done(ledger):
    openings = [member("7", "tok-1"), member("8")]
    assert open_members(ledger, *openings) == 2
    assert open_members(ledger, *openings, member("9")) == 1


def test_what_a_member_who_is_there_does_not_have_is_not_passed_over_in_silence(ledger):
    open_members(ledger, member("7", "tok-1"))
    for again in (member("7", "tok-2"), member("7", role="other"), member("7", "tok-1", code="else")):
        assert refused(ledger, again) == [("definition_conflict", "7")]
    assert open_members(ledger, member("7", "tok-1")) == 0
    Identifier.objects.filter(value="tok-1").update(active_to=date(2017, 1, 9))
    assert [code for code, *_of in refused(ledger, member("7", "tok-1"))] == ["identifier_had"]


@pytest.mark.parametrize(
    "changed", [{"role": "other"}, {"category": "equity"}, {"floor": -5}, {"stripes": 2}], ids=lambda changed: next(iter(changed))
)
def test_an_account_that_a_member_has_otherwise_is_not_taken_for_the_one_that_was_asked_for(ledger, changed):
    opening = books.AccountOpening("points.9", "points", "liability")
    books.open_members(openings=[books.MemberOpening("m-9", (("CARD", opening),))], caller=ledger.caller)
    again = books.MemberOpening("m-9", (("CARD", replace(opening, **changed)),))
    with pytest.raises(errors.Refused) as refused:
        books.open_members(openings=[again], caller=ledger.caller)
    assert [reason.code for reason in refused.value.reasons] == ["definition_conflict"]


@pytest.mark.parametrize(
    "changed", [{"role": "other"}, {"category": "equity"}, {"floor": -5}, {"stripes": 2}], ids=lambda changed: next(iter(changed))
)
def test_of_two_accounts_under_one_code_none_wins_in_silence(ledger, changed):
    opening = books.AccountOpening("fees", "fees", "income")
    with pytest.raises(errors.Refused) as refused:
        books.open_accounts(book=ledger.book, openings=[opening, replace(opening, **changed)], caller=ledger.caller)
    assert [reason.code for reason in refused.value.reasons] == ["definition_conflict"]
    assert books.open_accounts(book=ledger.book, openings=[opening, opening], caller=ledger.caller) == 1


def test_what_is_there_with_another_name_is_another(ledger):
    said = {"unit": "JPY", "exponent": 0, "time_zone": "UTC", "caller": ledger.caller}
    with pytest.raises(errors.Refused):
        books.open_book(code="CARD", name="Another", **said)
    with pytest.raises(errors.Refused):
        books.open_accounts(
            book=ledger.book, openings=[books.AccountOpening("M1-receivable", "receivable", "asset")], caller=ledger.caller
        )


def test_a_user_of_another_group_is_not_taken_for_the_one_who_was_asked_for(ledger):
    said = {"username": "u-1", "password": "only-for-this-test", "caller": ledger.caller}
    assert people.register(group="support", **said) is True
    assert people.register(group="support", **said) is False
    with pytest.raises(errors.Refused) as caught:
        people.register(group="finance", **said)
    assert [reason.code for reason in caught.value.reasons] == ["definition_conflict"]


def test_an_identifier_is_given_to_one_member(ledger):
    open_members(ledger, member("7", "tok-1"))
    assert refused(ledger, member("8"), member("8", role="other")) == [("definition_conflict", "8")]
    assert refused(ledger, member("8", "tok-2"), member("9", "tok-2")) == [("definition_conflict", "tok-2")]
    assert refused(ledger, member("8", "tok-1")) == [("definition_conflict", "tok-1")]


def test_a_member_of_a_book_that_is_not_there_is_refused(ledger):
    assert refused(ledger, member("7", book="NONE")) == [("not_found", "NONE")]


@pytest.mark.parametrize("number", ["", " 7", "7 ", "７", "x" * 65, "a/b", "a\n"])
def test_a_member_number_is_written_in_the_alphabet_of_codes(ledger, number):
    assert refused(ledger, member(number, code="fine"))[0][0] == "code_invalid"


def test_a_striped_account_has_a_balance_for_each_stripe(ledger):
    settlement = ledger.accounts["settlement"]
    assert list(Balance.objects.filter(account=settlement).order_by("id").values_list("stripe", flat=True)) == [0, 1, 2, 3]


def test_more_members_than_one_statement_takes_are_opened_in_parts(ledger, monkeypatch):
    monkeypatch.setattr(books, "ROWS_A_CALL", 3)
    assert open_members(ledger, *(member(str(number), f"tok-{number}") for number in range(100, 108))) == 8
    assert Balance.objects.filter(account__role="receivable").count() == 10


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../UTC", "utc+9"])
def test_a_book_lives_in_a_time_zone_that_there_is(ledger, zone):
    with pytest.raises(errors.Refused) as caught:
        books.open_book(code="NEW", name="New", unit="JPY", exponent=0, time_zone=zone, caller=ledger.caller)
    assert [reason.code for reason in caught.value.reasons] == ["not_found"]


def test_a_script_that_opens_a_book_goes_on_with_what_it_was_given(ledger):
    said = {"code": "NEW", "name": "New", "unit": "JPY", "exponent": 0, "time_zone": "UTC", "caller": ledger.caller}
    book = books.open_book(**said)
    assert books.open_accounts(book=book, openings=[books.AccountOpening("fees", "fees", "income")], caller=ledger.caller) == 1
    assert books.open_book(**said) == book
    assert books.keep_book(**said) == (book, False, False)
