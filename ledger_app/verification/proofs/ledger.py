"""The invariants of entries, lines, balances, periods and seals, asked of the rows alone: 1 to 4, 10 and 12."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base import proofs
from ledger_app.base.proofs import Invariant, Scope, changes_without_rows, rows
from ledger_app.base.queries import totals
from ledger_app.books.rules.periods import Proof
from ledger_app.close.queries import seals
from ledger_app.close.queries.proving import NOT_AS_CLAIMED
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Period, Seal
from ledger_app.verification import queries as schema

UNBALANCED = """
    SELECT entry.reference, {total}, COUNT(line.id)
      FROM ledger_app_entry AS entry LEFT JOIN ledger_app_line AS line ON line.entry_id = entry.id
     WHERE entry.book_id IN ({books})
     GROUP BY entry.id, entry.reference
    HAVING COUNT(line.id) < 2 OR {differs}
"""
FOREIGN_LINES = """
    SELECT entry.reference, account.code
      FROM ledger_app_line AS line
      JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
      LEFT JOIN ledger_app_account AS account ON account.id = line.account_id
     WHERE entry.book_id IN ({books}) AND (account.id IS NULL OR account.book_id <> entry.book_id)
"""
ORPHAN_LINES = """
    SELECT line.id FROM ledger_app_line AS line LEFT JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
     WHERE entry.id IS NULL
"""


def lines_sum_to_zero(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 1."""
    unbalanced = UNBALANCED.replace("{total}", totals.of("line.amount")).replace("{differs}", totals.is_not_zero("line.amount"))
    for reference, total, count in rows(unbalanced, books):
        yield _("Entry {reference} has {count} lines that sum to {total}.").format(
            reference=reference, count=count, total=totals.whole(total)
        )
    for reference, code in rows(FOREIGN_LINES, books):
        yield _("Entry {reference} has a line on account {code} of another book.").format(reference=reference, code=code)
    for (key,) in rows(ORPHAN_LINES, books):
        yield _("Line {key} belongs to no entry.").format(key=key)


CLAIMS = f"""
    SELECT account.code, balance.stripe, balance.amount, COALESCE(summed.amount, 0), balance.sequence, COALESCE(summed.sequence, 0),
           COALESCE(summed.line_count, 0)
      {NOT_AS_CLAIMED}
"""
NO_CLAIM = """
    SELECT DISTINCT account.code, line.stripe
      FROM ledger_app_line AS line
      JOIN ledger_app_account AS account ON account.id = line.account_id
      LEFT JOIN ledger_app_balance AS balance ON balance.account_id = line.account_id AND balance.stripe = line.stripe
     WHERE account.book_id IN ({books}) AND balance.id IS NULL
"""
FOLLOWING = """
    SELECT code, stripe, sequence, balance_after, summed FROM (
      SELECT account.code AS code, line.stripe AS stripe, line.sequence AS sequence, line.balance_after AS balance_after,
             EXACT_SUM(line.amount) OVER (PARTITION BY line.account_id, line.stripe ORDER BY line.sequence) AS summed,
             ROW_NUMBER() OVER (PARTITION BY line.account_id, line.stripe ORDER BY line.sequence) AS place
        FROM ledger_app_line AS line JOIN ledger_app_account AS account ON account.id = line.account_id
       WHERE account.book_id IN ({books})
    ) AS ordered
     WHERE balance_after <> summed OR sequence <> place
"""


