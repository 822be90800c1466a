"""Amounts in refusals are kept as integers, and told in the unit and with the decimals of their book, wherever they are told."""

import string
from datetime import date

import pytest
from django.utils.translation import override

from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import stored, units
from ledger_app.models import Account, AuditRow, Book
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.ledger_app.errors.test_errors import ALL
from tests.support import samples
from tests.support.origins import of_request

pytestmark = pytest.mark.django_db
FACTS = {"what": "debits", "name": "debits"}  # what says of two errors that they are about amounts
AMOUNTS = {
    *("amount", "balance", "floor", "sum", "total", "limit", "found", "planned", "most", "given", "held", "asked", "available"),
    *("settled", "before", "alone", "due", "later", "stored", "summed", "expected"),
}


# Facts of such names that are none: counts of characters, lines, bytes, chunks and hours, days, versions, states, digests.
NO_AMOUNTS = {
    "attachment_name_invalid": ["most"],
    "attachment_too_large": ["most"],
    "attachments_too_many": ["most"],
    "chunk_differs": ["found", "planned"],
    "chunks_left": ["total"],
    "code_invalid": ["most"],
    "column_unknown": ["given"],
    "due_too_many": ["most"],
    "export_differs": ["found"],
    "export_too_large": ["most"],
    "factors_full": ["most"],
    "fields_differ": ["found"],
    "file_damaged": ["found"],
    "file_too_large": ["most"],
    "hold_rule_invalid": ["most"],
    "idempotency_key_invalid": ["most"],
    "kit_too_large": ["most"],
    "label_invalid": ["most"],
    "lines_too_many": ["most"],
    "lots_due": ["due"],
    "name_unfit": ["most"],
    "number_out_of_range": ["most"],
    "posting_too_large": ["most"],
    "read_back_differs": ["expected", "found"],
    "reason_too_long": ["most"],
    "report_months_too_many": ["most"],
    "report_too_large": ["most"],
    "reversal_ticket_invalid": ["most"],
    "slips_spent": ["most"],
    "slot_unknown": ["most"],
    "something_applied": ["total"],
    "submission_size": ["most"],
    "source_version_newer": ["planned"],
    "text_invalid": ["most"],
    "ticket_invalid": ["most"],
    "ticket_required": ["most"],
    "token_life_bounded": ["most"],
    "webhook_kinds_invalid": ["most"],
    "written_differs": ["found", "planned"],
}


def fields(kind):
    with override("en"):
        return {name for _, name, _, _ in string.Formatter().parse(str(kind.template)) if name}


def test_every_amount_that_a_sentence_names_is_declared():
    found = {kind.code: sorted((fields(kind) & AMOUNTS) - kind.amounts) for kind in ALL.values()}
    assert {code: names for code, names in found.items() if names} == NO_AMOUNTS


@pytest.mark.parametrize("kind", [kind for kind in ALL.values() if kind.amounts], ids=lambda kind: kind.code)
def test_each_is_told_in_the_unit_of_its_book_and_kept_as_an_integer(kind):
    book = Book.objects.create(code="USD", name="U", unit="USD", exponent=2, time_zone="UTC")
    error = kind(**dict.fromkeys(fields(kind), "x") | FACTS | dict.fromkeys(kind.amounts, -2_999_999))
    units.belonging([error], book.pk)
    with override("ja"):
        assert error.sentence.count("29,999.99") >= 1, "whatever the language"
    told = sum(str(kind.template).count(f"{{{name}}}") for name in kind.amounts)
    assert error.sentence.count("\u221229,999.99 USD") == told
    assert {error.as_dict()["facts"][name] for name in kind.amounts - kind.untold} == {-2_999_999}
    row = stored.stored(error)
    Book.objects.all().delete()
    with override("ja"):
        assert stored.translated(row)["sentence"].count("\u221229,999.99 USD") == told
    assert stored.translated(row)["facts"] == error.as_dict()["facts"]


def test_one_whose_accounts_stand_in_books_of_different_units_is_told_as_it_stands():
    caller = samples.machine_caller()
    opened = [
        books.open_book(code=code, name=code, unit=code, exponent=exponent, time_zone="UTC", caller=caller)
        for code, exponent in (("A", 0), ("B", 2))
    ]
    for book in opened:
        books.open_accounts(book=book, openings=[AccountOpening("cash", "cash", "asset")], caller=caller)
    error = errors.FloorBroken(account="cash", balance=-100, floor=0, reference="r")
    assert "fall to -100," in error.sentence
    (about_b,) = units.belonging([errors.FloorBroken(account="cash", balance=-100, floor=0, reference="r")], opened[1].pk)
    assert "fall to \u22121.00 B, below its floor of 0.00 B" in about_b.sentence


def test_posting_knows_the_book_of_each_of_its_refusals():
    caller = samples.machine_caller()
    drafts = []
    for code, exponent in (("A", 0), ("B", 2)):
        book = books.open_book(code=code, name=code, unit=code, exponent=exponent, time_zone="UTC", caller=caller)
        books.open_accounts(
            book=book,
            openings=[AccountOpening("cash", "cash", "asset", floor=0), AccountOpening("sales", "sales", "income")],
            caller=caller,
        )
        books.open_period(book=book, name="2017-01", starts_on=date(2017, 1, 1), ends_on=date(2017, 1, 31), caller=caller)
        keys = dict(Account.objects.filter(book=book).values_list("code", "id"))
        drafts.append(Draft(book.pk, date(2017, 1, 5), f"r-{code}", "", ((keys["cash"], -29999), (keys["sales"], 29999))))
    with pytest.raises(errors.Refused) as refused:
        transactions.run(lambda: entries.post(drafts=drafts, origin=of_request(caller), caller=caller))
    said = [reason.sentence for reason in refused.value.reasons]
    assert "\u221229,999 A" in said[0]
    assert "\u2212299.99 B" in said[1]
    assert [reason.facts["balance"] for reason in refused.value.reasons] == [-29999, -29999]
    assert not AuditRow.objects.filter(outcome="refused").exists()
