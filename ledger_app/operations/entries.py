"""The one way into the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.models import Entry, Posting
from ledger_app.operations import bulk, transactions
from ledger_app.operations.audit import Caller
from ledger_app.operations.transitions import REASON_MOST
from ledger_app.queries import postings
from ledger_app.queries.postings import JOIN_IN_ORDER
from ledger_app.rules import posting
from ledger_app.rules.posting import Draft, Held, HeldBook, HeldPeriod, Plan, Reversed

ENTRY_COLUMNS = {
    "posting_id": bulk.INTEGER,
    "book_id": bulk.INTEGER,
    "effective_on": bulk.DATE,
    "reference": bulk.TEXT,
    "description": bulk.TEXT,
    "reverses_id": bulk.INTEGER,
    "digest": bulk.DIGEST,
}
LINE_COLUMNS = dict.fromkeys(("entry_id", "account_id", "stripe", "sequence", "amount", "balance_after"), bulk.INTEGER)


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


def post(*, drafts: Sequence[Draft], origin: Origin, caller: Caller, lane: int = 0, reason: str = "") -> Posted:
    """Post ``drafts`` in the transaction that is open: all of them or, by raising, none.

    An entry that is in the ledger under the same reference with the same content is left as it is and counted as replayed. ``lane`` picks
    the stripe of striped accounts. The references are looked up under the locks, not before them: whoever posts the same entry at the
    same time waits for the same balances, and then finds it (docs/decisions/0003).

    :raises errors.Refused: with every refusal of every draft, in the order of ``posting.ORDER``
    :raises errors.WrittenDiffers: when what was written is not what was planned
    """
    if not drafts:
        return Posted(None, 0, 0, 0)
    held = _hold(drafts, lane)
    refusals, plan = posting.decide(drafts, held=held, lane=lane, by_hand=origin.kind != Posting.Origin.CHUNK)
    if refusals:
        raise errors.Refused(refusals)
    # From here on, every draft must be posted.
    posting_id = _write(plan, origin=origin, caller=caller, reason=reason) if plan.entries else None
    return Posted(posting_id, len(plan.entries), plan.line_count, len(drafts) - len(plan.entries))


def reverse(*, entry_id: int, effective_on: date, reason: str, caller: Caller) -> Posted:
    """Post the entry that undoes ``entry_id``, dated ``effective_on``; an entry is reversed once.

    :raises errors.Refused: as ``post``; already reversed, a reversal itself, no reason given or too long a one
    """
    if not reason.strip():
        raise errors.Refused([errors.ReasonRequired(action=_("Reverse"))])
    if len(reason) > REASON_MOST:
        raise errors.Refused([errors.ReasonTooLong(most=REASON_MOST, length=len(reason))])
    return transactions.run(lambda: _reverse(entry_id, effective_on, reason.strip(), caller))


def _reverse(entry_id: int, effective_on: date, reason: str, caller: Caller) -> Posted:
    entry = locks.own_row(Entry, entry_id)
    lines = tuple((account_id, -amount) for account_id, amount in entry.lines.order_by("id").values_list("account_id", "amount"))
    draft = Draft(
        book_id=entry.book_id,
        effective_on=effective_on,
        reference=f"reversal:{entry.pk}",
        description=f"Reversal of {entry.reference}",
        lines=lines,
        reverses=Reversed(entry.pk, entry.reference),
    )
    return post(drafts=[draft], origin=Origin(Posting.Origin.REVERSAL, entry.pk), caller=caller, reason=reason)


def _hold(drafts: Sequence[Draft], lane: int) -> Held:
    """Lock, in the one order, all that the decision rests on; then read it."""
    account_ids = {account_id for draft in drafts for account_id, _ in draft.lines}
    fixed = postings.holders_of(account_ids)
    book_ids = {draft.book_id for draft in drafts}
    dates = [draft.effective_on for draft in drafts]
    locked = locks.ledger(
        book_ids=book_ids,
        first_on=min(dates),
        last_on=max(dates),
        holder_ids={holder for holder, _ in fixed.values() if holder is not None},
        balance_ids=[posting.balance_id(account_id, lane % stripes) for account_id, (_, stripes) in fixed.items()],
    )
    periods: dict[int, list[HeldPeriod]] = {}
    for period in locked.periods:
        periods.setdefault(period.book_id, []).append(HeldPeriod(period.name, period.starts_on, period.ends_on, period.state))
    books = {key: HeldBook(code, tuple(periods.get(key, ()))) for key, code in postings.book_codes(book_ids).items()}
    to_reverse = {draft.reverses.id for draft in drafts if draft.reverses}
    reversed_by, reversals = postings.reversals(to_reverse)
    return Held(
        books=books,
        accounts=postings.accounts(account_ids, locked.holders),
        balances=locked.balances,
        known=postings.known_entries(drafts),
        reversed_by=reversed_by,
        reversals=reversals,
    )


def _write(plan: Plan, *, origin: Origin, caller: Caller, reason: str) -> int:
    """Write posting, entries, lines and balances, and assert that they are what was planned. Return the posting's id."""
    # Book by book: the trigger on entries believes the period it found until the book changes.
    ordered = sorted(plan.entries, key=lambda entry: entry.draft.book_id)
    row = Posting.objects.create(
        origin_kind=origin.kind,
        origin_id=origin.id,
        posted_by=caller.user,
        posted_at=caller.at,
        reason=reason[:500],
        entry_count=len(plan.entries),
        line_count=plan.line_count,
    )
    bulk.insert(
        "ledger_app_entry",
        ENTRY_COLUMNS,
        [
            (row.pk, draft.book_id, draft.effective_on, draft.reference, draft.description, reverses, fingerprint)
            for draft, fingerprint, _lines in ordered
            for reverses in [draft.reverses.id if draft.reverses else None]
        ],
    )
    # The databases hand out the ids; one read by posting brings them back.
    found = Entry.objects.filter(posting_id=row.pk).values_list("book_id", "reference", "id")
    ids = {(book_id, reference): key for book_id, reference, key in found}
    bulk.insert(
        "ledger_app_line",
        LINE_COLUMNS,
        [(ids[draft.book_id, draft.reference], *line) for draft, _digest, lines in ordered for line in lines],
    )
    _set_balances(plan)
    _assert_written(row.pk, plan)
    return row.pk


