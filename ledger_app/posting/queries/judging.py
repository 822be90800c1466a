"""What drafts are judged on before they are posted, a block at a time: periods and rules of lots read once, accounts as they are given."""

from collections.abc import Collection, Mapping

from django.db import connection
from django.db.models import F, Max
from django.db.models.functions import Abs

from ledger_app import sql
from ledger_app.models import Balance, Book, LotRule, Period
from ledger_app.posting.queries.lots import rule_of
from ledger_app.posting.rules.drafts import Basis, KnownEntry, LockedBook
from ledger_app.posting.rules.lots import LockedLots, Rule
from ledger_app.values import sides
from ledger_app.values.balances import BALANCE_MOST
from ledger_app.values.locked import LockedAccount, LockedPeriod

ROOM = 10**18  # what one file may move: an account that has more left than that cannot leave the range of balances by it

# Asked of every account that a file names: with its numbers in the text, which costs a tenth of so many parameters.
FAR = """
    SELECT account_id, amount FROM ledger_app_balance
     WHERE account_id IN ({ids}) AND (amount > {most} OR amount < -{most})
     ORDER BY ABS(amount)
"""


def near_the_end(account_ids: Collection[int]) -> dict[int, int]:
    """Return the accounts that so much could take out of the range of balances, each with the amount of its stripe that is farthest from zero."""
    found: dict[int, int] = {}
    with connection.cursor() as cursor:
        for part in sql.parts(sorted(account_ids)):
            cursor.execute(FAR.format(ids=", ".join(map(str, part)), most=BALANCE_MOST - ROOM))
            found.update(cursor.fetchall())
    return found


def farthest(books: Collection[Book]) -> int:
    """Return how far from zero the balance is that is farthest, of any account of these books. It reads all of them."""
    rows = Balance.objects.filter(account__book__in=books)
    return int(rows.aggregate(most=Max(Abs(F("amount"))))["most"] or 0)


class Ground:
    """What a decision on drafts of a few books rests on, and no draft changes."""

    def __init__(self, books: Collection[Book]) -> None:
        """Read the periods and the rules of lots of these books."""
        self._books = {book.pk: LockedBook(book.code, _periods(book)) for book in books}
        self._rules: dict[tuple[int, str], Rule] = {
            (row.book_id, row.role): rule_of(row) for row in LotRule.objects.filter(book__in=self._books)
        }

    def basis(
        self, accounts: Mapping[int, LockedAccount], roles: Mapping[int, str], known: Mapping[tuple[int, str], KnownEntry]
    ) -> Basis:
        """Return the basis of drafts that take from no limited account (with a floor or lots): no balance and no lot is read.

        ``roles`` are those of the accounts that keep lots.
        """
        return Basis(
            books=self._books,
            accounts=accounts,
            balances={},
            known=known,
            lots={account_id: self._lots(accounts[account_id], role) for account_id, role in roles.items()},
        )

    def _lots(self, account: LockedAccount, role: str) -> LockedLots:
        sign = sides.sign(account.category)
        return LockedLots(account.code, account.book_id, sign, account.floor, self._rules[account.book_id, role], ())


def _periods(book: Book) -> tuple[LockedPeriod, ...]:
    rows = Period.objects.filter(book=book).order_by("id").values_list("name", "starts_on", "ends_on", "state")
    return tuple(LockedPeriod(*row) for row in rows)
