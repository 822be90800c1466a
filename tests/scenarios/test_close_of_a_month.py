"""A month of purchases and points, its trial balance and its close; and what is done when a mistake is found afterwards.

The shop's programme keeps two books: CARD in cents, where a purchase is owed by the member and due to the store, and POINTS, where one point per full
1.00 is granted from the programme's expense to the member's points.
"""

from datetime import UTC, date, datetime

import pytest

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.close.queries import closing, seals
from ledger_app.models import Account, AuditRow, Balance, Entry, Period, Posting
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.support import samples
from tests.support.origins import of_request
from tests.support.reversing import reverse_entry

FIRST_OF_FEBRUARY = datetime(2017, 2, 1, 9, tzinfo=UTC)
FIRST_OF_MARCH = datetime(2017, 3, 1, 9, tzinfo=UTC)

PURCHASES = [
    # day, member, store, cents
    (2, "1001", "store-31", 12_34),
    (2, "1002", "store-31", 99),
    (9, "1001", "store-32", 100_00),
    (31, "1003", "store-32", 7_50),
]


@pytest.fixture
def programme(db):
    """Two books with January and February, two stores, three members."""
    caller = samples.machine_caller(FIRST_OF_FEBRUARY)
    for code, unit, exponent in (("CARD", "USD", 2), ("POINTS", "points", 0)):
        book = books.open_book(code=code, name=code.title(), unit=unit, exponent=exponent, time_zone="UTC", caller=caller)
        for name in ("2017-01", "2017-02"):
            starts_on, ends_on = samples.MONTHS[name]
            books.open_period(book=book, name=name, starts_on=starts_on, ends_on=ends_on, caller=caller)
        shared = {
            "CARD": [books.AccountOpening(store, "settlement", "liability") for store in ("store-31", "store-32")],
            "POINTS": [books.AccountOpening("grants", "grants", "expense")],
        }
        books.open_accounts(book=book, openings=shared[code], caller=caller)
    openings = [
        books.MemberOpening(
            number,
            (
                ("CARD", books.AccountOpening(f"{number}-receivable", "receivable", "asset")),
                ("POINTS", books.AccountOpening(f"{number}-points", "points", "liability", floor=0)),
            ),
        )
        for number in ("1001", "1002", "1003")
    ]
    books.open_members(openings=openings, caller=caller)
    return caller


def account(code):
    return Account.objects.get(code=code)


def entry(book, day, reference, debit, credit, amount):
    """Return a draft: debit one account, credit another."""
    return Draft(
        account(debit).book_id, day, f"{book}:{reference}", "", ((account(debit).pk, amount), (account(credit).pk, -amount))
    )


def post_january(caller):
    drafts = []
    for number, (day, member, store, cents) in enumerate(PURCHASES, start=1):
        on = date(2017, 1, day)
        drafts.append(entry("card", on, number, f"{member}-receivable", store, cents))
        if cents >= 1_00:
            drafts.append(entry("points", on, number, "grants", f"{member}-points", cents // 1_00))
    origin = entries.Origin(Posting.Origin.CHUNK, 1)
    return transactions.run(lambda: entries.post(drafts=drafts, origin=origin, caller=caller))


def period(book, name):
    return Period.objects.get(book__code=book, name=name)


def freeze(book, name, user, at, **controls):
    caller = Caller(user=user, at=at, door="command")
    return periods.freeze(period_id=period(book, name).pk, controls=controls, caller=caller, code_version="test")


def trial_balance(book, name):
    """Return the trial balance as an accountant writes it: role, opening, debit, credit, closing."""
    rows = seals.trial_balance(period(book, name))
    return [(row["role"], row["opening"], row["debit"], row["credit"], row["closing"]) for row in rows]


def balance(code):
    return sum(Balance.objects.filter(account__code=code).values_list("amount", flat=True))


def breaches():
    from ledger_app.models import Book

    return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope(list(Book.objects.all())))]


