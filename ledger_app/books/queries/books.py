"""Finds books and periods by what people call them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors.words import phrase
from ledger_app.models import Account, Book, Period
from ledger_app.values.openings import CODE_MOST, is_code


def find(code: str) -> Book:
    """Return a book by its code.

    :raises errors.Refused: not_found
    """
    book = Book.objects.filter(code=code).first() if is_code(code, CODE_MOST) else None
    if book is None:
        raise errors.Refused([errors.NotFound(what=_("book"), name=code)])
    return book


def narrowed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list is filtered by, its ``book`` and ``account`` found by their codes: there are few, and the list is long.

    :raises errors.Refused: not_found, where there is no such book
    """
    wanted = dict(asked)
    if "book" in wanted:
        wanted["book"] = find(wanted["book"])
    if "account" in wanted:
        within = [wanted["book"].pk] if "book" in wanted else ids()
        # By the index over book and code, which a join to the accounts would pass by where no book is named.
        found = Account.objects.filter(book__in=within, code=wanted.pop("account"))
        wanted["account__in"] = list(found.values_list("id", flat=True))
    return wanted


def ids() -> list[int]:
    """Return every book, by number: a key within a book is found by its index where each of them is named."""
    return list(Book.objects.order_by("id").values_list("id", flat=True))


def find_period(code: str, name: str) -> Period:
    """Return a period by its book's code and its name.

    :raises errors.Refused: not_found
    """
    rows = Period.objects.filter(book=find(code), name=name).select_related("book")
    period = rows.first() if is_code(name, CODE_MOST) else None
    if period is None:
        raise errors.Refused([errors.NotFound(what=phrase(_("period of {book}"), book=code), name=name)])
    return period