def balances_are_sums(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 2."""
    for code, stripe, claimed, summed, claimed_sequence, sequence, count in rows(CLAIMS, books):
        yield _(
            "Account {code}, stripe {stripe}: the balance says {claimed} at line {claimed_sequence}, "
            "its {count} lines say {summed} at line {sequence}."
        ).format(
            code=code,
            stripe=stripe,
            claimed=claimed,
            claimed_sequence=claimed_sequence,
            count=count,
            summed=summed,
            sequence=sequence,
        )
    for code, stripe in rows(NO_CLAIM, books):
        yield _("Account {code}, stripe {stripe} has lines but no balance.").format(code=code, stripe=stripe)
    for code, stripe, sequence, after, summed in rows(FOLLOWING, books):
        yield _(
            "Account {code}, stripe {stripe}, line {sequence}: says {after} afterwards, the lines up to it sum to {summed}."
        ).format(code=code, stripe=stripe, sequence=sequence, after=after, summed=summed)


def entries_never_change(books: Scope) -> Iterator[str]:
    """Invariant 3: each entry is what its digest says, each posting has all it wrote, and the triggers that keep it so are in place."""
    missing = proofs.expected_triggers() - proofs.installed_triggers()
    for name in sorted(missing - schema.not_shown(missing)):
        yield _("The trigger {name} is missing; docs/runbooks/verify-found-a-breach.md says how to put it back.").format(
            name=name
        )
    yield from _shrunken_postings(books)
    for book in books:
        for period in Period.objects.filter(book=book).select_related("book").order_by("starts_on"):
            for reference in _proof(books, period).differing:
                yield _("Entry {reference} is not what its digest says.").format(reference=reference)


POSTED = """
    SELECT posting.id, posting.entry_count, posting.line_count, COUNT(DISTINCT line.entry_id), COUNT(line.id)
      FROM ledger_app_posting AS posting
      LEFT JOIN ledger_app_entry AS entry ON entry.posting_id = posting.id
      LEFT JOIN ledger_app_line AS line ON line.entry_id = entry.id
     GROUP BY posting.id, posting.entry_count, posting.line_count
    HAVING COUNT(DISTINCT line.entry_id) <> posting.entry_count OR COUNT(line.id) <> posting.line_count
"""


def _shrunken_postings(books: Sequence[Book]) -> Iterator[str]:
    for key, entries, lines, found_entries, found_lines in rows(POSTED, books):
        yield _("Posting {key} wrote {entries} entries and {lines} lines; {found_entries} and {found_lines} are there.").format(
            key=key, entries=entries, lines=lines, found_entries=found_entries, found_lines=found_lines
        )


EXPECTED_TRIGGERS = frozenset(
    {
        "kakutei_entry_in_open_period",
        "kakutei_entry_turn_follows",
        *(
            f"kakutei_{table}_no_{change}"
            for table in ("posting", "entry", "line", "seal", "auditrow")
            for change in ("update", "delete")
        ),
        "kakutei_period_frozen_no_update",
        "kakutei_period_no_delete",
        "kakutei_period_no_overlap_insert",
        "kakutei_period_no_overlap_update",
        "kakutei_period_no_gap_insert",
        "kakutei_period_no_gap_update",
        "kakutei_holder_merged_no_update",
        "kakutei_holder_no_circle",
        "kakutei_holder_merged_no_insert",
        "kakutei_holder_no_delete",
        "kakutei_identifier_no_delete",
        "kakutei_identifier_value_no_update",
        "kakutei_account_closed_no_update",
        "kakutei_account_closed_at_zero",
        "kakutei_merge_begins_proposed",
        "kakutei_merge_ended_no_update",
        "kakutei_merge_content_no_update",
        "kakutei_merge_no_delete",
        *(f"kakutei_{table}_no_{change}" for table in ("movedidentifier", "redirectedentry") for change in ("update", "delete")),
    }
)


OUTSIDE = f"""
    SELECT entry.reference, entry.effective_on
      FROM ledger_app_entry AS entry
      LEFT JOIN ledger_app_period AS period
        ON {sql.IN_PERIOD}
     WHERE entry.book_id IN ({{books}}) AND period.id IS NULL
"""
GROWN = f"""
    SELECT seal.id, period.name, seal.entry_count, COUNT(*)
      FROM ledger_app_seal AS seal
      JOIN ledger_app_period AS period ON period.id = seal.period_id
      JOIN ledger_app_entry AS entry
        ON {sql.IN_PERIOD}
     WHERE period.book_id IN ({{books}})
     GROUP BY seal.id, period.name, seal.entry_count
    HAVING COUNT(*) > seal.entry_count
"""
# The count decides whether anything came in; the time, which is of the database's clock for both, only points at what.
LATE = f"""
    SELECT entry.reference, period.name
      FROM ledger_app_seal AS seal
      JOIN ledger_app_period AS period ON period.id = seal.period_id
      JOIN ledger_app_entry AS entry
        ON {sql.IN_PERIOD}
      JOIN ledger_app_posting AS posting ON posting.id = entry.posting_id
     WHERE period.book_id IN ({{books}}) AND seal.id = %s AND posting.posted_at > seal.sealed_at
"""
UNSEALED = """
    SELECT book.code, period.name, period.state, seal.id
      FROM ledger_app_period AS period
      JOIN ledger_app_book AS book ON book.id = period.book_id
      LEFT JOIN ledger_app_seal AS seal ON seal.period_id = period.id
     WHERE period.book_id IN ({books}) AND (period.state = 'frozen') <> (seal.id IS NOT NULL)
"""


def frozen_periods_are_shut(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 4."""
    for reference, on in rows(OUTSIDE, books):
        yield _("Entry {reference}, dated {on}, is in no period.").format(reference=reference, on=on)
    for seal_id, period, sealed, found in rows(GROWN, books):
        yield _("Period {period} was sealed with {sealed} entries and has {found}.").format(
            period=period, sealed=sealed, found=found
        )
        for reference, _period in rows(LATE, books, seal_id):
            yield _("Entry {reference} entered period {period} after its freeze.").format(reference=reference, period=period)
    for book, period, state, seal in rows(UNSEALED, books):
        yield _("Period {period} of {book} is {state}, and its seal is {seal}.").format(
            period=period, book=book, state=state, seal=seal or _("missing")
        )


def seals_recompute(books: Scope) -> Iterator[str]:
    """Invariant 10. Invariant 3 names the entry that differs; this says which seal no longer holds, and in what."""
    for book in books:
        last: Seal | None = None
        for seal in Seal.objects.filter(book=book).select_related("period__book").order_by("number"):
            proof = _proof(books, seal.period)
            there = {
                "entries": seal.entry_count,
                "lines": seal.line_count,
                "debits": seal.debit_total,
                "digest": bytes(seal.digest).hex(),
            }
            now = {
                "entries": proof.entry_count,
                "lines": proof.line_count,
                "debits": proof.debit_total,
                "digest": proof.digest.hex(),
            }
            differs = [f"{name} {there[name]} ≠ {now[name]}" for name in there if there[name] != now[name]]
            if seals.trial_balance(seal.period) != seal.trial_balance:
                differs.append("trial balance")
            if seal.previous_id != (last.pk if last else None) or seal.number != (last.number + 1 if last else 1):
                differs.append("chain")
            if differs:
                first = proof.differing[0] if proof.differing else _("none by its digest")
                yield _("The seal of {period} does not recompute ({differs}). First entry that differs: {first}.").format(
                    period=seal.period, differs="; ".join(differs), first=first
                )
            last = seal


def _changes_have_rows(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for periods: the version counts the changes."""
    periods = Period.objects.filter(book__in=books).select_related("book")
    yield from changes_without_rows("period", [(period.pk, str(period), period.version, period.state) for period in periods])


def _proof(books: Scope, period: Period) -> Proof:
    """Return a period recomputed from its rows."""
    return books.once("period", period.pk, lambda: seals.prove(period))


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(1, gettext_lazy("The lines of every entry sum to zero, in one book."), lines_sum_to_zero),
    Invariant(2, gettext_lazy("A balance is the sum of its lines; sequences have no gap."), balances_are_sums),
    Invariant(3, gettext_lazy("An entry or a line, once committed, never changes or goes."), entries_never_change),
    Invariant(4, gettext_lazy("No entry enters a frozen period."), frozen_periods_are_shut),
    Invariant(10, gettext_lazy("A seal recomputes."), seals_recompute),
    Invariant(12, gettext_lazy("Each change of state has one audit row."), _changes_have_rows),
)
