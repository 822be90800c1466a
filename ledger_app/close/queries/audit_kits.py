"""What an auditor takes home of a frozen period beside its entries: seals, balances, postings, and the decisions that led to them. Read a page at a time."""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from ledger_app import sql
from ledger_app.base.queries import totals
from ledger_app.base.rules.tables import Cell
from ledger_app.models import Account, AuditRow, Entry, Period, Posting, Reversal, Seal
from ledger_app.values import instants

ROWS_A_READ = 2000

SEALS = (
    *("number", "period", "starts_on", "ends_on", "previous", "digest", "entries", "lines", "debits", "controls"),
    *("sealed_by", "sealed_at", "code_version", "cover", "link_number", "link"),
)
TRIAL_BALANCE = ("seal", "category", "role", "opening", "debit", "credit", "closing")
BALANCES = ("account", "role", "category", "opening", "debit", "credit", "closing")
POSTINGS = (
    *("posting", "origin", "origin_number", "subject", "subject_number", "posted_by", "posted_at", "reason"),
    *("entries", "lines"),
)
BATCHES = (
    *("batch", "source", "source_version", "business_date", "sequence", "reverses", "file_name", "sha256", "bytes"),
    *("received_by", "received_at", "validated_by", "approved_by", "plan_digest", "approved_digest", "records", "record_sum"),
)
DECISIONS = (
    *("subject", "number", "what", "action", "outcome", "from_state", "to_state", "by", "at", "reason", "refused"),
    *("facts", "door", "request", "os_user", "host"),
)

Row = tuple[Cell, ...]
Subject = tuple[str, int]  # as audit rows have it
BATCH = "batch"

# From the numbers of origins of one kind to what was decided before they posted. Kinds that nobody names were decided by nobody: the posting says by whom
# they were posted.
Subjects = Callable[[Sequence[int]], Mapping[int, Subject]]
_subjects: dict[str, Subjects] = {}
# From the numbers of batches to their rows, by ``BATCHES``.
Batches = Callable[[Sequence[int]], Iterable[Row]]
_batches: list[Batches] = []


def register(kind: str, subjects: Subjects, *, batches: Batches | None = None) -> None:
    """Have what postings of the origin ``kind`` came from told. Called by applications when they start."""
    _subjects[kind] = subjects
    _batches[:] = [batches] if batches else _batches


def named(subject: str) -> Subjects:
    """Return the subjects of a kind whose origins are what was decided."""
    return lambda numbers: {number: (subject, number) for number in numbers}


def of_reversals(numbers: Sequence[int]) -> Mapping[int, Subject]:
    """Return the decided proposals to reverse these entries."""
    rows = Reversal.objects.filter(entry__in=numbers, reversal__isnull=False).values_list("entry_id", "id")
    return {entry_id: ("reversal", key) for entry_id, key in rows}


def reads_more(seal: Seal, most: int) -> bool:
    """Whether more rows are read for a kit: the lines up to its end, which the opening balances are added up from, and the accounts of the book."""
    of_book = Seal.objects.filter(book=seal.book_id, number__lte=seal.number)
    left = most - int(of_book.aggregate(lines=totals.Total("line_count"))["lines"])
    return left < 0 or Account.objects.filter(book=seal.book_id)[left:].exists()


def seals(last: Seal) -> Iterator[Row]:
    """Yield the seals of a book from its first to ``last``, each with its cover."""
    related = ("period", "previous", "sealed_by", "cover__link")
    for seal in Seal.objects.filter(book=last.book_id, number__lte=last.number).select_related(*related).order_by("number"):
        cover = getattr(seal, "cover", None)
        yield (
            seal.number,
            seal.period.name,
            seal.period.starts_on.isoformat(),
            seal.period.ends_on.isoformat(),
            bytes(seal.previous.digest).hex() if seal.previous else "",
            bytes(seal.digest).hex(),
            seal.entry_count,
            seal.line_count,
            seal.debit_total,
            " ".join(f"{name}={amount}" for name, amount in sorted(seal.controls.items())),
            seal.sealed_by.username,
            instants.stamp(seal.sealed_at),
            seal.code_version,
            *((bytes(cover.digest).hex(), cover.link.number, bytes(cover.link.digest).hex()) if cover else ("", "", "")),
        )


def trial_balances(last: Seal) -> Iterator[Row]:
    """Yield the trial balance of each seal of a book up to ``last``."""
    rows = Seal.objects.filter(book=last.book_id, number__lte=last.number).order_by("number")
    for number, trial_balance in rows.values_list("number", "trial_balance"):
        for row in trial_balance:
            amounts = [int(row[name]) for name in TRIAL_BALANCE[3:]]
            yield (number, row["category"], row["role"], *amounts)


