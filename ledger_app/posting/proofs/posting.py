"""The invariants of postings and of what they wrote, asked of the rows alone: each is what its digest says, and came from what it names."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection

from ledger_app.base.proofs import rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Posting, PostingDigest
from ledger_app.models.entries import PLACES
from ledger_app.traces.rules import traces as rules

ROWS_A_READ = 20_000
POSTINGS_A_READ = 500

# By their posting, not by number: those of long ago have numbers of their own.
ENTRIES = "SELECT id, digest FROM ledger_app_entry WHERE posting_id = %s AND id >= %s ORDER BY id LIMIT {most}"
LOTS = """
    SELECT id, account_id, line_id, kind, granted_on, expires_on, amount
      FROM ledger_app_lot WHERE id <= %s AND id >= %s ORDER BY id LIMIT {most}
"""
USES = "SELECT id, lot_id, line_id, amount FROM ledger_app_lotuse WHERE id <= %s AND id >= %s ORDER BY id LIMIT {most}"

STRAY_LOTS = """
    SELECT kept.id FROM {table} AS kept LEFT JOIN ledger_app_postingdigest AS proof ON proof.posting_id = {posting}
     WHERE proof.posting_id IS NULL
"""
UNPROVEN = """
    SELECT posting.id, posting.origin_kind, posting.origin_id
      FROM ledger_app_posting AS posting LEFT JOIN ledger_app_postingdigest AS proof ON proof.posting_id = posting.id
     WHERE proof.posting_id IS NULL
"""
# What a kind of origin is, as the rows that are there must say it; chunks are asked for by who applies them.
ORIGINS = """
    SELECT posting.id, posting.origin_kind, posting.origin_id
      FROM ledger_app_posting AS posting
      LEFT JOIN ledger_app_hold AS hold ON posting.origin_kind = 'hold' AND hold.id = posting.origin_id
      LEFT JOIN ledger_app_merge AS merge ON posting.origin_kind = 'merge' AND merge.id = posting.origin_id
      LEFT JOIN ledger_app_expirychunk AS expiry ON posting.origin_kind = 'expiry' AND expiry.id = posting.origin_id
      LEFT JOIN ledger_app_submission AS submission ON posting.origin_kind = 'submission' AND submission.id = posting.origin_id
     WHERE posting.origin_kind NOT IN ({kinds})
        OR (posting.origin_kind = 'hold' AND (hold.id IS NULL OR hold.state <> 'settled' OR posting.entry_count <> 1))
        OR (posting.origin_kind = 'submission'
            AND (submission.id IS NULL OR submission.given_count < posting.entry_count OR submission.sent_by_id <> posting.posted_by_id))
        OR (posting.origin_kind = 'merge' AND (merge.id IS NULL OR merge.state <> 'done'))
        OR (posting.origin_kind = 'expiry' AND (expiry.id IS NULL OR expiry.entry_count <> posting.entry_count))
        OR (posting.origin_kind = 'reversal'
            AND (posting.entry_count <> 1
                 OR NOT EXISTS (SELECT 1 FROM ledger_app_entry AS entry
                                  JOIN ledger_app_reversal AS decided ON decided.reversal_id = entry.id AND decided.state = 'posted'
                                 WHERE entry.posting_id = posting.id AND entry.reverses_id = posting.origin_id
                                   AND decided.entry_id = posting.origin_id AND decided.decided_by_id = posting.posted_by_id)))
"""
SETTLED = """
    SELECT hold.reference, hold.settled_amount, hold.settled_on
      FROM ledger_app_hold AS hold
      LEFT JOIN ledger_app_posting AS posting ON posting.origin_kind = 'hold' AND posting.origin_id = hold.id
      LEFT JOIN ledger_app_entry AS entry ON entry.posting_id = posting.id AND entry.effective_on = hold.settled_on
      LEFT JOIN ledger_app_line AS line ON line.entry_id = entry.id AND line.account_id = hold.account_id
     WHERE hold.book_id IN ({books}) AND hold.state = 'settled'
       AND (line.id IS NULL OR ABS(line.amount) <> hold.settled_amount)
"""
EXPIRED = """
    SELECT expiry.id, expiry.entry_count, expiry.amount, COUNT(DISTINCT entry.id), COALESCE(EXACT_SUM(ABS(line.amount)), 0)
      FROM ledger_app_expirychunk AS expiry
      LEFT JOIN ledger_app_posting AS posting ON posting.origin_kind = 'expiry' AND posting.origin_id = expiry.id
      LEFT JOIN ledger_app_entry AS entry ON entry.posting_id = posting.id
      LEFT JOIN ledger_app_line AS line ON line.entry_id = entry.id
     GROUP BY expiry.id, expiry.entry_count, expiry.amount
    HAVING COUNT(DISTINCT entry.id) <> expiry.entry_count OR COALESCE(EXACT_SUM(ABS(line.amount)), 0) <> expiry.amount * 2
"""


def postings_are_what_they_wrote(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for postings: each is proven by its digest, over who, when, why, its entries and its lots."""
    for key, kind, origin in rows(UNPROVEN, ()):
        yield _("Posting {key} ({kind} {origin}) has no digest: the program did not write it.").format(
            key=key, kind=kind, origin=origin
        )
    whole = "kept.id DIV {places}" if connection.vendor == "mysql" else "kept.id / {places}"
    for table, what in (("ledger_app_lot", _("Lot {key}")), ("ledger_app_lotuse", _("Use of a lot {key}"))):
        sql = STRAY_LOTS.replace("{table}", table).replace("{posting}", whole.format(places=PLACES))
        for (key,) in rows(sql, ()):
            yield _("{what} belongs to no posting.").format(what=what.format(key=key))
    yield from _digests_differ()


