"""All that is kept of one member, as one JSON object: what a request for access is answered with."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from ledger_app.base.queries.totals import Total
from ledger_app.erasures import queries as erasures
from ledger_app.members.queries import member_subjects
from ledger_app.models import Account, Adjustment, Hold, Holder, Identifier, Line, Lot, Merge
from ledger_app.values import instants

FORM = "kakutei-member-data-1"
ROWS_A_READ = 1_000

Row = Mapping[str, Any]


def lines(holder_id: int, *, at: datetime) -> Iterator[str]:
    """Yield the text of the object: one line for each thing that is kept, of the member and of all who were merged into it.

    Rows are read as they are written out, so that a member with years of entries needs no memory. Who works here is not named: that is their data.
    """
    ids = erasures.family(holder_id)
    yield f'{{"form": {json.dumps(FORM)}, "at": {json.dumps(instants.stamp(at))}, "member": {holder_id},'
    last = len(SECTIONS) - 1
    for number, (name, rows) in enumerate(SECTIONS.items()):
        yield f" {json.dumps(name)}: ["
        yield from _items(rows(ids))
        yield " ]" if number == last else " ],"
    yield "}"


def _items(rows: Iterable[Row]) -> Iterator[str]:
    """Yield one line for each row, with commas between."""
    before: Row | None = None
    for row in rows:
        if before is not None:
            yield f"  {_text(before)},"
        before = row
    if before is not None:
        yield f"  {_text(before)}"


def _text(row: Row) -> str:
    return json.dumps(dict(row), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else instants.plain(value)


def _names(ids: list[int]) -> Iterator[Row]:
    """Yield what the member was ever called, and by which request that was erased."""
    history: Any = Holder.history
    for row in history.filter(id__in=ids).order_by("history_id").iterator(chunk_size=ROWS_A_READ):
        yield {"member": row.id, "name": row.name, "since": instants.stamp(row.history_date)}
    done = erasures.of_members(ids)
    if done is not None:
        yield {"member": done.holder_id, "erased_by": done.pk, "at": done.decided_at}


def _identifiers(ids: list[int]) -> Iterator[Row]:
    for row in Identifier.objects.filter(holder__in=ids).order_by("id"):
        span = {"active_from": row.active_from, "active_to": row.active_to}
        yield {"kind": row.kind, "value": row.shown, **span}


def _merges(ids: list[int]) -> Iterable[Row]:
    rows = Merge.objects.filter(Q(holder__in=ids) | Q(survivor__in=ids)).order_by("id")
    return rows.values("id", "state", "holder", "survivor", "reason", "proposed_at", "decided_at")


def _accounts(ids: list[int]) -> Iterable[Row]:
    rows = Account.objects.filter(holder__in=ids).annotate(signed=Total("balances__amount")).order_by("id")
    for row in rows.select_related("book"):
        said = {name: getattr(row, name) for name in ("code", "role", "category", "state", "opened_at")}
        yield {
            "book": row.book.code,
            "unit": row.book.unit,
            "exponent": row.book.exponent,
            **said,
            "amount": int(row.signed or 0),
        }


def _entries(ids: list[int]) -> Iterable[Row]:
    """Every line on an account of the member with its entry: debit positive, credit negative."""
    rows = Line.objects.filter(account__holder__in=ids).order_by("account_id", "stripe", "sequence")
    columns = ("entry__effective_on", "entry__reference", "entry__description", "account__code", "amount", "balance_after")
    names = ("on", "reference", "description", "account", "amount", "balance_after", "posted_at")
    found = rows.values_list(*columns, "entry__posting__posted_at")
    return (dict(zip(names, row, strict=True)) for row in found.iterator(chunk_size=ROWS_A_READ))


def _lots(ids: list[int]) -> Iterable[Row]:
    rows = Lot.objects.filter(account__holder__in=ids).order_by("id")
    return rows.values("id", "account__code", "kind", "granted_on", "expires_on", "amount").iterator(chunk_size=ROWS_A_READ)


def _holds(ids: list[int]) -> Iterable[Row]:
    rows = Hold.objects.filter(account__holder__in=ids).order_by("id")
    return rows.values("id", "account__code", "amount", "reference", "description", "state", "expires_at").iterator(
        chunk_size=ROWS_A_READ
    )


def _adjustments(ids: list[int]) -> Iterator[Row]:
    rows = Adjustment.objects.filter(account__holder__in=ids).order_by("id").prefetch_related("attachments", "decisions")
    for row in rows.select_related("account", "reason_code"):
        said = {name: getattr(row, name) for name in ("amount", "effective_on", "text", "ticket", "state", "proposed_at")}
        files = [
            {"name": file.name, "media_type": file.media_type, "bytes": file.size, "sha256": bytes(file.sha256).hex()}
            for file in row.attachments.all()
        ]
        words = [
            {"decision": word.decision, "note": word.note, "at": instants.stamp(word.decided_at)} for word in row.decisions.all()
        ]
        yield {
            "id": row.pk,
            "account": row.account.code,
            "reason_code": row.reason_code.code,
            **said,
            "attachments": files,
            "decisions": words,
        }


def _trail(ids: list[int]) -> Iterator[Row]:
    """Yield what was done with the member and its accounts, and what was refused; by whom is not told."""
    for row in member_subjects.audit_rows(ids):
        said = {name: getattr(row, name) for name in ("at", "action", "outcome", "reason", "facts")}
        yield {"of": row.subject_type, "number": row.subject_id, **said}


SECTIONS: Mapping[str, Any] = {
    "names": _names,
    "identifiers": _identifiers,
    "merges": _merges,
    "accounts": _accounts,
    "entries": _entries,
    "lots": _lots,
    "holds": _holds,
    "adjustments": _adjustments,
    "done_with_the_member": _trail,
}
