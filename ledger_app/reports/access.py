"""Who has which right, as CSV: one row a grant, as the review of access shows it."""

from collections.abc import Iterable, Iterator

from ledger_app.base.rules import tables
from ledger_app.models import Token
from ledger_app.people.queries.reviews import Grant
from ledger_app.values import instants

COLUMNS = (
    *("user", "may_log_in", "grant", "since", "given_by", "decided_by", "given_alone", "last_login", "conflicts_of_duty"),
    *("token_name", "token_operations", "token_books", "token_ends_at"),
)
ALL = "*"  # what a token does or reaches that nothing narrows


def lines(grants: Iterable[Grant]) -> Iterator[str]:
    """Yield the names of the columns, then one line a grant. Instants are in UTC; what nothing tells is empty."""
    yield f"{tables.csv_line(COLUMNS)}\n"
    for each in grants:
        since, last = (instants.text(at) if at is not None else "" for at in (each.since, each.last_login))
        conflicts = " ".join(each.conflicts)
        flags = ("yes" if each.is_active else "no", "yes" if each.is_alone else "no")
        row = (each.user, flags[0], each.grant, since, each.given_by, each.decided_by, flags[1], last, conflicts)
        yield f"{tables.csv_line((*row, *_token(each.token)))}\n"


def _token(row: Token | None) -> tuple[str, ...]:
    if row is None:
        return ("",) * 4
    does, books = (ALL if given is None else " ".join(given) for given in (row.operations, row.books))
    return (row.name, does, books, instants.text(row.ends_at))
