"""The one way into the ledger."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection

from ledger_app import errors, locks, sql
from ledger_app.base.operations import bulk, feed, measuring
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import clock, lookout, totals
from ledger_app.base.rules.feed import POSTING
from ledger_app.errors import bounds
from ledger_app.models import Posting
from ledger_app.models.entries import PLACES
from ledger_app.posting.operations import lots
from ledger_app.posting.queries import bases
from ledger_app.posting.rules import posting
from ledger_app.posting.rules.drafts import Draft, Plan
from ledger_app.traces import operations as traces
from ledger_app.values.locked import LockedAccount

ENTRY_COLUMNS = {
    "id": bulk.INTEGER,
    "posting_id": bulk.INTEGER,
    "book_id": bulk.INTEGER,
    "effective_on": bulk.DATE,
    "reference": bulk.TEXT,
    "turn": bulk.INTEGER,
    "description": bulk.TEXT,
    "reverses_id": bulk.OPTIONAL_INTEGER,
    "digest": bulk.DIGEST,
}
LINE_COLUMNS = {
    **dict.fromkeys(("id", "entry_id", "account_id", "stripe", "sequence", "amount", "balance_after"), bulk.INTEGER),
    "effective_on": bulk.DATE,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What the entries come from: a kind of ``Posting.Origin`` and its number. One origin is posted once."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What ``post`` did: how many entries and lines are new, and how many were there already with the same content."""

    posting_id: int | None
    entry_count: int
    line_count: int
    replayed_count: int


def post(
    *,
    drafts: Sequence[Draft],
    origin: Origin,
    caller: Caller,
    lane: int = 0,
    reason: str = "",
    locked: locks.Ledger | None = None,
    are_new: bool = False,
    by_hand: bool | None = None,
) -> Posted:
    """Post ``drafts`` in the transaction that is open: all of them or, by raising, none.

    An entry that stands in the ledger under the same reference with the same content is left as it is and counted as replayed; one that was
    reversed has given its reference to the next. ``lane`` picks the stripe of striped accounts. The references are looked up under the locks, not before them: anyone who posts the same entry at the
    same time waits for the same balances, and then finds it (docs/decisions/0003).

    ``locked`` is what a caller holds that had to decide under these locks before it knew its drafts: it has all periods, holders and balances
    that they meet.

    ``are_new`` supposes that nothing stands under the drafts' references, and looks none of them up. Where the caller is wrong the database
    refuses the second entry of a reference, and the transaction is to be tried again without it.

    ``by_hand`` says that a provisional period may take the entries; where it is None, all may but those of a chunk.

    :raises errors.Refused: posting_too_large; else with every refusal of every draft, in the order of ``posting.ORDER``
    :raises errors.WrittenDiffers: when what was written is not what was planned
    """
    if not drafts:
        return Posted(None, 0, 0, 0)
    if (places := max(len(drafts), sum([len(draft.lines) for draft in drafts]))) > PLACES:
        raise errors.Refused([bounds.PostingTooLarge(count=places, most=PLACES)])
    with measuring.phase("lock"):
        locked = locked or locks.ledger(bases.wanted(drafts), lane=lane)
        of_lots = lots.hold(locked.accounts, drafts, caller=caller)
        basis = bases.completed(locked, drafts, of_lots=of_lots, are_new=are_new)
    with measuring.phase("decide"):
        takes_provisional = origin.kind != Posting.Origin.CHUNK if by_hand is None else by_hand
        refusals, plan = posting.decide(drafts, basis=basis, lane=lane, by_hand=takes_provisional)
    if (places := max(len(plan.uses), len(plan.lots))) > PLACES:
        refusals.append(bounds.PostingTooLarge(count=places, most=PLACES))
    if refusals:
        raise errors.Refused(refusals)
    # From here on, every draft must be posted.
    with measuring.phase("write"):
        posting_id = _write(plan, basis.accounts, origin=origin, caller=caller, reason=reason) if plan.entries else None
    return Posted(posting_id, len(plan.entries), len(plan.lines), len(drafts) - len(plan.entries))


