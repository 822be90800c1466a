"""No door opens an account whose first line would lie under its floor for ever."""

import pytest

from ledger_app import errors
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening, MemberOpening
from ledger_app.members.operations import opening
from ledger_app.models import Account
from tests.support.samples import machine_caller

pytestmark = pytest.mark.django_db
UNDER = AccountOpening("reserve", "reserve", "asset", floor=5)


def test_a_floor_above_zero_is_refused_of_an_account_that_is_new(ledger):
    for work in (
        lambda: books.open_accounts(book=ledger.book, openings=[UNDER], caller=machine_caller()),
        lambda: books.open_members(openings=[MemberOpening("77", ((ledger.book.code, UNDER),))], caller=machine_caller()),
    ):
        with pytest.raises(errors.Refused) as refused:
            work()
        assert [reason.code for reason in refused.value.reasons] == ["template_invalid"]
    assert not Account.objects.filter(code="reserve").exists()


def test_one_that_is_there_with_such_a_floor_is_left_as_it_is(ledger):
    books.open_accounts(
        book=ledger.book, openings=[AccountOpening("reserve", "reserve", "asset", floor=0)], caller=machine_caller()
    )
    Account.objects.filter(code="reserve").update(floor=5)
    assert books.open_accounts(book=ledger.book, openings=[UNDER], caller=machine_caller()) == 0


def test_a_file_of_accounts_says_where_such_a_floor_is():
    _openings, findings = opening.read_accounts([b"code,role,category,floor\n", b"a,a,asset,5\n"])
    assert [(each.line, each.column, each.error.code) for each in findings] == [(2, "floor", "value_unfit")]