def test_a_month_is_posted_proved_and_frozen(programme, finance):
    posted = post_january(programme)
    # Four purchases; 0.99 earns no point.
    assert (posted.entry_count, posted.line_count) == (7, 14)

    assert {code: balance(code) for code in ("1001-receivable", "store-31", "store-32", "1001-points", "grants")} == {
        "1001-receivable": 112_34,
        "store-31": -13_33,
        "store-32": -107_50,
        "1001-points": -112,
        "grants": 119,
    }

    # role, opening, debit, credit, closing
    assert trial_balance("CARD", "2017-01") == [
        ("receivable", 0, 120_83, 0, 120_83),
        ("settlement", 0, 0, 120_83, -120_83),
    ]
    assert trial_balance("POINTS", "2017-01") == [("grants", 0, 119, 0, 119), ("points", 0, 0, 119, -119)]

    # Finance knows from the stores' statements what January came to.
    assert closing.control_totals(period("CARD", "2017-01"))["settlement"] == -120_83
    with pytest.raises(errors.Refused, match=r"settlement, −120\.82 USD, is not what the ledger has") as refused:
        freeze("CARD", "2017-01", finance, FIRST_OF_FEBRUARY, settlement=-120_82)
    assert "12083" not in str(refused.value.reasons[0].as_dict())
    card = freeze("CARD", "2017-01", finance, FIRST_OF_FEBRUARY, settlement=-120_83)
    points = freeze("POINTS", "2017-01", finance, FIRST_OF_FEBRUARY, points=-119)

    assert (card.entry_count, card.debit_total) == (4, 120_83)
    assert (points.entry_count, points.debit_total) == (3, 119)
    assert breaches() == []
    assert [row.outcome for row in AuditRow.objects.order_by("id")] == ["refused", "done", "done"]


def test_a_mistake_found_after_the_freeze_is_corrected_in_the_next_month(programme, finance):
    """Store 32 says in February that the purchase of 100.00 was 10.00."""
    post_january(programme)
    sealed = freeze("CARD", "2017-01", finance, FIRST_OF_FEBRUARY, debits=120_83)
    wrong = Entry.objects.get(reference="card:3")

    # January is final.
    with pytest.raises(errors.Refused, match="period_frozen"):
        reverse_entry(entry_id=wrong.pk, effective_on=date(2017, 1, 31), reason="Amount was 10.00", caller=programme)

    # The entry is undone in February by one that names it, and what is right is posted beside it.
    reverse_entry(entry_id=wrong.pk, effective_on=date(2017, 2, 3), reason="Amount was 10.00", caller=programme)
    right = entry("card", date(2017, 2, 3), "3-corrected", "1001-receivable", "store-32", 10_00)
    origin = entries.Origin(Posting.Origin.CHUNK, 2)
    transactions.run(lambda: entries.post(drafts=[right], origin=origin, caller=programme))

    assert balance("1001-receivable") == 22_34
    assert wrong.reversed_by.posting.reason == "Amount was 10.00"
    assert trial_balance("CARD", "2017-02") == [
        ("receivable", 120_83, 10_00, 100_00, 30_83),
        ("settlement", -120_83, 100_00, 10_00, -30_83),
    ]

    # January's seal is what it was, and February is sealed upon it.
    next_seal = freeze("CARD", "2017-02", finance, FIRST_OF_MARCH, settlement=90_00)
    assert next_seal.previous == sealed
    assert bytes(seals.prove(period("CARD", "2017-01")).digest) == bytes(sealed.digest)
    assert breaches() == []


def test_points_cannot_be_spent_twice(programme):
    """The floor of a member's points is zero: what is not there cannot be taken."""
    post_january(programme)

    def spend(reference, points):
        draft = entry("points", date(2017, 2, 1), reference, "1001-points", "grants", points)
        origin = of_request(programme)
        return transactions.run(lambda: entries.post(drafts=[draft], origin=origin, caller=programme))

    spend("spend-1", 100)
    with pytest.raises(errors.Refused, match="would fall to −1 points, below its floor of 0 points"):
        spend("spend-2", 13)
    spend("spend-3", 12)
    assert balance("1001-points") == 0
    assert breaches() == []