SET_BALANCES = {
    "mysql": """
        UPDATE ledger_app_balance AS balance
          JOIN JSON_TABLE(%s, '$[*]' COLUMNS (
                 id BIGINT PATH '$[0]', amount BIGINT PATH '$[1]', sequence BIGINT PATH '$[2]'
               )) AS planned ON planned.id = balance.id
           SET balance.amount = planned.amount, balance.sequence = planned.sequence
    """,
    "sqlite": """
        UPDATE ledger_app_balance AS balance
           SET amount = planned.value ->> 1, sequence = planned.value ->> 2
          FROM json_each(%s) AS planned
         WHERE balance.id = planned.value ->> 0
    """,
}


def _set_balances(plan: Plan) -> None:
    """Set every balance that moved, in one statement where they fit into one."""
    rows = [[key, amount, sequence] for key, (amount, sequence) in sorted(plan.balances.items())]
    count = 0
    with connection.cursor() as cursor:
        for document in bulk.documents(rows):
            cursor.execute(SET_BALANCES[connection.vendor], [document])
            count += cursor.rowcount
    if count != len(rows):
        raise errors.WrittenDiffers(what="balances set", planned=len(rows), found=count)


# In this order and no other: right after a bulk insert the statistics are old, and a server that goes by them reads every line there is.
WRITTEN = """
    SELECT line.account_id * 64 + line.stripe, COUNT(*), SUM(line.amount), MAX(line.sequence),
           MAX(balance.amount), MAX(balance.sequence)
      FROM ledger_app_entry AS entry
      {then} ledger_app_line AS line ON line.entry_id = entry.id
      {then} ledger_app_balance AS balance ON balance.id = line.account_id * 64 + line.stripe
     WHERE entry.posting_id = %s
     GROUP BY line.account_id, line.stripe
"""


def _assert_written(posting_id: int, plan: Plan) -> None:
    """Read back what was written and hold it against the plan: counts, sums, sequences, balances."""
    planned: dict[int, tuple[int, int]] = {}
    for entry in plan.entries:
        for line in entry.lines:
            key = posting.balance_id(line.account_id, line.stripe)
            count, total = planned.get(key, (0, 0))
            planned[key] = (count + 1, total + line.amount)
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN.format(then=JOIN_IN_ORDER[connection.vendor]), [posting_id])
        rows = cursor.fetchall()
    written = {int(key): (int(count), int(total)) for key, count, total, *_ in rows}
    if written != planned:
        raise errors.WrittenDiffers(
            what="lines", planned=sum(c for c, _ in planned.values()), found=sum(c for c, _ in written.values())
        )
    if sum(total for _, total in written.values()) != 0:
        raise errors.WrittenDiffers(what="sum of lines", planned=0, found=sum(total for _, total in written.values()))
    for key, _count, _total, last, amount, sequence in rows:
        if (int(amount), int(sequence)) != plan.balances[int(key)] or int(last) != int(sequence):
            raise errors.WrittenDiffers(what=f"balance {key}", planned=plan.balances[int(key)], found=(amount, sequence))
