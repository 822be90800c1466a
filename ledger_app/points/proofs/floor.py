"""Invariant 6, asked of each line and of each day: every line is read once, and the database sums by account and date."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book

# A balance under its floor is there by right where the entry is an adjustment that was approved and says so, and after one as long as it only
# rises, or what it has left expires. What else lies under a floor is a breach.
BELOW = f"""
    SELECT account.code, line.sequence, line.balance_after, account.floor
      FROM ledger_app_line AS line JOIN ledger_app_account AS account ON account.id = line.account_id
     WHERE account.book_id IN ({{books}}) AND account.floor IS NOT NULL
       AND {sql.natural("line.balance_after")} < account.floor
       AND NOT EXISTS (
           SELECT 1
             FROM ledger_app_line AS waived
             JOIN ledger_app_entry AS entry ON entry.id = waived.entry_id
             JOIN ledger_app_posting AS posting ON posting.id = entry.posting_id AND posting.origin_kind = 'adjustment'
             JOIN ledger_app_adjustment AS adjustment ON adjustment.id = posting.origin_id
            WHERE adjustment.waives_floor AND adjustment.state = 'approved'
              AND waived.account_id = line.account_id AND waived.stripe = line.stripe
              AND (waived.id = line.id
                   OR (waived.sequence < line.sequence
                       AND ({sql.natural("line.amount")} > 0
                            OR EXISTS (
                              SELECT 1 FROM ledger_app_entry AS expiry
                                JOIN ledger_app_posting AS expiring ON expiring.id = expiry.posting_id AND expiring.origin_kind = 'expiry'
                               WHERE expiry.id = line.entry_id
                            ))))
           )
"""


def floors_hold(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 6."""
    for code, sequence, after, floor in rows(BELOW, books):
        yield _("Account {code}, line {sequence}: {after} is below the floor of {floor}.").format(
            code=code, sequence=sequence, after=after, floor=floor
        )


# The entries of adjustments that were approved and say that a floor breaks.
WAIVED = """
    SELECT entry.id AS id
      FROM ledger_app_adjustment AS adjustment
      JOIN ledger_app_posting AS posting ON posting.origin_kind = 'adjustment' AND posting.origin_id = adjustment.id
      JOIN ledger_app_entry AS entry ON entry.posting_id = posting.id
     WHERE adjustment.waives_floor AND adjustment.state = 'approved'
"""
# What such an adjustment took, and what its reversal gave back, is left out: without it every day keeps the floor from the first on which something
# else was taken. Each of those others was asked with it, and so left more than is counted here.
CLOSINGS = """
    SELECT code, day, closing, floor FROM (
      SELECT account.code AS code, account.floor AS floor, dated.day AS day,
             EXACT_SUM(dated.amount) OVER (PARTITION BY dated.account_id ORDER BY dated.day) AS closing,
             EXACT_SUM(dated.taken) OVER (PARTITION BY dated.account_id ORDER BY dated.day) AS taken
        FROM (
             SELECT line.account_id AS account_id, entry.effective_on AS day, EXACT_SUM({natural}) AS amount,
                    EXACT_SUM(CASE WHEN {natural} < 0 THEN 1 ELSE 0 END) AS taken
               FROM ledger_app_line AS line
               JOIN ledger_app_account AS account ON account.id = line.account_id
               JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
               LEFT JOIN ({waived}) AS waived ON waived.id = COALESCE(entry.reverses_id, entry.id)
              WHERE account.book_id IN ({{books}}) AND account.floor IS NOT NULL
                AND (waived.id IS NULL OR CASE WHEN entry.reverses_id IS NULL THEN {natural} ELSE -{natural} END > 0)
              GROUP BY line.account_id, entry.effective_on
             ) AS dated
        JOIN ledger_app_account AS account ON account.id = dated.account_id
    ) AS closings
     WHERE EXACT_BELOW(closing, floor) AND taken > 0
     ORDER BY code, day
""".format(natural=sql.natural("line.amount"), waived=WAIVED)
# An account with a floor has one balance. What is decided on days rests on what it says of the latest.
LATEST = """
    SELECT account.code, balance.last_on, latest.day
      FROM (
           SELECT line.account_id AS account_id, MAX(entry.effective_on) AS day
             FROM ledger_app_line AS line
             JOIN ledger_app_account AS account ON account.id = line.account_id
             JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
            WHERE account.book_id IN ({books}) AND account.floor IS NOT NULL
            GROUP BY line.account_id
           ) AS latest
      JOIN ledger_app_account AS account ON account.id = latest.account_id
      JOIN ledger_app_balance AS balance ON balance.account_id = latest.account_id
     WHERE balance.last_on IS NULL OR balance.last_on <> latest.day
"""


def days_close_at_floors(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 6, for each day."""
    for code, day, closing, floor in rows(CLOSINGS, books):
        yield _("Account {code} closes {day} at {closing}, below its floor of {floor}.").format(
            code=code, day=day, closing=closing, floor=floor
        )
    for code, said, day in rows(LATEST, books):
        yield _("Account {code}: the latest of its lines is of {day}, the balance says {said}.").format(
            code=code, day=day, said=said or "–"
        )


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(6, gettext_lazy("A floor is never broken."), floors_hold),
    Invariant(6, gettext_lazy("No day closes below a floor, whatever the order in which entries came."), days_close_at_floors),
)
