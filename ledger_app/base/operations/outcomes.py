"""Many things asked for in one request: an outcome for each, and all or nothing or a trial where that is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.base.operations.refusals import SUBJECT
from ledger_app.errors import requests

ITEMS_MOST: Final = 10_000
REASONS_KEPT: Final = 20
CREATED, EXISTS, REFUSED, LEFT = "created", "exists", "refused", "left"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: ``id`` is the number of what it made or found; ``reasons`` are why it was refused.

    ``left`` is what could have been done, and was not: others of a request that is all or nothing were refused.
    """

    outcome: str
    id: int | None = None
    reasons: tuple[errors.LedgerError, ...] = ()


class _Undo(Exception):
    """Everything is undone, and this is what would have become of it."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


def ask_size(items: Sequence[object]) -> None:
    """Refuse a request of no items, or of too many.

    :raises errors.Refused: submission_size
    """
    if not 1 <= len(items) <= ITEMS_MOST:
        raise errors.Refused([requests.SubmissionSize(count=len(items), most=ITEMS_MOST)])


def of_each(
    items: Sequence[Item],
    do: Callable[[Item], tuple[int, bool]],
    *,
    what: str,
    caller: Caller,
    is_all: bool,
    is_dry: bool,
    lock_ahead: Callable[[], None] | None = None,
) -> list[Outcome]:
    """Do each item by an operation of its own, in their order and in one transaction; return what became of each.

    ``do`` returns the number of what it made or found, and whether that is new. ``lock_ahead`` locks what all of them will (``ahead``). Those after one that is refused are asked all the same.
    Where all is undone because some were refused, one audit row of ``what`` tells of it.

    :raises errors.Refused: submission_size
    :raises errors.TryAgain: when the database was busy or away
    """
    ask_size(items)

    def work() -> list[Outcome]:
        if lock_ahead is not None:
            lock_ahead()
        return settled([_of(do, item) for item in items], is_all=is_all, is_dry=is_dry)

    done = undone_or(lambda: transactions.whole(work))
    if is_all and not is_dry:
        record_refused(done, what=what, caller=caller)
    return done


def record_refused(done: Sequence[Outcome], *, what: str, caller: Caller) -> None:
    """Leave one audit row of the items of a request that were refused, where there are such."""
    reasons = [reason for each in done for reason in each.reasons][:REASONS_KEPT]
    if reasons:
        subject = Subject(SUBJECT, caller.user.pk, what)
        transactions.run(lambda: record(subject=subject, action="bulk", caller=caller, outcome="refused", reasons=reasons))


def _of(do: Callable[[Item], tuple[int, bool]], item: Item) -> Outcome:
    try:
        number, is_new = do(item)
    except errors.Refused as refusal:
        return Outcome(REFUSED, reasons=refusal.reasons)
    return Outcome(CREATED if is_new else EXISTS, number)


def settled(found: list[Outcome], *, is_all: bool, is_dry: bool) -> list[Outcome]:
    """Return the outcomes of what is to stay; where nothing is to stay, have the transaction undone (``undone_or``)."""
    is_refused = is_all and any(each.outcome == REFUSED for each in found)
    if is_refused or is_dry:
        # What it made is undone, and its number will be another's: neither it nor what found it again in the same request tells it.
        made = {each.id for each in found if each.outcome == CREATED}
        name = LEFT if is_refused else ""
        found = [Outcome(name or each.outcome) if each.id is not None and each.id in made else each for each in found]
    if is_refused or is_dry:
        raise _Undo(found)
    return found


def undone_or(work: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Return what ``work`` returns, or what would have become of it where it was undone."""
    try:
        return work()
    except _Undo as undone:
        return undone.outcomes
