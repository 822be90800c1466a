"""Invariant 11, asked of the rows alone: each statement reads each table once."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book

SUMS = """
    SELECT account.code, {natural}, COALESCE(summed.remaining, 0)
      FROM ledger_app_account AS account
      JOIN ledger_app_balance AS balance ON balance.account_id = account.id
      LEFT JOIN (
           SELECT account_id, EXACT_SUM(remaining) AS remaining FROM ledger_app_openlot GROUP BY account_id
           ) AS summed ON summed.account_id = account.id
     WHERE account.book_id IN ({{books}}) AND (account.keeps_lots OR summed.account_id IS NOT NULL)
       AND {natural} <> COALESCE(summed.remaining, 0)
""".format(natural=sql.natural("balance.amount"))
# A lot that is used up has no remainder; one that is not has one, of its account and its book, and no other has.
REMAINDERS = """
    SELECT account.code, lot.id, lot.amount, COALESCE(used.amount, 0), COALESCE(remainder.remaining, 0)
      FROM ledger_app_lot AS lot
      JOIN ledger_app_account AS account ON account.id = lot.account_id
      LEFT JOIN (SELECT lot_id, EXACT_SUM(amount) AS amount FROM ledger_app_lotuse GROUP BY lot_id) AS used ON used.lot_id = lot.id
      LEFT JOIN ledger_app_openlot AS remainder ON remainder.lot_id = lot.id
     WHERE account.book_id IN ({books})
       AND (lot.amount - COALESCE(used.amount, 0) <> COALESCE(remainder.remaining, 0)
            OR remainder.account_id <> lot.account_id OR remainder.book_id <> account.book_id)
"""
STRAYS = """
    SELECT remainder.lot_id
      FROM ledger_app_openlot AS remainder LEFT JOIN ledger_app_lot AS lot ON lot.id = remainder.lot_id
     WHERE lot.id IS NULL AND remainder.book_id IN ({books})
"""
HELD = """
    SELECT account.code, remainder.lot_id, remainder.held, COALESCE(promised.amount, 0)
      FROM ledger_app_openlot AS remainder
      JOIN ledger_app_account AS account ON account.id = remainder.account_id
      LEFT JOIN (
           SELECT part.lot_id AS lot_id, EXACT_SUM(part.amount) AS amount
             FROM ledger_app_holdlot AS part JOIN ledger_app_hold AS hold ON hold.id = part.hold_id
            WHERE hold.state = 'open' GROUP BY part.lot_id
           ) AS promised ON promised.lot_id = remainder.lot_id
     WHERE account.book_id IN ({books}) AND remainder.held <> COALESCE(promised.amount, 0)
"""
PROMISED_AWAY = """
    SELECT hold.reference, part.lot_id
      FROM ledger_app_hold AS hold
      JOIN ledger_app_holdlot AS part ON part.hold_id = hold.id
      LEFT JOIN ledger_app_openlot AS remainder ON remainder.lot_id = part.lot_id
     WHERE hold.book_id IN ({books}) AND hold.state = 'open' AND remainder.lot_id IS NULL
"""
HOLDS = """
    SELECT hold.reference, hold.amount, COALESCE(EXACT_SUM(part.amount), 0)
      FROM ledger_app_hold AS hold LEFT JOIN ledger_app_holdlot AS part ON part.hold_id = hold.id
     WHERE hold.book_id IN ({books})
     GROUP BY hold.id, hold.reference, hold.amount
    HAVING hold.amount <> COALESCE(EXACT_SUM(part.amount), 0)
"""
# What a line granted less what it took of lots is the line.
LINES = """
    SELECT entry.reference, account.code, {natural}, COALESCE(made.amount, 0) - COALESCE(used.amount, 0)
      FROM ledger_app_line AS line
      JOIN ledger_app_account AS account ON account.id = line.account_id
      JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
      LEFT JOIN (SELECT line_id, EXACT_SUM(amount) AS amount FROM ledger_app_lot GROUP BY line_id) AS made ON made.line_id = line.id
      LEFT JOIN (SELECT line_id, EXACT_SUM(amount) AS amount FROM ledger_app_lotuse GROUP BY line_id) AS used ON used.line_id = line.id
     WHERE account.book_id IN ({{books}}) AND account.keeps_lots
       AND {natural} <> COALESCE(made.amount, 0) - COALESCE(used.amount, 0)
