"""Where every record of a batch is, and what it changed in the ledger: sums whose last row is the difference."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import list_url
from ingestion_app.batches.queries.sums import Sums, Totals
from ingestion_app.models import Batch, Record
from ingestion_app.sources.queries import controls
from ledger_app.models import Book

BEFORE_A_PLAN = frozenset({Batch.State.RECEIVED, Batch.State.REJECTED})
IS_DUE = frozenset({Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})
APPLIES_NOTHING: dict[str, Any] = {
    Batch.State.REJECTED: _("the file is rejected"),
    Batch.State.WITHDRAWN: _("the batch is withdrawn"),
}


def waterfall(batch: Batch, sums: Sums) -> list[dict[str, Any]]:
    """Return the sum that places every record: in the file, without effect, set aside, to apply, in the ledger, still to come.

    A sum that was never read, as of records whose amounts are none, is absent, and so is every difference with it.
    """
    if batch.record_count is None or batch.reverses_id is not None:
        return []
    differences = (_difference(batch.record_count, batch.trailer_count), _difference(batch.record_sum, batch.trailer_sum))
    rows = [_row(_("In the file"), batch.record_count, batch.record_sum), _trailer(batch, differences)]
    if any(differences):
        rows.append(_row(_("Difference"), *differences, kind="differs"))
    if batch.state in APPLIES_NOTHING:
        return [*rows, _row(_("To apply"), 0, 0, kind="sum", note=APPLIES_NOTHING[batch.state])]
    of_batch = f"batch__id__exact={batch.pk}&status__exact="
    url = list_url(Record, f"{of_batch}no_effect")
    without_effect = _difference(batch.record_sum, batch.set_aside_sum + sums.amount)
    rows.append(_row(_("Without effect"), batch.without_effect_count, without_effect, kind="minus", url=url))
    if batch.set_aside_count:
        url = list_url(Record, f"{of_batch}set_aside")
        rows.append(_row(_("Set aside"), batch.set_aside_count, batch.set_aside_sum, kind="minus", url=url))
    left, amount_left = sums.records - sums.applied_records, sums.amount - sums.applied_amount
    if batch.state == Batch.State.REVERSED:
        applied = _row(_("Applied, and undone since"), sums.applied_records, sums.applied_amount)
        never = [_row(_("Never applied"), left, amount_left)] if left or amount_left else []
        return [*rows, _row(_("Planned"), sums.records, sums.amount, kind="sum"), applied, *never]
    return [
        *rows,
        _row(_("Planned") if batch.state in IS_DUE else _("To apply"), sums.records, sums.amount, kind="sum"),
        _row(_("In the ledger"), sums.applied_records, sums.applied_amount),
        _row(_("Still to come"), left, amount_left, kind="left" if left or amount_left else "even"),
    ]


def _trailer(batch: Batch, differences: tuple[int | None, int | None]) -> dict[str, Any]:
    """Return what the trailer says, and whether it is so; where a sum could not be read nobody can say."""
    given = controls.of_batch(batch)
    if not given:
        return _row(_("Trailer says"), None, None, note=controls.text_of(batch))
    asked = tuple(differences[("count", "sum").index(name)] for name in given)
    if None in asked and not any(differences):
        return _row(_("Trailer says"), batch.trailer_count, batch.trailer_sum, note=_("cannot be told"))
    is_equal = not any(differences)
    note = _("equal") if is_equal else _("differs")
    return _row(_("Trailer says"), batch.trailer_count, batch.trailer_sum, kind="ok" if is_equal else "differs", note=note)


def ledger_change(batch: Batch, books: Iterable[Book], posted: Totals) -> list[dict[str, Any]]:
    """Return for each book what is planned, what the ledger has changed by, and the difference.

    The change is that of the chunks that are applied, each counted from the ledger's rows in the transaction that wrote them; when the last
    is applied all are counted once more.
    """
    if batch.state in BEFORE_A_PLAN or batch.state == Batch.State.WITHDRAWN:
        return []
    is_counted = batch.state in IS_DUE
    return [_book_sum(batch, book, posted.get(book.code, (0, 0, 0)), is_counted=is_counted) for book in books]


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


def _difference(found: int | None, said: int | None) -> int | None:
    """Return what is too much or missing; None where one of the two is not known."""
    return None if found is None or said is None else found - said


def _row(label: Any, records: int | None, amount: int | None, *, kind: str = "", note: Any = "", url: str = "") -> dict[str, Any]:
    return {"label": label, "records": records, "amount": amount, "kind": kind, "note": note, "url": url or None}
