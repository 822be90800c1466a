"""A small ledger to try things on: one book, three months, a handful of accounts."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.models import Account, Book, Period, Posting, User
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.support import ledger_clocks as clocks
from tests.support.origins import of_request

# One chunk is posted once: every call of these tests has a number of its own.
_numbers = itertools.count(1)

AFTER_JANUARY = datetime(2017, 2, 1, 9, tzinfo=UTC)
MONTHS = {"2017-01": (date(2017, 1, 1), date(2017, 1, 31)), "2017-02": (date(2017, 2, 1), date(2017, 2, 28))} | {
    "2017-03": (date(2017, 3, 1), date(2017, 3, 31))
}
ACCOUNTS = (
    books.AccountOpening("cash", "cash", "asset"),
    books.AccountOpening("purse", "purse", "asset", floor=0),
    books.AccountOpening("wallet", "wallet", "liability", floor=0),
    books.AccountOpening("sales", "sales", "income"),
    books.AccountOpening("settlement", "settlement", "liability", stripes=4),
)


@dataclass(frozen=True, slots=True)
class SmallLedger:
    """One book with its periods by name and its accounts by code."""

    book: Book
    caller: Caller
    periods: dict[str, Period]
    accounts: dict[str, Account]

    def draft(self, reference: str, *lines: tuple[str, int], on: date = date(2017, 1, 10), description: str = "") -> Draft:
        """Return a draft with lines of (account code, amount)."""
        return Draft(self.book.pk, on, reference, description, tuple((self.accounts[code].pk, amount) for code, amount in lines))

    def post(self, *drafts: Draft, by_chunk: bool = False, lane: int = 0, at: datetime | None = None) -> entries.Posted:
        """Post drafts in a transaction of their own, as a request sent them or a chunk; written ``at`` an instant where one is given."""
        caller = Caller(self.caller.user, at or self.caller.at, self.caller.door)
        origin = entries.Origin(Posting.Origin.CHUNK, next(_numbers)) if by_chunk else of_request(caller)
        with clocks.stands_at(at):
            return transactions.run(lambda: entries.post(drafts=drafts, origin=origin, caller=caller, lane=lane))

    def sell(self, reference: str, amount: int, *, on: date = date(2017, 1, 10)) -> entries.Posted:
        """Post a sale for cash."""
        return self.post(self.draft(reference, ("cash", amount), ("sales", -amount), on=on))


def open_ledger(caller: Caller, *, code: str = "CARD", time_zone: str = "UTC") -> SmallLedger:
    """Open a book with January to March 2017, the accounts above, and the members M1 and M2 with a receivable each."""
    book = books.open_book(code=code, name=f"Book {code}", unit="JPY", exponent=0, time_zone=time_zone, caller=caller)
    for name, (starts_on, ends_on) in MONTHS.items():
        books.open_period(book=book, name=name, starts_on=starts_on, ends_on=ends_on, caller=caller)
    books.open_accounts(book=book, openings=ACCOUNTS, caller=caller)
    books.open_members(
        openings=[
            books.MemberOpening(
                f"{code}-{number}", ((code, books.AccountOpening(f"{number}-receivable", "receivable", "asset")),), name=number
            )
            for number in ("M1", "M2")
        ],
        caller=caller,
    )
    return SmallLedger(
        book=book,
        caller=caller,
        periods={period.name: period for period in Period.objects.filter(book=book)},
        accounts={account.code: account for account in Account.objects.filter(book=book)},
    )


def machine_caller(at: datetime = AFTER_JANUARY) -> Caller:
    """Return the system as caller, for what needs no right."""
    return Caller(user=User.objects.get(username=User.SYSTEM), at=at, door="command")
