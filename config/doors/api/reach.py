"""How far a token reaches that is for some books alone: rows of these books, and requests that name these books in each item. Everything else it is refused."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from ledger_app import errors
from ledger_app.errors.tokens import TokenBound

NAME = "book"


def check(view: Any, request: Request) -> None:
    """Refuse what is not of the token's books, before anything is done with it.

    :raises errors.Refused: token_bound
    :raises Http404: the row is of another book
    """
    books = books_of(request)
    if books is None:
        return
    if view.action in view.names_books:
        said = set(named(request.data))
        is_reached = bool(said) and said <= books
    else:
        is_reached = view.book_path is not None and (view.detail or request.method in SAFE_METHODS)
        if is_reached and view.detail:
            # Rows are narrowed below: one of another book is not found, whatever the action would look up by itself.
            view.get_object()
    if not is_reached:
        raise errors.Refused([TokenBound(books=", ".join(sorted(books)))])


def narrowed(view: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the view's rows that the token reaches."""
    books = books_of(view.request)
    return rows if books is None or view.book_path is None else rows.filter(**{f"{view.book_path}__in": sorted(books)})


def books_of(request: Any) -> frozenset[str] | None:
    """Return the codes of the books that a request may be about; None where that is any."""
    found: frozenset[str] | None = getattr(getattr(request, "user", None), "only_books", None)
    return found


def named(data: Any) -> Iterator[Any]:
    """Yield what stands in the place of a book, wherever in a body."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == NAME:
                yield value if isinstance(value, str) else None
            else:
                yield from named(value)
    elif isinstance(data, list):
        for value in data:
            yield from named(value)
