"""Finds books and accounts by their codes, many in a few statements."""

from collections.abc import Collection

from ledger_app import sql
from ledger_app.models import Account, Book


def books(wanted: Collection[str]) -> dict[str, int]:
    """Return the books that are there, by code."""
    return dict(Book.objects.filter(code__in=sorted(wanted)).values_list("code", "id"))


def accounts(wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the accounts that are there, by book and code."""
    of_book: dict[int, list[str]] = {}
    for book_id, code in sorted(wanted):
        of_book.setdefault(book_id, []).append(code)
    found: dict[tuple[int, str], int] = {}
    for book_id, names in of_book.items():
        for part in sql.parts(names):
            rows = Account.objects.filter(book=book_id, code__in=part)
            found.update({(book_id, code): key for code, key in rows.values_list("code", "id")})
    return found
