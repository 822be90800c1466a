"""What ``post`` looks up: books, and what stands under the drafts' references."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection

from ledger_app import sql
from ledger_app.models import Account, Book, Entry
from ledger_app.posting.rules.drafts import KnownEntry


def book_codes(ids: Collection[int]) -> dict[int, str]:
    """Return code by book id."""
    if not ids:
        return {}
    return dict(Book.objects.filter(id__in=ids).values_list("id", "code"))


def roles_of(account_ids: Collection[int]) -> dict[int, str]:
    """Return role by account id."""
    found: dict[int, str] = {}
    for part in sql.parts(sorted(account_ids)):
        found.update(Account.objects.filter(id__in=part).values_list("id", "role"))
    return found


# References of a book, thousands in one statement, each looked up in the unique index. A list of them as parameters costs more in the driver than
# the look-up costs the server.
KNOWN = """
    SELECT entry.id, entry.reference, entry.digest, entry.turn, reversal.reference
      FROM {given}
      {then} ledger_app_entry AS entry ON entry.book_id = %s AND entry.reference = given.reference
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
"""


def known_entries(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], KnownEntry]:
    """Return the last entry under each of these (book id, reference): the one that stands, or else the one that was reversed last.

    One that stands comes with the content that a conflict is explained with.
    """
    references: dict[int, list[str]] = {}
    for book_id, name in wanted:
        references.setdefault(book_id, []).append(name)
    last: dict[tuple[int, str], tuple[int, bytes, int, str]] = {}
    with connection.cursor() as cursor:
        for book_id, names in references.items():
            for document in sql.documents(names):
                cursor.execute(_known(), [document, book_id])
                for key, reference, digest, turn, by in cursor.fetchall():
                    place = (book_id, reference)
                    if place not in last or last[place][2] < turn:
                        last[place] = (key, bytes(digest), turn, by or "")
    contents = _contents([key for key, _digest, _turn, by in last.values() if not by])
    return {name: KnownEntry(key, digest, contents.get(key, {}), turn, by) for name, (key, digest, turn, by) in last.items()}


def _known() -> str:
    return KNOWN.format(given=sql.given_keys("reference", sql.REFERENCE), then=sql.then())


def any_between(book_id: int, first: str, last: str) -> bool:
    """Whether an entry of the book has a reference from ``first`` to ``last``, in the order of their characters' numbers."""
    return Entry.objects.filter(book=book_id, reference__gte=first, reference__lte=last).exists()


def taken_references(book_id: int, names: Sequence[str]) -> set[str]:
    """Return those of ``names`` under which an entry of the book stands, or stood until it was reversed."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for document in sql.documents(names):
            cursor.execute(_known(), [document, book_id])
            found.update(row[1] for row in cursor.fetchall())
    return found


def _contents(entry_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    if not entry_ids:
        return found
    for part in sql.parts(entry_ids):
        for entry in Entry.objects.filter(id__in=part).select_related("reverses"):
            found[entry.pk] = {
                "date": entry.effective_on.isoformat(),
                "description": entry.description,
                "reverses": entry.reverses.reference if entry.reverses else "",
                "lines": [],
            }
    lines = lines_of(entry_ids)
    accounts = {account_id for _entry_id, account_id, _amount in lines}
    codes: dict[int, str] = {}
    for part in sql.parts(sorted(accounts)):
        codes.update(Account.objects.filter(id__in=part).values_list("id", "code"))
    for entry_id, account_id, amount in lines:
        found[entry_id]["lines"].append([codes[account_id], amount])
    return found


# From the entries to their lines, in this order: by old statistics MariaDB reads every line there is for nine hundred entries.
LINES_OF = """
    SELECT line.entry_id, line.account_id, line.amount
      FROM {given}
      {then} ledger_app_line AS line ON line.entry_id = given.id
     ORDER BY line.entry_id, line.id
"""


def lines_of(entry_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (entry id, account id, amount) of the lines of entries, entry by entry in the order in which they were written."""
    with connection.cursor() as cursor:
        cursor.execute(LINES_OF.format(given=sql.given_keys(), then=sql.then()), [json.dumps(list(entry_ids))])
        return list(cursor.fetchall())


REVERSALS = """
    SELECT entry.id, entry.reverses_id, reversal.reference
      FROM {given}
      {then} ledger_app_entry AS entry ON entry.id = given.id
      LEFT JOIN ledger_app_entry AS reversal ON reversal.reverses_id = entry.id
     WHERE entry.reverses_id IS NOT NULL OR reversal.id IS NOT NULL
"""


def reversals(entry_ids: Collection[int]) -> tuple[dict[int, str], frozenset[int]]:
    """Return, for entries that are to be reversed, who reversed them already, and which of them are reversals themselves."""
    ids = sorted(entry_ids)
    rows: list[tuple[int, int | None, str | None]] = []
    with connection.cursor() as cursor:
        for document in sql.documents(ids):
            cursor.execute(REVERSALS.format(given=sql.given_keys(), then=sql.then()), [document])
            rows += cursor.fetchall()
    reversed_by = {key: reference for key, _reverses, reference in rows if reference is not None}
    return reversed_by, frozenset(key for key, reverses, _reference in rows if reverses is not None)
