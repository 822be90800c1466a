"""What the plan of a batch rests on and has changed since it was made: asked of what its records post, and of nothing else.

A period in which no record is dated, or an account to which none posts, is no part of a plan: validation passes it, and so must this.
"""

from collections.abc import Iterator
from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ingestion_app.batches.queries import records
from ingestion_app.deciding.queries import planned_rules, taken
from ingestion_app.formats.definition import Definition
from ingestion_app.formats.postings import Planned, Planner
from ingestion_app.models import Batch, Record
from ingestion_app.sources.queries import definitions
from ledger_app import sql
from ledger_app.errors.words import Phrase, phrase
from ledger_app.models import Account, Book, Holder, Period
from ledger_app.posting.rules.objections import ACCOUNT_STATES
from ledger_app.values import dates

ACCOUNTS_NAMED = 5
RECORDS_NAMED = 5
RECORDS_LOOKED_AT = 5000  # where nobody decides yet
HOLDERS_LOOKED_AT = 900


class _Plan(NamedTuple):
    """A plan as its records have it."""

    batch: Batch
    definition: Definition
    books: dict[str, Book]
    planner: Planner

    def entries(self, rows: QuerySet[Record], most: int | None) -> Iterator[tuple[int | None, Planned]]:
        """Yield the member and each entry of these records, of as many as ``most``, by line."""
        decode = records.decoder(self.definition)
        found = rows.filter(batch=self.batch, status=Record.Status.PLANNED).order_by("line")[:most]
        for holder_id, values in found.values_list("holder_id", "values").iterator(chunk_size=2000):
            for planned in self.planner.plan(decode(values or [])):
                yield holder_id, planned


def moved(batch: Batch, *, asks_records: bool) -> list[Phrase]:
    """Return what the plan of a batch rests on and has changed since validation, each as a phrase.

    ``asks_records`` looks at every record that it takes: a decision does. A page looks at the first of them, and leaves out what needs more.
    """
    definition = definitions.definition_of(batch.source_version)
    books = definitions.books_of(definition)
    plan = _Plan(batch, definition, books, definitions.planner_of(definition, books, definitions.kept_contras(batch)))
    found = list(_periods(plan, None if asks_records else RECORDS_LOOKED_AT))
    if asks_records:
        found += _merged(plan)
    found += _accounts(plan, asks_records=asks_records)
    if asks_records:
        found += _posted(batch)
    return [*found, *_lot_rules(batch), *_contras(batch, definition, books)]


def _periods(plan: _Plan, most: int | None) -> Iterator[Phrase]:
    """Yield each period that is not open and in which a record is dated."""
    batch = plan.batch
    if batch.first_on is None or batch.last_on is None:
        return
    books = [book for code, book in plan.books.items() if code in batch.totals]
    meeting = Period.objects.filter(sql.meeting(batch.first_on, batch.last_on), book__in=books)
    shut = list(meeting.exclude(state=Period.State.OPEN).select_related("book").order_by("id"))
    if not shut:
        return
    left = set(range(len(shut)))
    days: dict[tuple[str, date], int | None] = {}
    for _holder_id, planned in plan.entries(Record.objects.all(), most):
        when = (planned.book, planned.effective_on)
        if when not in days:
            days[when] = next((place for place, each in enumerate(shut) if _is_in(each, *when)), None)
            if (place := days[when]) in left and place is not None:
                left.discard(place)
                yield phrase(_("period {period} is {state}"), period=shut[place], state=Period.State(shut[place].state).label)
        if not left:
            return


def _is_in(period: Period, book: str, on: date) -> bool:
    return period.book.code == book and dates.is_between(period.starts_on, period.ends_on, on)


def _merged(plan: _Plan) -> Iterator[Phrase]:
    """Yield how many members were merged, where the source has their records stop."""
    if plan.definition.redirects_merged:
        return
    named = Record.objects.filter(batch=plan.batch, status=Record.Status.PLANNED).values("holder_id")
    if merged := Holder.objects.filter(merged_into__isnull=False, id__in=named).count():
        yield phrase(_("{count} members were merged into others"), count=merged)


