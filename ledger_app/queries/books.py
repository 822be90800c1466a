"""Finds books and periods by what people call them."""

from ledger_app import errors
from ledger_app.models import Book, Period


def find(code: str) -> Book:
    """Return a book by its code.

    :raises errors.Refused: not_found
    """
    book = Book.objects.filter(code=code).first()
    if book is None:
        raise errors.Refused([errors.NotFound(what="book", name=code)])
    return book


def find_period(code: str, name: str) -> Period:
    """Return a period by its book's code and its name.

    :raises errors.Refused: not_found
    """
    period = Period.objects.filter(book=find(code), name=name).select_related("book").first()
    if period is None:
        raise errors.Refused([errors.NotFound(what=f"period of {code}", name=name)])
    return period
