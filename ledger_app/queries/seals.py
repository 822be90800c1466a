"""Recomputes, from the rows alone, what a seal says of a period."""

import hashlib
from array import array
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Q, Sum

from ledger_app.models import Account, Entry, Line, Period, Seal
from ledger_app.queries import postings
from ledger_app.rules import posting
from ledger_app.rules.periods import Proof

FORM = "kakutei-seal-1"
ENTRIES_A_READ = 2000
CODES_KEPT = 100_000  # of accounts, of which a book may have millions
DIFFERING_MOST = 20


def previous(period: Period) -> Seal | None:
    """Return the seal before that of ``period``: the one of its own row where it is sealed, else the book's last."""
    own = Seal.objects.filter(period=period).select_related("previous").first()
    return own.previous if own else Seal.objects.filter(book=period.book_id).order_by("-number").first()


def begin(period: Period) -> "hashlib._Hash":
    """Return the digest of a period's seal with the head of the canonical form in it; each entry's digest and a line feed are to be added."""
    before = previous(period)
    return hashlib.sha256(
        f"{FORM}\n{period.book.code}\n{period.name}\n{period.starts_on}\n{period.ends_on}\n"
        f"{bytes(before.digest).hex() if before else ''}\n".encode()
    )


def prove(period: Period) -> Proof:
    """Recompute a period: the digest over its entries in canonical form, counts and sums (docs/canonical-form.md).

    Entries are taken in the order of date, reference and turn, so that the digest does not depend on the order in which they were posted.
    """
    proof = Proof()
    running = begin(period)
    for reference, stored, computed, lines in walk(period.book_id, period.book.code, period.starts_on, period.ends_on):
        running.update(computed.hex().encode() + b"\n")
        proof.entry_count += 1
        proof.line_count += len(lines)
        proof.debit_total += sum([amount for _, amount in lines if amount > 0])
        proof.entries_sum += sum([amount for _, amount in lines])
        # Two entries that are wrong by as much would cancel out in the sum: each is asked by itself.
        is_entry = len(lines) > 1 and sum([amount for _, amount in lines]) == 0
        if (stored != computed or not is_entry) and len(proof.differing) < DIFFERING_MOST:
            proof.differing.append(reference)
    proof.digest = running.digest()
    return proof


def walk(book_id: int, book: str, first_on: date, last_on: date) -> Iterator[tuple[str, bytes, bytes, list[tuple[str, int]]]]:
    """Yield (reference, stored digest, recomputed digest, [(account code, amount)]) for each entry of a span, by date and reference."""
    codes: dict[int, str] = {}
    days = Entry.objects.filter(book_id=book_id, effective_on__gte=first_on, effective_on__lte=last_on)
    for day in days.order_by("effective_on").values_list("effective_on", flat=True).distinct():
        ordered = (
            Entry.objects.filter(book_id=book_id, effective_on=day).order_by("reference", "turn").values_list("id", flat=True)
        )
        # Numbers only, eight bytes each: a day may have millions of entries.
        keys = array("q", ordered.iterator(chunk_size=ENTRIES_A_READ))
        for start in range(0, len(keys), ENTRIES_A_READ):
            yield from _walk_part(keys[start : start + ENTRIES_A_READ].tolist(), book, codes)


def _walk_part(keys: list[int], book: str, codes: dict[int, str]) -> Iterator[tuple[str, bytes, bytes, list[tuple[str, int]]]]:
    entries = {
        row[0]: row
        for row in Entry.objects.filter(id__in=keys).values_list(
            "id", "effective_on", "reference", "description", "reverses__reference", "digest"
        )
    }
    lines: dict[int, list[tuple[int, int]]] = {key: [] for key in keys}
    for entry_id, account_id, amount in postings.lines_of(keys):
        lines[entry_id].append((account_id, amount))
    if len(codes) > CODES_KEPT:
        codes.clear()
    unknown = {account_id for pairs in lines.values() for account_id, _ in pairs} - codes.keys()
    codes.update(Account.objects.filter(id__in=unknown).values_list("id", "code"))
    for key in keys:
        _, effective_on, reference, description, reverses, stored = entries[key]
        coded = [(codes.get(account_id, f"?{account_id}"), amount) for account_id, amount in lines[key]]
        computed = posting.digest(
            book=book,
            effective_on=effective_on,
            reference=reference,
            description=description,
            reverses=reverses or "",
            lines=coded,
        )
        yield reference, bytes(stored), computed, coded


def differing(entry_ids: list[int], book: str) -> list[str]:
    """Return the references of those of these entries of ``book`` whose rows are not what their digests say, or are no entry."""
    return [
        reference
        for reference, stored, computed, lines in _walk_part(entry_ids, book, {})
        if stored != computed or len(lines) < 2 or sum([amount for _code, amount in lines]) != 0
    ]


def trial_balance(period: Period) -> list[dict[str, Any]]:
    """Return opening, debit, credit and closing by category and role: closing = opening + debit - credit, signed debit positive.

    The opening is the closing of the seal before; where there is none, nothing can have been posted before.
    """
    before = previous(period)
    opening = {(row["category"], row["role"]): int(row["closing"]) for row in before.trial_balance} if before else {}
    moved = (
        Line.objects.filter(
            entry__book=period.book_id, entry__effective_on__gte=period.starts_on, entry__effective_on__lte=period.ends_on
        )
        .values("account__category", "account__role")
        .annotate(debit=Sum("amount", filter=Q(amount__gt=0)), credit=Sum("amount", filter=Q(amount__lt=0)))
    )
    changes = {
        (row["account__category"], row["account__role"]): (int(row["debit"] or 0), -int(row["credit"] or 0)) for row in moved
    }
    rows = []
    for category, role in sorted(opening.keys() | changes.keys()):
        debit, credit = changes.get((category, role), (0, 0))
        start = opening.get((category, role), 0)
        rows.append(
            {
                "category": category,
                "role": role,
                "opening": start,
                "debit": debit,
                "credit": credit,
                "closing": start + debit - credit,
            }
        )
    return rows