def _accounts(plan: _Plan, *, asks_records: bool) -> list[Phrase]:
    """Return the first accounts that are not open and that records post to, and how many more there are."""
    sides = [(rule.book, side) for rule in plan.definition.postings for side in (rule.debit, rule.credit)]
    # Named, not excluded: the few that are not open are found by their index.
    away = Account.objects.filter(state__in=("suspended", "closed"), book__in=plan.books.values())
    # Accounts whose code is made from a record's values are asked for under lock, by the chunk that posts to them.
    codes = [
        Q(book=plan.books[book], code=side.code)
        for book, side in sides
        if side.code and book in plan.batch.totals and book in plan.books
    ]
    rows = list(away.filter(reduce(or_, codes)).values_list("code", "book__code", "state")) if codes else []
    if asks_records:
        rows += _of_members(plan, away.filter(role__in={side.role for _book, side in sides if side.role}))
    shown = [
        phrase(_("account {account} in book {book} is {state}"), account=code, book=book, state=ACCOUNT_STATES[state])
        for code, book, state in sorted(rows)
    ]
    if len(shown) > ACCOUNTS_NAMED:
        more = phrase(_("{count} more accounts are not open"), count=len(shown) - ACCOUNTS_NAMED)
        return [*shown[:ACCOUNTS_NAMED], more]
    return shown


def _of_members(plan: _Plan, away: QuerySet[Account]) -> list[tuple[str, str, str]]:
    """Return those of these accounts of members that records post to, as (code, book, state)."""
    named = Record.objects.filter(batch=plan.batch, status=Record.Status.PLANNED).values("holder_id")
    columns = ("holder_id", "book__code", "role", "code", "state")
    there = away.filter(holder_id__in=named).order_by("holder_id").values_list(*columns)[:HOLDERS_LOOKED_AT]
    by_place = {(holder_id, book, role): (code, book, state) for holder_id, book, role, code, state in there}
    if not by_place:
        return []
    of_holders = Record.objects.filter(holder_id__in={holder_id for holder_id, *_place in by_place})
    met = {
        (holder_id, planned.book, side.role)
        for holder_id, planned in plan.entries(of_holders, None)
        for side in (planned.debit, planned.credit)
    }
    return [row for place, row in by_place.items() if place in met]


def _posted(batch: Batch) -> list[Phrase]:
    """Return the first records that somebody else has posted meanwhile."""
    said = _("record {key} on line {line} was posted by batch {batch}")
    posted = taken.of_batch(batch, RECORDS_NAMED)
    # A record that posts into two books is one record.
    return list(dict.fromkeys(phrase(said, key=each.key, line=each.line, batch=each.batch or "–") for each in posted))


def _lot_rules(batch: Batch) -> Iterator[Phrase]:
    """Yield each rule of lots that is another than that which the plan was made under."""
    if planned_rules.are_unknown(batch):
        yield phrase(_("the plan does not keep the rules of lots"))
    said = _("the rule of lots of {role} in book {book} is another")
    yield from (phrase(said, role=role, book=book) for book, role in planned_rules.moved(batch))


def _contras(batch: Batch, definition: Definition, books: dict[str, Book]) -> Iterator[Phrase]:
    """Yield each reason code of the plan that has another account now, or is out of use; what the plan does not name voids nothing."""
    if definition.adjusted_books and batch.contra_accounts is None:
        yield phrase(_("the plan does not keep the accounts of its reason codes"))
        return
    now = definitions.contras_of(definition, books)
    for (book, reason), kept in definitions.kept_contras(batch).items():
        there = now.get((book, reason))
        if there is None:
            yield phrase(_("reason codes were changed: {reason} is out of use in book {book}"), reason=reason, book=book)
        elif there != kept:
            said = _("reason codes were changed: {reason} posts to {now} in book {book}, and to {planned} in the plan")
            yield phrase(said, reason=reason, now=there.code, book=book, planned=kept.code)