# From the index over account, date and amount alone. An account without a line up to the last day is left out.
MOVED = """
    SELECT account.code, account.role, account.category, {before}, {debit}, {credit}, COUNT(line.id)
      FROM (SELECT id, code, role, category FROM ledger_app_account
             WHERE book_id = %s AND code > %s ORDER BY code LIMIT %s) AS account
      LEFT JOIN ledger_app_line AS line ON line.account_id = account.id AND line.effective_on <= %s
     GROUP BY account.id, account.code, account.role, account.category
     ORDER BY account.code
"""


def balances(period: Period) -> Iterator[Row]:
    """Yield each account with a line up to the end of a period: what it had before, debits and credits of the period, and what it closed with."""
    first, last = period.starts_on.isoformat(), period.ends_on.isoformat()
    sql = MOVED.format(
        before=totals.of("CASE WHEN line.effective_on < %s THEN line.amount ELSE 0 END"),
        debit=totals.of("CASE WHEN line.effective_on >= %s AND line.amount > 0 THEN line.amount ELSE 0 END"),
        credit=totals.of("CASE WHEN line.effective_on >= %s AND line.amount < 0 THEN line.amount ELSE 0 END"),
    )
    code = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, [first, first, first, period.book_id, code, ROWS_A_READ, last])
            page = cursor.fetchall()
        for code, role, category, *amounts, count in page:
            before, debit, credit = map(totals.whole, amounts)
            if count:
                yield code, role, category, before, debit, -credit, before + debit + credit
        if len(page) < ROWS_A_READ:
            return


class Came(NamedTuple):
    """A posting's row, and what was decided before it."""

    row: Row
    subject: Subject | None


def postings_of(period: Period) -> Iterator[list[Came]]:
    """Yield the postings that wrote entries of a period, by number, in lists. In memory are all their numbers, eight bytes each."""
    # An entry's number begins with that of its posting; the entries of one posting may bear several days.
    rows = Entry.objects.filter(sql.dated_in(period), book=period.book_id)
    found = rows.order_by("posting_id").values_list("posting_id", flat=True).distinct()
    keys = array("q", found.iterator(chunk_size=ROWS_A_READ))
    for start in range(0, len(keys), ROWS_A_READ):
        yield _came(keys[start : start + ROWS_A_READ].tolist())


def _came(keys: list[int]) -> list[Came]:
    rows: list[Posting] = []
    for part in sql.parts(keys):
        rows += Posting.objects.filter(id__in=part).select_related("posted_by").order_by("id")
    by_kind: dict[str, list[int]] = {}
    for row in rows:
        by_kind.setdefault(row.origin_kind, []).append(row.origin_id)
    subjects: dict[tuple[str, int], Subject] = {}
    for kind, numbers in by_kind.items():
        for part in sql.parts(numbers) if kind in _subjects else ():
            subjects.update(((kind, number), subject) for number, subject in _subjects[kind](part).items())
    return [_row(row, subjects.get((row.origin_kind, row.origin_id))) for row in rows]


def _row(row: Posting, subject: Subject | None) -> Came:
    said = (row.pk, row.origin_kind, row.origin_id, *(subject or ("", "")), row.posted_by.username)
    return Came((*said, instants.stamp(row.posted_at), row.reason, row.entry_count, row.line_count), subject)


def batches(numbers: Sequence[int]) -> Iterator[Row]:
    """Yield the rows of batches, by number."""
    for part in sql.parts(numbers):
        for tell in _batches:
            yield from tell(part)


def frozen_by(period: Period) -> AuditRow | None:
    """Return the audit row of the freeze of a period. What was decided later is of another period."""
    rows = AuditRow.objects.filter(subject_type="period", subject_id=period.pk, action="freeze", outcome=AuditRow.Outcome.DONE)
    return rows.order_by("id").first()


def decisions(subjects: Sequence[Subject], *, until: int) -> Iterator[Row]:
    """Yield what was done, or refused, to each of these subjects up to the audit row ``until``, each in the order in which it was done."""
    by_type: dict[str, list[int]] = {}
    for subject_type, number in subjects:
        by_type.setdefault(subject_type, []).append(number)
    for subject_type, numbers in sorted(by_type.items()):
        for part in sql.parts(sorted(numbers)):
            rows = AuditRow.objects.filter(subject_type=subject_type, subject_id__in=part, id__lte=until)
            for row in rows.select_related("actor").order_by("subject_id", "id").iterator(chunk_size=ROWS_A_READ):
                yield _decision(row)


def _decision(row: AuditRow) -> Row:
    facts = json.dumps(row.facts, ensure_ascii=False, sort_keys=True, default=instants.plain) if row.facts else ""
    return (
        row.subject_type,
        row.subject_id,
        row.subject,
        row.action,
        row.outcome,
        row.from_state,
        row.to_state,
        row.actor.username,
        instants.stamp(row.at),
        row.reason,
        " ".join(str(each["code"]) for each in row.reasons),
        facts,
        row.door,
        row.request,
        row.os_user,
        row.host,
    )
