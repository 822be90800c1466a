"""The general ledger of an account or of a role: every line of a span by date, with what stands against it and the balance that runs along."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ledger_app import sql
from ledger_app.explain.queries import book_spans, statements, trial_balances
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.models import Account, Entry, Line
from ledger_app.posting.queries import along, postings
from ledger_app.posting.queries.spans import Movement, Span

LINES_A_READ = 900  # as many as a list of keys has
IDS_A_READ = 2000
NAMES_KEPT = 100_000
CONTRA_MOST = 5  # that are told of a line


class Ledger(NamedTuple):
    """What the lines run from and to. Signed, debit positive."""

    category: str
    opening: int
    closing: int


class LedgerLine(NamedTuple):
    """A movement, the account that it is on, and those that stand against it."""

    movement: Movement
    account: str
    contra: tuple[str, ...]


def of_account(span: BookSpan, account: Account) -> Ledger:
    """Return what the ledger of an account runs from and to."""
    sums = statements.sums(_span(span, account), by_claim=span.known_at is None)
    return Ledger(account.category, sums.opening, sums.closing)


def of_role(span: BookSpan, role: str) -> Ledger:
    """Return what the ledger of a role runs from and to.

    :raises errors.Refused: seal_differs
    """
    found = trial_balances.of_role(span, role)
    if found is None:
        return Ledger(Account.objects.filter(book=span.book, role=role).values_list("category", flat=True)[0], 0, 0)
    category, sums = found
    opening = sums.opening or 0
    return Ledger(category, opening, opening + sums.change)


def has_more(span: BookSpan, account: Account, most: int) -> bool:
    """Whether more lines of an account than ``most`` have to be read for its ledger."""
    lines = Line.objects.filter(account=account)
    return (lines.filter(effective_on__gte=span.first_on) if span.known_at is None else lines)[most : most + 1].exists()


def lines_of_account(span: BookSpan, account: Account, opening: int) -> Iterator[LedgerLine]:
    """Yield the lines of an account in their order."""
    yield from _with_contra(statements.movements(_span(span, account), opening))


def lines_of_role(span: BookSpan, role: str, opening: int) -> Iterator[LedgerLine]:
    """Yield the lines of all accounts of a role in their order. In memory are the numbers of one day's lines, eight bytes each."""
    yield from _with_contra(_movements_of_role(span, role, opening))


def _span(span: BookSpan, account: Account) -> Span:
    return Span(account, span.first_on, span.last_on, span.known_at)


def _movements_of_role(span: BookSpan, role: str, opening: int) -> Iterator[Movement]:
    running = opening
    days = Entry.objects.filter(book_spans.entries(span, span.first_on)).order_by("effective_on")
    for day in days.values_list("effective_on", flat=True).distinct():
        rows = Line.objects.filter(entry__book=span.book, entry__effective_on=day, account__role=role).order_by("id")
        keys = array("q", rows.values_list("id", flat=True).iterator(chunk_size=IDS_A_READ))
        for start in range(0, len(keys), LINES_A_READ):
            part = keys[start : start + LINES_A_READ].tolist()
            for movement in along.of_lines(part, known_at=span.known_at):
                running += movement.amount
                yield movement._replace(running=running)


def _with_contra(movements: Iterable[Movement]) -> Iterator[LedgerLine]:
    names: dict[int, str] = {}
    part: list[Movement] = []
    for movement in movements:
        part.append(movement)
        if len(part) == LINES_A_READ:
            yield from _named(part, names)
            part = []
    yield from _named(part, names)


def _named(movements: Sequence[Movement], names: dict[int, str]) -> Iterator[LedgerLine]:
    """Yield movements with the codes of their accounts, and of those on the other side of their entries."""
    if not movements:
        return
    owners = _owners([movement.line_id for movement in movements])
    sides: dict[int, list[tuple[int, int]]] = {}
    for entry_id, account_id, amount in postings.lines_of(sorted({movement.entry_id for movement in movements})):
        sides.setdefault(entry_id, []).append((account_id, amount))
    _read_names(names, {account_id for pairs in sides.values() for account_id, _ in pairs})
    for movement in movements:
        against = {names[account_id] for account_id, amount in sides[movement.entry_id] if (amount > 0) != (movement.amount > 0)}
        yield LedgerLine(movement, names[owners[movement.line_id]], tuple(sorted(against)))


def _owners(line_ids: Sequence[int]) -> Mapping[int, int]:
    return {
        key: account_id
        for part in sql.parts(line_ids)
        for key, account_id in Line.objects.filter(id__in=part).values_list("id", "account_id")
    }


def _read_names(names: dict[int, str], wanted: set[int]) -> None:
    if len(names) > NAMES_KEPT:
        names.clear()
    for part in sql.parts(sorted(wanted - names.keys())):
        names.update(Account.objects.filter(id__in=part).values_list("id", "code"))