def _write(plan: Plan, accounts: Mapping[int, LockedAccount], *, origin: Origin, caller: Caller, reason: str) -> int:
    """Write posting, entries, lines and balances, and assert that they are what was planned. Return the posting's id."""
    row = Posting.objects.create(
        origin_kind=origin.kind,
        origin_id=origin.id,
        posted_by=caller.user,
        # Not when it was asked for: a report of what was known in between would change after it was given out.
        posted_at=clock.now(),
        reason=reason[:500],
        entry_count=len(plan.entries),
        line_count=len(plan.lines),
    )
    counts = {"origin": origin.kind, "origin_id": origin.id, "entries": len(plan.entries)}
    feed.tell(subject_type=POSTING, subject_id=row.pk, action="posted", by=caller.user, at=row.posted_at, facts=counts)
    first = row.pk * PLACES
    places = sorted(range(len(plan.entries)), key=[entry.draft.book_id for entry in plan.entries].__getitem__)
    keys = [0] * len(places)
    for key, place in enumerate(places, first):
        keys[place] = key
    entries = [
        (key, row.pk, draft[0], draft[1], draft[2], turn, draft[3], draft[5].id if draft[5] else None, fingerprint)
        for key, (draft, fingerprint, turn) in zip(keys, plan.entries, strict=True)
    ]
    # Book by book, as the index over book and reference has them.
    entries.sort()
    # A file's texts are looked at column by column, since a layout may declare long numbers of its own; a reversal says what stands.
    with lookout.done() if origin.kind in {Posting.Origin.CHUNK, Posting.Origin.REVERSAL} else nullcontext():
        bulk.insert_all("entries", "ledger_app_entry", ENTRY_COLUMNS, entries)
    dates = [entry.draft.effective_on for entry in plan.entries]
    lines = [
        (key, keys[place], account_id, stripe, sequence, amount, after, dates[place])
        for key, (place, account_id, stripe, sequence, amount, after) in enumerate(plan.lines, first)
    ]
    bulk.insert_all("lines", "ledger_app_line", LINE_COLUMNS, lines)
    _set_balances(plan)
    of_lots = lots.write(plan, row.pk, accounts)
    traces.digest_posting(row, [entry[-1] for entry in entries], *of_lots)
    _assert_written(row.pk, plan)
    return row.pk


def _set_balances(plan: Plan) -> None:
    """Set every balance that moved, in one statement where they fit into one."""
    rows = [[key, moved.amount, moved.sequence, plan.last_on[key].isoformat()] for key, moved in sorted(plan.balances.items())]
    columns = {"id": sql.INTEGER, "amount": sql.INTEGER, "sequence": sql.INTEGER, "last_on": sql.DAY}
    statement = bulk.setting(
        given=sql.given_rows(columns, "planned"),
        table="ledger_app_balance",
        row="balance",
        on="balance.id = planned.id",
        values={name: f"planned.{name}" for name in ("amount", "sequence", "last_on")},
    )
    count = 0
    with connection.cursor() as cursor:
        for document in bulk.documents(rows):
            cursor.execute(statement, [document])
            count += cursor.rowcount
    if count != len(rows):
        raise errors.WrittenDiffers(what="balances set", planned=len(rows), found=count)


# The lines of a posting stand together under its own numbers, whatever the statistics say right after a bulk insert.
WRITTEN = """
    SELECT {key}, written.line_count, written.line_sum, written.sequence, balance.amount, balance.sequence
      FROM (
           SELECT account_id, stripe, COUNT(*) AS line_count, EXACT_SUM(amount) AS line_sum, MAX(sequence) AS sequence
             FROM ledger_app_line WHERE id BETWEEN %s AND %s GROUP BY account_id, stripe
           ) AS written
      {then} ledger_app_balance AS balance ON balance.id = {key}
"""


def _assert_written(posting_id: int, plan: Plan) -> None:
    """Read back what was written and hold it against the plan: by balance the count and sum of lines, the last of them, the claim."""
    first = posting_id * PLACES
    with connection.cursor() as cursor:
        place = sql.balance_key("written.account_id", "written.stripe")
        cursor.execute(totals.sql(WRITTEN.format(key=place, then=sql.then())), [first, first + PLACES - 1])
        rows = [tuple(map(int, row)) for row in cursor.fetchall()]
    written = {key: (lines, total) for key, lines, total, *_ in rows}
    if written != {key: (moved.line_count, moved.line_sum) for key, moved in plan.balances.items()}:
        raise errors.WrittenDiffers(what="lines", planned=len(plan.lines), found=sum(lines for lines, _ in written.values()))
    if (total := sum(total for _, total in written.values())) != 0:
        raise errors.WrittenDiffers(what="sum of lines", planned=0, found=total)
    for key, _count, _total, last, amount, sequence in rows:
        moved = plan.balances[key]
        if (amount, sequence, last) != (moved.amount, moved.sequence, moved.sequence):
            raise errors.WrittenDiffers(what=f"balance {key}", planned=tuple(moved[:2]), found=(amount, sequence))
