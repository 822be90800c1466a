"""What the reversal of a batch would come to, as it is shown before anybody approves the batch, and when it is to be undone."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ingestion_app.models import Batch
from ingestion_app.reversing.queries import reversals
from ingestion_app.reversing.queries.reversals import Dated, Preview
from ledger_app.models import Book
from ledger_app.templatetags import look

Fact = tuple[Any, Any]


def is_previewed(batch: Batch) -> bool:
    """Tell whether the page of a batch answers what its reversal would come to."""
    if batch.reverses_id is not None:
        return False
    return batch.is_paused or batch.state in {Batch.State.VALIDATED, Batch.State.APPROVED, Batch.State.APPLIED}


def shown(batch: Batch) -> dict[str, Any]:
    """Return the preview as the page shows it: by book, the dates, and who would refuse."""
    preview = reversals.preview(batch)
    return {
        "is_posted": preview.is_posted,
        "books": [
            {
                "book": book,
                "entries": preview.totals[book.code][0],
                "amount": look.amount_cell(preview.totals[book.code][2], book),
            }
            for book in _books(preview)
        ],
        "dates": [_dated(each) for each in preview.dates],
        "reasons": [reason.as_dict() for reason in preview.refusals],
    }


def facts(batch: Batch, heading: str) -> list[Fact]:
    """Return the preview as rows of a confirmation page, each led by ``heading``."""
    preview = reversals.preview(batch)
    found: list[Fact] = [
        (
            gettext("{heading}, book {book}").format(heading=heading, book=book.code),
            gettext("{count} entries, {amount}").format(
                count=look.count_text(preview.totals[book.code][0]),
                amount=f"{look.amount_text(preview.totals[book.code][2], book.exponent)} {book.unit}",
            ),
        )
        for book in _books(preview)
    ]
    found += [(gettext("{heading}, dates").format(heading=heading), _dated(each)) for each in preview.dates]
    found += [(gettext("{heading}, would be refused").format(heading=heading), reason.sentence) for reason in preview.refusals]
    return found


def dates_of(batch: Batch) -> list[Fact]:
    """Return when the entries of a reversal are dated, as its plan says."""
    planned: dict[str, dict[str, list[Any]]] = batch.reversal_dates or {}
    return [
        (_("Dates of the entries"), _dated_text(book, period, moved_to, entries))
        for book, of_book in sorted(planned.items())
        for period, (moved_to, entries) in sorted(of_book.items())
    ]


def _books(preview: Preview) -> list[Book]:
    return list(Book.objects.filter(code__in=preview.totals).order_by("code"))


def _dated(each: Dated) -> str:
    return _dated_text(each.book, each.period, look.day_text(each.moved_to) or None, each.entries)


def _dated_text(book: str, period: str, moved_to: str | None, entries: int | None) -> str:
    text = gettext("{book} {period}: on their own dates") if moved_to is None else gettext("{book} {period}: on {day}")
    told = text.format(book=book, period=period, day=moved_to)
    return told if entries is None else gettext("{told} ({count} entries)").format(told=told, count=look.count_text(entries))