def _digests_differ() -> Iterator[str]:
    after = 0
    while part := list(Posting.objects.filter(id__gt=after).order_by("id").select_related("proof")[:POSTINGS_A_READ]):
        after = part[-1].pk
        for posting in part:
            proof: PostingDigest | None = getattr(posting, "proof", None)
            if proof is not None and computed(posting) != (proof.lot_count, proof.use_count, bytes(proof.digest)):
                yield _(
                    "Posting {key} ({kind} {origin}) is not what its digest says: who, when, why, its entries or its lots."
                ).format(key=posting.pk, kind=posting.origin_kind, origin=posting.origin_id)


def computed(posting: Posting) -> tuple[int, int, bytes]:
    """Return how many lots and uses a posting has, and its digest, from the rows."""
    running = rules.PostingHash(rules.head(posting))
    first, end = posting.pk * PLACES, posting.pk * PLACES + PLACES - 1
    for block in _blocks(ENTRIES, posting.pk, 0):
        running.entries([bytes(digest) for _key, digest in block])
    counts = []
    for sql in (LOTS, USES):
        running.part()
        count = 0
        for block in _blocks(sql, end, first):
            running.rows(block)
            count += len(block)
        counts.append(count)
    return counts[0], counts[1], running.digest()


def _blocks(sql: str, of: int, first: int) -> Iterator[list[tuple[Any, ...]]]:
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(most=ROWS_A_READ), [of, first])
            found = list(cursor.fetchall())
        if found:
            yield found
        if len(found) < ROWS_A_READ:
            return
        first = found[-1][0] + 1


def origins_are_there(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for origins: what a posting says it came from is there, is done, and says the same."""
    kinds = ", ".join(f"'{kind}'" for kind in Posting.Origin.values)
    for key, kind, origin in rows(ORIGINS.replace("{kinds}", kinds), ()):
        yield _("Posting {key} names {kind} {origin}, which is not there or did not write it.").format(
            key=key, kind=kind, origin=origin
        )
    for reference, amount, on in rows(SETTLED, books):
        yield _("The hold {reference} says that {amount} were taken on {on}; no entry does.").format(
            reference=reference, amount=amount, on=on
        )
    for key, count, amount, found, total in rows(EXPIRED, ()):
        yield _("Part {key} of a run of expiry says {count} entries over {amount}; {found} are there, over {total}.").format(
            key=key, count=count, amount=amount, found=found, total=int(total) // 2
        )


LAST_DAYS = """
    SELECT account.code, balance.stripe, balance.last_on, MAX(entry.effective_on)
      FROM ledger_app_balance AS balance
      JOIN ledger_app_account AS account ON account.id = balance.account_id
      LEFT JOIN ledger_app_line AS line ON line.account_id = balance.account_id AND line.stripe = balance.stripe
      LEFT JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
     WHERE account.book_id IN ({books})
     GROUP BY balance.id, account.code, balance.stripe, balance.last_on
    HAVING COALESCE(balance.last_on, '0001-01-01') <> COALESCE(MAX(entry.effective_on), '0001-01-01')
"""


def balances_know_their_last_day(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 2, for the last day that a balance has a line of."""
    for code, stripe, said, found in rows(LAST_DAYS, books):
        yield _("Account {code}, stripe {stripe}: its last line is said to be dated {said}, and is of {found}.").format(
            code=code, stripe=stripe, said=said, found=found
        )


# A lot's last day is put off by giving back to it after that day, and by nothing else.
DUE = """
    SELECT account.code, remainder.lot_id, remainder.due_on, lot.expires_on
      FROM ledger_app_openlot AS remainder
      JOIN ledger_app_lot AS lot ON lot.id = remainder.lot_id
      JOIN ledger_app_account AS account ON account.id = remainder.account_id
     WHERE account.book_id IN ({books})
       AND NOT ((remainder.due_on IS NULL AND lot.expires_on IS NULL)
                OR (remainder.due_on IS NOT NULL AND lot.expires_on IS NOT NULL AND remainder.due_on = lot.expires_on)
                OR EXISTS (SELECT 1 FROM ledger_app_lotuse AS given_back
                             JOIN ledger_app_line AS line ON line.id = given_back.line_id
                             JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
                            WHERE given_back.lot_id = lot.id AND given_back.amount < 0
                              AND entry.effective_on = remainder.due_on AND remainder.due_on > lot.expires_on))
"""
LOT_OF_LINE = """
    SELECT account.code, lot.id
      FROM ledger_app_lot AS lot
      JOIN ledger_app_account AS account ON account.id = lot.account_id
      LEFT JOIN ledger_app_line AS line ON line.id = lot.line_id
     WHERE account.book_id IN ({books}) AND (line.id IS NULL OR line.account_id <> lot.account_id)
"""


def lots_are_due_when_they_say(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 11, for days: what is left is due on the lot's last day, or on the day on which it was given back after that."""
    for code, lot, due, expires in rows(DUE, books):
        yield _("Lot {lot} of account {code}: what is left is said to be due on {due}, the lot's last day is {expires}.").format(
            lot=lot, code=code, due=due, expires=expires
        )
    for code, lot in rows(LOT_OF_LINE, books):
        yield _("Lot {lot} of account {code} is of a line of another account.").format(lot=lot, code=code)
