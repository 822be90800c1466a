"""Explains accounts and entries: what they are, whether they recompute, and what they come from."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q, Sum

from ledger_app.models import Account, Book, Entry, Identifier, Line
from ledger_app.rules import posting


class StripeProof(NamedTuple):
    """The claim of one stripe and what its lines come to."""

    stripe: int
    claimed: tuple[int, int]  # amount, sequence of the last line
    found: tuple[int, int]

    @property
    def differs(self) -> bool:
        """Whether the claim is not what the lines say."""
        return self.claimed != self.found


class AccountLine(NamedTuple):
    """One line of an account with the entry it belongs to."""

    entry_id: int
    effective_on: date
    reference: str
    description: str
    amount: int
    balance_after: int
    posted_at: datetime
    origin_kind: str
    origin_id: int


class AccountExplained(NamedTuple):
    """An account, its claims held against its lines, and its last lines, the latest first."""

    account: Account
    member_numbers: list[str]
    line_count: int
    proofs: list[StripeProof]
    lines: list[AccountLine]

    @property
    def claimed(self) -> int:
        """The balance that is stored."""
        return sum(proof.claimed[0] for proof in self.proofs)

    @property
    def found(self) -> int:
        """The balance that the lines come to."""
        return sum(proof.found[0] for proof in self.proofs)


class EntryExplained(NamedTuple):
    """An entry, its lines as (account code, amount, balance after), and whether its digest recomputes."""

    entry: Entry
    lines: list[tuple[str, int, int]]
    digest_holds: bool
    reversed_by: str


def find_account(book: str, code: str) -> Account | None:
    """Return an account by its book's code and its own."""
    return Account.objects.filter(book__code=book, code=code).select_related("book", "holder").first()


def find_entry(*, book: str = "", reference: str = "", number: int | None = None) -> Entry | None:
    """Return an entry by its book's code and its reference, or by its number."""
    entries = Entry.objects.select_related("book", "posting__posted_by", "reverses")
    wanted = Q(pk=number) if number is not None else Q(book__code=book, reference=reference)
    return entries.filter(wanted).first()


def account(found: Account, *, last: int) -> AccountExplained:
    """Recompute an account from its lines and return it with its ``last`` lines."""
    rows = (
        Line.objects.filter(account=found).values("stripe").annotate(total=Sum("amount"), top=Max("sequence"), lines=Count("id"))
    )
    summed = {row["stripe"]: (int(row["total"]), row["top"]) for row in rows}
    claimed = {stripe: (amount, top) for stripe, amount, top in found.balances.values_list("stripe", "amount", "sequence")}
    proofs = [StripeProof(stripe, claimed.get(stripe, (0, 0)), summed.get(stripe, (0, 0))) for stripe in sorted(claimed | summed)]
    numbers = Identifier.objects.filter(holder=found.holder_id, kind=Identifier.MEMBER_NUMBER) if found.holder_id else []
    return AccountExplained(
        account=found,
        member_numbers=sorted(identifier.value for identifier in numbers),
        line_count=sum(row["lines"] for row in rows),
        proofs=proofs,
        lines=_last_lines(found, {stripe: top for stripe, (_, top) in summed.items()}, last),
    )


def entry(found: Entry) -> EntryExplained:
    """Return an entry with its lines, and hold it against its digest."""
    lines = list(found.lines.order_by("id").values_list("account__code", "amount", "balance_after"))
    computed = posting.digest(
        book=found.book.code,
        effective_on=found.effective_on,
        reference=found.reference,
        description=found.description,
        reverses=found.reverses.reference if found.reverses else "",
        lines=[(code, amount) for code, amount, _ in lines],
    )
    reversal = Entry.objects.filter(reverses=found).values_list("reference", flat=True).first()
    return EntryExplained(found, lines, computed == bytes(found.digest), reversal or "")


def entries_under(reference: str, codes: Sequence[str]) -> list[Entry]:
    """Return the entries that stand under one reference in each of the named books."""
    books = Book.objects.filter(code__in=codes)
    return list(Entry.objects.filter(book__in=books, reference=reference).select_related("book").order_by("book__code"))


def _last_lines(found: Account, tops: dict[int, int], last: int) -> list[AccountLine]:
    """Return the last lines over all stripes, the latest first. Each stripe's index gives its own, so that no account is read whole."""
    if not tops:
        return []
    ends = Q(pk__in=[])
    for stripe, top in tops.items():
        ends |= Q(stripe=stripe, sequence__gt=top - last)
    rows = (
        Line.objects.filter(ends, account=found)
        .order_by("-id")
        .values_list(
            *("entry_id", "entry__effective_on", "entry__reference", "entry__description", "amount", "balance_after"),
            *("entry__posting__posted_at", "entry__posting__origin_kind", "entry__posting__origin_id"),
        )
    )
    return [AccountLine(*row) for row in rows[:last]]
