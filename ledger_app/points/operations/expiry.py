"""Expiry: what is due goes from its accounts to the breakage account, in one entry for each account and day, dated on that day.

What is to be done stands in the lots themselves, so that a run that comes late, twice, beside another one, or after one that was killed, does
what is left and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, connections
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import collecting, measuring, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.pool import Pool
from ledger_app.errors import lots as lot_errors
from ledger_app.models import Book, ExpiryChunk, ExpiryRun, LotRule, Posting
from ledger_app.points.operations import holds
from ledger_app.points.queries import expiry as due_rows
from ledger_app.points.queries.expiry import Due, Span
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Named, Taking
from ledger_app.values.sides import natural

LOTS_A_CHUNK = 5000
PASSES = 3
# How often a chunk is read again because its lots moved between the reading and the locking.
READINGS = 6
SPARES = 4
# What says that somebody was there in between; anything else is told.
MOVED = (lot_errors.LotsDiffer,)


@dataclass(frozen=True, slots=True)
class ChunkExpired:
    """What became of a chunk: entries and amount, and why accounts were left out."""

    entry_count: int
    amount: int
    refused: tuple[errors.LedgerError, ...] = ()


@dataclass(slots=True)
class Expired:
    """What a run did and what it left: ``refused`` are the reasons of accounts that did not expire; ``held`` is what holds keep until they end."""

    entry_count: int = 0
    amount: int = 0
    chunks: int = 0
    ended_holds: int = 0
    refused: list[errors.LedgerError] = field(default_factory=list)
    held: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What each process is given: the chunks of its own, and the lane of its lines on striped accounts."""

    run_id: int
    chunks: tuple[tuple[Span, ...], ...]
    caller: Caller
    lane: int


