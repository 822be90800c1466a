"""Fills a ledger with years of entries, so that what a file costs can be measured in a ledger that is not empty. MariaDB only."""

A_CALL = 250_000

ENTRIES = """
    INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
    SELECT %(first)s + seq, %(posting)s, %(book)s, DATE_ADD('2016-01-01', INTERVAL seq %% 366 DAY), CONCAT('earlier:', %(before)s + seq),
           CONCAT('Purchase before, number ', seq), UNHEX(SHA2(seq, 256))
      FROM seq_0_to_{last}
"""
# Each entry on the member's account and on one of the others, in the order of their sequences.
LINES = """
    INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after, effective_on)
    SELECT %(first)s + 2 * seq + side, %(first)s + seq,
           IF(side = 0, %(member)s + 2 * ((%(before)s + seq) %% %(members)s), %(other)s + (%(before)s + seq) %% %(others)s), 0,
           IF(side = 0, (%(before)s + seq) DIV %(members)s, (%(before)s + seq) DIV %(others)s) + 1,
           IF(side = 0, 100, -100),
           100 * IF(side = 0, (%(before)s + seq) DIV %(members)s + 1, -((%(before)s + seq) DIV %(others)s) - 1),
           DATE_ADD('2016-01-01', INTERVAL seq %% 366 DAY)
      FROM seq_0_to_{last} CROSS JOIN (SELECT 0 AS side UNION ALL SELECT 1) AS sides
"""
BALANCES = """
    UPDATE ledger_app_balance AS balance
      JOIN (
           SELECT account_id, COUNT(*) AS line_count, SUM(amount) AS total FROM ledger_app_line WHERE stripe = 0 GROUP BY account_id
           ) AS there ON there.account_id = balance.account_id AND balance.stripe = 0
       SET balance.amount = there.total, balance.sequence = there.line_count
"""


def fill(entries: int) -> None:
    """Write ``entries`` entries of the year before into book CARD, with lines and balances that agree."""
    from django.db import connection

    from ledger_app.models import Account, Posting
    from ledger_app.models.entries import PLACES
    from tests.benchmarks.ground import HOLDERS, STORES, caller_of
    from tests.support.origins import of_request

    caller = caller_of(None)
    receivables = Account.objects.filter(role="receivable").order_by("id")
    settlements = Account.objects.filter(role="settlement").order_by("id")
    first_member, first_other = receivables[0], settlements[0]
    assert receivables.count() == HOLDERS, "the accounts were opened in one go, so that their ids can be computed"
    for before in range(0, entries, A_CALL):
        count = min(A_CALL, entries - before)
        origin = of_request(caller)
        posting = Posting.objects.create(
            origin_kind=origin.kind,
            origin_id=origin.id,
            posted_by=caller.user,
            posted_at=caller.at,
            entry_count=count,
            line_count=2 * count,
        )
        given = {
            "first": posting.pk * PLACES,
            "posting": posting.pk,
            "book": first_member.book_id,
            "before": before,
            "member": first_member.pk,
            # Members' accounts alternate between two books: every second id is a receivable.
            "members": HOLDERS,
            "other": first_other.pk,
            "others": STORES,
        }
        with connection.cursor() as cursor:
            cursor.execute(ENTRIES.format(last=count - 1), given)
            cursor.execute(LINES.format(last=count - 1), given)
    with connection.cursor() as cursor:
        cursor.execute(BALANCES)
