"""What a request of many items locks before the first of them: all of it at once, in the one order of locks.

Item by item, two requests over the same accounts in other orders would wait for each other, and one of them begin anew, again and again.
What is missing here is locked by its item; nothing is decided on what is read here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from ledger_app import locks, sql
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Book, Hold
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.rules.holds import HOLD
from ledger_app.rights.queries.rights import rights_of


def for_settlements(settled: Mapping[tuple[str, str], date | None], *, caller: Caller) -> None:
    """Lock the holds that are about to be settled, each with the day that was said, the periods of these days, and the accounts on both sides.

    :raises errors.TryAgain: when the database was busy or away
    """
    if HOLD.transition("settle").right not in rights_of(caller.user):
        return
    books = {book.code: book for book in Book.objects.filter(code__in=sorted({code for code, _reference in settled}))}
    ids: dict[int, list[str]] = {}
    days: set[date] = set()
    for (code, reference), on in sorted(settled.items(), key=lambda item: item[0]):
        if (book := books.get(code)) is not None:
            ids.setdefault(book.pk, []).append(reference)
            days.add(on or hold_rows.day(book, caller.at))
    found = [
        row
        for book_id, references in ids.items()
        for part in _parts(references)
        for row in Hold.objects.filter(book=book_id, reference__in=part).values_list("id", "account_id", "target_id")
    ]
    if not found:
        return

    def work() -> None:
        for part in _parts(sorted(key for key, _account, _target in found)):
            locks.beside_own(Hold.objects.filter(pk__in=part))
        accounts = frozenset(account for _key, *both in found for account in both)
        locks.ledger(locks.Wanted(frozenset(ids), min(days), max(days), accounts, days=frozenset(days)))

    transactions.run(work)


def _parts(items: list[Any]) -> list[list[Any]]:
    return [items[start : start + sql.LIST_MOST] for start in range(0, len(items), sql.LIST_MOST)]