def expire(
    *,
    book: Book,
    through: date,
    caller: Caller,
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Expired:
    """Expire what is due through a day, which has ended, in ``workers`` processes; ``on_progress`` is called with chunks done and in all.

    Accounts that refuse are left out, and the reasons returned. Holds whose time is over are ended first. At the end it asks again what is due:
    what is left though nothing refuses it is among the reasons (expiry_left), so that a run whose processes died does not call itself done.

    :raises errors.Refused: day_not_ended; expiry_frozen
    """
    today = caller.at.astimezone(ZoneInfo(book.time_zone)).date()
    if through >= today:
        raise errors.Refused([lot_errors.DayNotEnded(date=through.isoformat(), zone=book.time_zone)])
    frozen = due_rows.first_frozen(book, through)
    if frozen is not None:
        on, period = frozen
        raise errors.Refused([lot_errors.ExpiryFrozen(book=book.code, date=on.isoformat(), period=period)])
    found = Expired(ended_holds=holds.sweep(caller=caller))
    seen: list[list[Span]] = []
    for _number in range(PASSES):
        # Once more, since what is spent, let go and reversed meanwhile moves.
        spans = due_rows.chunks(book, through, size=LOTS_A_CHUNK)
        before = found.entry_count
        if spans:
            found.refused.clear()
            run = ExpiryRun(book=book, through=through, started_by=caller.user, started_at=caller.at)
            _run(run, spans, workers=workers, found=found, on_progress=on_progress, caller=caller)
        # A merge takes lots to an account that no chunk looked at: only where nothing moved either is nothing left.
        if not spans or (found.entry_count == before and spans == seen):
            break
        seen = spans
    _ask_again(book, through, found, caller.at)
    return found


def _ask_again(book: Book, through: date, found: Expired, at: datetime) -> None:
    """Say what is due after all passes."""
    days = due_rows.total(due_rows.due_by_day(by=through, at=at, book_id=book.pk))
    found.held = days.held if days is not None else 0
    refused = {str(reason.facts["account"]) for reason in found.refused if "account" in reason.facts}
    left = due_rows.left_through(book, through, without=refused)
    if left is not None:
        told = {"accounts": left.accounts, "amount": left.amount, "account": left.first}
        found.refused.append(lot_errors.ExpiryLeft(book=book.code, date=through.isoformat(), **told))


def _run(
    run: ExpiryRun,
    chunks: Sequence[Sequence[Span]],
    *,
    workers: int,
    found: Expired,
    on_progress: Callable[[int, int], None],
    caller: Caller,
) -> None:
    transactions.run(run.save)
    workers = 1 if connection.vendor == "sqlite" else max(1, min(workers, len(chunks)))
    works = [Work(run.pk, tuple(map(tuple, chunks[lane::workers])), caller, lane) for lane in range(workers)]
    for done, result in enumerate(work(works[0]) if workers == 1 else _in_processes(works), start=1):
        found.chunks += 1 if result.entry_count else 0
        found.entry_count += result.entry_count
        found.amount += result.amount
        found.refused += result.refused
        on_progress(done, len(chunks))


def _in_processes(works: Sequence[Work]) -> Iterator[ChunkExpired]:
    # A connection is never shared with another process.
    connections.close_all()
    pool = Pool([(work_apart, (each,)) for each in works], spares=SPARES)
    try:
        for kind, said in pool.events():
            if kind == "result":
                yield said
            elif kind == "measured":
                measuring.merge(said)
    finally:
        pool.stop()
    if pool.failures:
        raise pool.failures[0]


def work_apart(given: Work) -> Iterator[tuple[str, Any]]:
    """Work in a process of its own: yield what was measured of each chunk, and what became of it.

    One that takes over from a dead one finds its chunks done.
    """
    results = work(given)
    while True:
        with measuring.measured() as measured:
            result = next(results, None)
        yield "measured", measured
        if result is None:
            return
        yield "result", result


def work(given: Work) -> Iterator[ChunkExpired]:
    """Expire chunk by chunk, each in a transaction of its own."""
    run = ExpiryRun.objects.select_related("book").get(pk=given.run_id)
    rules = {rule.role: rule.breakage_id for rule in LotRule.objects.filter(book=run.book)}
    for spans in given.chunks:
        with collecting.rare():
            expired = _chunk(run, spans, rules, given)
        yield expired


def _chunk(run: ExpiryRun, spans: Sequence[Span], rules: Mapping[str, int], given: Work) -> ChunkExpired:
    """Expire one chunk. Its lots are read before they are locked: where they changed in between, ``post`` refuses, and they are read again."""
    left_out: dict[str, errors.LedgerError] = {}
    tries = 0

    def expire_once() -> tuple[int, int]:
        nonlocal tries
        tries += 1
        # Few accounts have had an expiry of that day before. Where one has, the database refuses its reference, and the next try looks.
        return _post(run, spans, rules, given, left_out, are_new=tries == 1)

    for _reading in range(READINGS):
        try:
            posted = transactions.run(expire_once)
        except errors.Refused as refusal:
            known = set(left_out)
            for reason in refusal.reasons:
                if not isinstance(reason, MOVED):
                    # One that was left out and is refused again is none of the chunk's own: the breakage account is not open, for one.
                    if "account" not in reason.facts or reason.facts["account"] in known:
                        raise
                    left_out[reason.facts["account"]] = reason
        else:
            return ChunkExpired(*posted, tuple(left_out.values()))
    raise errors.TryAgain(cause=_("lots that move all the time"))


def _post(
    run: ExpiryRun,
    spans: Sequence[Span],
    rules: Mapping[str, int],
    given: Work,
    left_out: Mapping[str, errors.LedgerError],
    *,
    are_new: bool,
) -> tuple[int, int]:
    with measuring.phase("read"):
        due = [each for each in due_rows.due_in(run.book_id, spans) if each.code not in left_out]
    if not due:
        return 0, 0
    with measuring.phase("plan"):
        names = due_rows.references(run.book_id, [(each.code, each.due_on) for each in due], are_new=are_new)
        drafts = [_draft(run.book_id, each, name, rules) for each, name in zip(due, names, strict=True)]
        amount = sum(each.amount for each in due)
        chunk = ExpiryChunk.objects.create(run=run, entry_count=len(drafts), amount=amount)
    origin = entries.Origin(Posting.Origin.EXPIRY, chunk.pk)
    # The references are free, or supposed to be. Where one is not, the database refuses it, and all of this is read again.
    posted = entries.post(drafts=drafts, origin=origin, caller=given.caller, lane=given.lane, are_new=True)
    return posted.entry_count, amount


def _draft(book_id: int, due: Due, reference: str, rules: Mapping[str, int]) -> Draft:
    amount = due.amount
    signed = natural(due.category, amount)
    return Draft(
        book_id=book_id,
        effective_on=due.due_on,
        reference=reference,
        description="Expiry",
        lines=((due.account_id, -signed), (rules[due.role], signed)),
        lots=Named(takings=tuple(Taking(*lot) for lot in due.lots), expires=True),
    )