""".format(natural=sql.natural("line.amount"))


def lots_sum_to_balances(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 11."""
    for code, balance, remaining in rows(SUMS, books):
        yield _("Account {code}: the balance is {balance}, its lots have {remaining} left.").format(
            code=code, balance=balance, remaining=remaining
        )
    for code, lot, amount, used, remaining in rows(REMAINDERS, books):
        yield _("Lot {lot} of account {code}: of {amount}, {used} were used, and {remaining} are said to be left.").format(
            lot=lot, code=code, amount=amount, used=used, remaining=remaining
        )
    for (lot,) in rows(STRAYS, books):
        yield _("Lot {lot} has something left and is not there.").format(lot=lot)
    for code, lot, held, promised in rows(HELD, books):
        yield _("Lot {lot} of account {code}: {held} are said to be held, its open holds have {promised}.").format(
            lot=lot, code=code, held=held, promised=promised
        )
    for reference, lot in rows(PROMISED_AWAY, books):
        yield _("The hold {reference} is open, and of its lot {lot} nothing is left.").format(reference=reference, lot=lot)
    for reference, amount, found in rows(HOLDS, books):
        yield _("The hold {reference} is over {amount}, its lots over {found}.").format(
            reference=reference, amount=amount, found=found
        )
    for reference, code, amount, found in rows(LINES, books):
        yield _("Entry {reference} changes account {code} by {amount}, and its lots by {found}.").format(
            reference=reference, code=code, amount=amount, found=found
        )


# A lot is taken from the day it is granted on to its last, and given back no earlier than the former. What comes back after its last day is due on
# the day on which it came back.
OUT_OF_DAYS = """
    SELECT account.code, lot.id, entry.reference, entry.effective_on, lot.granted_on, COALESCE(lot.expires_on, '–')
      FROM ledger_app_lotuse AS used
      JOIN ledger_app_lot AS lot ON lot.id = used.lot_id AND lot.kind <> 'deficit'
      JOIN ledger_app_line AS line ON line.id = used.line_id
      JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
      JOIN ledger_app_account AS account ON account.id = lot.account_id
      LEFT JOIN (
           SELECT back.lot_id AS lot_id, MAX(entry.effective_on) AS day
             FROM ledger_app_lotuse AS back
             JOIN ledger_app_line AS line ON line.id = back.line_id
             JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
            WHERE back.amount < 0 GROUP BY back.lot_id
           ) AS came_back ON came_back.lot_id = lot.id
     WHERE account.book_id IN ({books})
       AND (entry.effective_on < lot.granted_on
            OR (used.amount > 0 AND entry.effective_on > lot.expires_on
                AND (came_back.day IS NULL OR entry.effective_on > came_back.day)))
"""


def lots_are_used_in_their_days(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 11, of the days on which lots are used."""
    for code, lot, reference, on, granted, last in rows(OUT_OF_DAYS, books):
        yield _(
            "Entry {reference}, dated {on}, uses lot {lot} of account {code}, which is there from {granted} to {last}."
        ).format(reference=reference, on=on, lot=lot, code=code, granted=granted, last=last)


# A hold changes once at most; there may be millions of them, so the database counts.
HOLD_CHANGES = """
    SELECT hold.reference, hold.state, hold.version - 1, COUNT(audit.id), MAX(audit.to_state)
      FROM ledger_app_hold AS hold
      LEFT JOIN ledger_app_auditrow AS audit
        ON audit.subject_type = 'hold' AND audit.subject_id = hold.id AND audit.outcome = 'done' AND audit.to_state <> ''
     WHERE hold.book_id IN ({books})
     GROUP BY hold.id, hold.reference, hold.state, hold.version
    HAVING COUNT(audit.id) <> hold.version - 1 OR COALESCE(MAX(audit.to_state), 'open') <> hold.state
"""


def holds_have_rows(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for holds."""
    for name, state, changes, count, ends in rows(HOLD_CHANGES, books):
        yield _("{name} is {state} after {changes} changes; {count} audit rows lead to {ends}.").format(
            name=name, state=state, changes=changes, count=count, ends=ends or "–"
        )


EXPECTED_TRIGGERS = frozenset(
    {
        "kakutei_account_lots_no_update",
        *(
            f"kakutei_{table}_no_{change}"
            for table in ("lot", "lotuse", "holdlot", "expiryrun", "expirychunk")
            for change in ("update", "delete")
        ),
    }
)
INVARIANTS: tuple[Invariant, ...] = (
    Invariant(11, gettext_lazy("Unconsumed lots of an account sum to its balance."), lots_sum_to_balances),
    Invariant(
        11,
        gettext_lazy("A lot is used from the day it is granted on to its last day."),
        lots_are_used_in_their_days,
    ),
    Invariant(12, gettext_lazy("Each change of state has one audit row."), holds_have_rows),
)
