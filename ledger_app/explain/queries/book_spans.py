"""A span of a book's days, as known at any instant: by which seal it is final, and from which seal on it has to be read."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Max, Min, Q

from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.models import Book, Entry, Line, Period, Seal
from ledger_app.posting.queries.spans import FIRST_DAY
from ledger_app.values.instants import LAST_DAY

DIGEST_SHOWN = 16
_DAY = timedelta(days=1)


class BookSpan(NamedTuple):
    """Days of a book, both included; ``known_at`` leaves out what was posted later."""

    book: Book
    first_on: date
    last_on: date
    known_at: datetime | None = None


def base(span: BookSpan) -> Seal | None:
    """Return the last seal of which every day is before the span: what was before it needs not be read.

    As known at an instant everything is read: what a seal covers may have been posted since, and no clock is asked whether it was.
    """
    if span.known_at is not None:
        return None
    seals = Seal.objects.filter(book=span.book, period__ends_on__lt=span.first_on)
    return seals.select_related("period").order_by("-number").first()


def read_from(span: BookSpan) -> date:
    """Return the first day of which lines have to be read."""
    seal = base(span)
    return seal.period.ends_on + _DAY if seal else FIRST_DAY


def entries(span: BookSpan, first: date, prefix: str = "") -> Q:
    """Return the condition of the entries, at ``prefix``, that are dated from a day on to the end of the span, and were known."""
    wanted = Q(**{f"{prefix}book": span.book, f"{prefix}effective_on__gte": first, f"{prefix}effective_on__lte": span.last_on})
    if span.known_at is not None:
        wanted &= Q(**{f"{prefix}posting__posted_at__lte": span.known_at})
    return wanted


def has_more(span: BookSpan, most: int, *, reads_later: bool = False) -> bool:
    """Whether more entries than ``most`` have to be read for a report of the span, with those that are dated after it where it ``reads_later``."""
    wanted = span._replace(known_at=None, last_on=LAST_DAY if reads_later else span.last_on)
    return Entry.objects.filter(entries(wanted, read_from(span)))[most : most + 1].exists()


def seal_of(span: BookSpan) -> Seal | None:
    """Return the seal by which the span is final: that of its last period, where all of its days are frozen; else None.

    As known at an instant it is final where all that was sealed was known: as many lines as the seals up to its own have.
    """
    met = Period.objects.filter(sql.meeting(span.first_on, span.last_on), book=span.book)
    ends = met.aggregate(first=Min("starts_on"), last=Max("ends_on"))
    if ends["first"] is None or ends["first"] > span.first_on or ends["last"] < span.last_on:
        return None
    if met.exclude(state=Period.State.FROZEN).exists():
        return None
    seal = Seal.objects.filter(book=span.book, period__ends_on=ends["last"]).select_related("period", "book").first()
    if seal is None or span.known_at is None:
        return seal
    sealed = Seal.objects.filter(book=span.book, number__lte=seal.number).aggregate(lines=Total("line_count"))["lines"]
    known = Line.objects.filter(entries(span._replace(last_on=seal.period.ends_on), FIRST_DAY, "entry__")).count()
    return seal if known == sealed else None


def named(seal: Seal | None) -> str:
    """Return the number of a seal and the beginning of its digest, as reports name it; “not final” where there is none."""
    return f"seal {seal.number} {bytes(seal.digest).hex()[:DIGEST_SHOWN]}" if seal else "not final"


def is_before_books(span: BookSpan) -> bool:
    """Whether the book has no period on any day of the span."""
    return not Period.objects.filter(sql.meeting(span.first_on, span.last_on), book=span.book).exists()
