"""Recomputes, from the rows alone, what a seal says of a period."""

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q

from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.books.rules.periods import Proof
from ledger_app.models import Account, Entry, Line, Period, Seal
from ledger_app.posting.queries import postings
from ledger_app.posting.rules import forms

FORM = "kakutei-seal-1"
ENTRIES_A_READ = 2000
CODES_KEPT = 100_000  # of accounts, of which a book may have millions
DIFFERING_MOST = 20
ORDER = ("reference", "turn")  # of the entries of a day
NOTHING = (0, 0)


class Name(NamedTuple):
    """What an account is called in the canonical form, and its category and role."""

    code: str
    kind: tuple[str, str]


class Walked(NamedTuple):
    """An entry: its digest as it is stored and as its rows say, and its lines by the names of their accounts."""

    id: int
    reference: str
    stored: bytes
    computed: bytes
    lines: list[tuple[Name, int]]


Names = dict[int, Name]


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
    names: Names = {}
    for day in days(period):
        for entry in walk(ordered(period.book_id, day), period.book.code, names):
            running.update(entry.computed.hex().encode() + b"\n")
            take_in(proof, entry)
    proof.digest = running.digest()
    return proof


def take_in(proof: Proof, entry: Walked) -> None:
    """Count an entry into the proof of its period."""
    amounts = [amount for _name, amount in entry.lines]
    proof.entry_count += 1
    proof.line_count += len(amounts)
    proof.debit_total += sum([amount for amount in amounts if amount > 0])
    proof.entries_sum += sum(amounts)
    for name, amount in entry.lines:
        debit, credit = proof.moved.get(name.kind, NOTHING)
        proof.moved[name.kind] = (debit + amount, credit) if amount > 0 else (debit, credit - amount)
    if differs(entry) and len(proof.differing) < DIFFERING_MOST:
        proof.differing.append(entry.reference)


def differs(entry: Walked) -> bool:
    """Whether an entry's rows are not what its digest says, or are no entry."""
    # Two entries that are wrong by as much would cancel out in the sum: each is asked by itself.
    is_entry = len(entry.lines) > 1 and sum([amount for _name, amount in entry.lines]) == 0
    return entry.stored != entry.computed or not is_entry


def days(period: Period) -> list[date]:
    """Return the days of a period that have entries, in their order."""
    found = Entry.objects.filter(sql.dated_in(period), book=period.book_id)
    return list(found.order_by("effective_on").values_list("effective_on", flat=True).distinct())


def ordered(book_id: int, day: date) -> "array[int]":
    """Return the numbers of a day's entries in their order in a seal. Numbers only, eight bytes each: a day may have millions of entries."""
    found = Entry.objects.filter(book_id=book_id, effective_on=day).order_by(*ORDER).values_list("id", flat=True)
    return array("q", found.iterator(chunk_size=ENTRIES_A_READ))


def walk(keys: "array[int]", book: str, names: Names) -> Iterator[Walked]:
    """Yield entries of ``book`` as their rows say, in the order of their numbers ``keys``; ``names`` keeps what was read of accounts."""
    for start in range(0, len(keys), ENTRIES_A_READ):
        yield from _walk_part(keys[start : start + ENTRIES_A_READ].tolist(), book, names)


def _walk_part(keys: list[int], book: str, names: Names) -> Iterator[Walked]:
    entries = {
        row[0]: row
        for row in Entry.objects.filter(id__in=keys).values_list(
            "id", "effective_on", "reference", "description", "reverses__reference", "digest"
        )
    }
    lines: dict[int, list[tuple[int, int]]] = {key: [] for key in keys}
    for entry_id, account_id, amount in postings.lines_of(keys):
        lines[entry_id].append((account_id, amount))
    if len(names) > CODES_KEPT:
        names.clear()
    unknown = {account_id for pairs in lines.values() for account_id, _ in pairs} - names.keys()
    for part in sql.parts(sorted(unknown)):
        named = Account.objects.filter(id__in=part).values_list("id", "code", "category", "role")
        names.update((account_id, Name(code, (category, role))) for account_id, code, category, role in named)
    for key in keys:
        _, effective_on, reference, description, reverses, stored = entries[key]
        of_entry = [(names.get(account_id) or Name(f"?{account_id}", ("", "")), amount) for account_id, amount in lines[key]]
        computed = forms.digest(
            book=book,
            effective_on=effective_on,
            reference=reference,
            description=description,
            reverses=reverses or "",
            lines=[(name.code, amount) for name, amount in of_entry],
        )
        yield Walked(key, reference, bytes(stored), computed, of_entry)


def differing(entry_ids: list[int], book: str) -> list[str]:
    """Return the references of those of these entries of ``book`` whose rows are not what their digests say, or are no entry."""
    return [entry.reference for entry in _walk_part(entry_ids, book, {}) if differs(entry)]


def trial_balance(period: Period, moved: Mapping[tuple[str, str], tuple[int, int]] | None = None) -> list[dict[str, Any]]:
    """Return opening, debit, credit and closing by category and role: closing = opening + debit - credit, signed debit positive.

    ``moved`` is what a proof of the period has added up; without it, every line of the period is added up here. The opening is the closing of
    the seal before; where there is none, nothing can have been posted before.
    """
    before = previous(period)
    opening = {(row["category"], row["role"]): int(row["closing"]) for row in before.trial_balance} if before else {}
    changes = _moved(period) if moved is None else moved
    rows = []
    for category, role in sorted(opening.keys() | changes.keys()):
        debit, credit = changes.get((category, role), NOTHING)
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


def _moved(period: Period) -> dict[tuple[str, str], tuple[int, int]]:
    moved = (
        Line.objects.filter(sql.dated_in(period, "entry__effective_on"), entry__book=period.book_id)
        .values("account__category", "account__role")
        .annotate(debit=Total("amount", filter=Q(amount__gt=0)), credit=Total("amount", filter=Q(amount__lt=0)))
    )
    return {(row["account__category"], row["account__role"]): (row["debit"], -row["credit"]) for row in moved}
