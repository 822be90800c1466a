"""Where every record of a batch is, and what it changed in the ledger: sums whose last row is the difference."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from config.model_admin import list_url
from ingestion_app.models import Batch, Chunk, Record
from ledger_app.models import Book

Totals = dict[str, tuple[int, int, int]]  # entries, lines and sum of debits by the code of a book
BEFORE_A_PLAN = frozenset({Batch.State.RECEIVED, Batch.State.REJECTED})
IS_DUE = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})


class Share(NamedTuple):
    """The records of a plan's chunks, and of those that are applied."""

    records: int
    amount: int
    applied: int
    applied_amount: int


def waterfall(batch: Batch) -> list[dict[str, Any]]:
    """Return the sum that places every record: in the file, without effect, set aside, to apply, in the ledger, still to come."""
    if batch.record_count is None or batch.reverses_id is not None:
        return []
    missing = (batch.record_count - (batch.trailer_count or 0), (batch.record_sum or 0) - (batch.trailer_sum or 0))
    equal = missing == (0, 0)
    rows = [
        _row(_("In the file"), batch.record_count, batch.record_sum),
        _row(
            _("Trailer says"),
            batch.trailer_count,
            batch.trailer_sum,
            kind="ok" if equal else "differs",
            note=_("equal") if equal else _("differs"),
        ),
    ]
    if not equal:
        rows.append(_row(_("Difference"), *missing, kind="differs"))
    if batch.state == Batch.State.REJECTED:
        return [*rows, _row(_("To apply"), 0, 0, kind="sum", note=_("the file is rejected"))]
    of_batch = f"batch__id__exact={batch.pk}&status__exact="
    rows.append(
        _row(_("Without effect"), batch.without_effect_count, 0, kind="minus", url=list_url(Record, f"{of_batch}no_effect"))
    )
    if batch.set_aside_count:
        url = list_url(Record, f"{of_batch}set_aside")
        rows.append(_row(_("Set aside"), batch.set_aside_count, batch.set_aside_sum, kind="minus", url=url))
    share = _share(batch)
    count_left, amount_left = share.records - share.applied, share.amount - share.applied_amount
    kind = "left" if count_left or amount_left else "even"
    return [
        *rows,
        _row(_("To apply"), share.records, share.amount, kind="sum"),
        _row(_("In the ledger"), share.applied, share.applied_amount, kind="minus"),
        _row(_("Still to come"), count_left, amount_left, kind=kind),
    ]


def ledger_change(batch: Batch, books: Iterable[Book], posted: Totals | None) -> list[dict[str, Any]]:
    """Return for each book what is planned, what the ledger has changed by, and the difference.

    ``posted`` is what the ledger's own rows come to. While chunks are being applied those are not counted every second: without it the
    change is what the plan says of the chunks that are applied.
    """
    if batch.state in BEFORE_A_PLAN:
        return []
    there = _of_applied_chunks(batch) if posted is None else posted
    return [_book_sum(batch, book, there.get(book.code, (0, 0, 0)), is_counted=posted is not None) for book in books]


def _book_sum(batch: Batch, book: Book, there: tuple[int, int, int], *, is_counted: bool) -> dict[str, Any]:
    entries, _lines, amount = batch.totals.get(book.code, [0, 0, 0])
    left, amount_left = entries - there[0], amount - there[2]
    is_even = (left, amount_left) == (0, 0)
    is_wrong = not is_even and (batch.state in IS_DUE or left < 0 or amount_left < 0)
    kind = "even" if is_even else "differs" if is_wrong else "left"
    notes = {"even": _("equal"), "differs": _("differs"), "left": _("still to come")}
    is_reversal = batch.reverses_id is not None
    return {
        "book": book,
        "unit": book.unit,
        "exponent": book.exponent,
        "planned_label": _("To reverse") if is_reversal else _("Planned"),
        "change_label": _("Reversed") if is_reversal else _("The ledger’s change"),
        "is_counted": is_counted,
        "entries_planned": entries,
        "entries_posted": there[0],
        "entries_left": left,
        "amount_planned": amount,
        "amount_posted": there[2],
        "amount_left": amount_left,
        "kind": kind,
        "verdict": notes[kind],
    }


def _share(batch: Batch) -> Share:
    chunks = list(Chunk.objects.filter(batch=batch).values_list("state", "record_count", "record_sum"))
    done = [row for row in chunks if row[0] == Chunk.State.APPLIED]
    return Share(
        sum(row[1] for row in chunks), sum(row[2] for row in chunks), sum(row[1] for row in done), sum(row[2] for row in done)
    )


def _of_applied_chunks(batch: Batch) -> Totals:
    found: Totals = {}
    for totals in Chunk.objects.filter(batch=batch, state=Chunk.State.APPLIED).values_list("totals", flat=True):
        for code, (entries, lines, debits) in totals.items():
            so_far = found.get(code, (0, 0, 0))
            found[code] = (so_far[0] + entries, so_far[1] + lines, so_far[2] + debits)
    return found


def _row(label: Any, records: int | None, amount: int | None, *, kind: str = "", note: Any = "", url: str = "") -> dict[str, Any]:
    return {"label": label, "records": records, "amount": amount, "kind": kind, "note": note, "url": url or None}
