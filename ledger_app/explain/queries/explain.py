"""Explains accounts and entries: what they are, whether they recompute, and what they come from."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, Q

from ledger_app import errors
from ledger_app.base.queries.totals import Total
from ledger_app.close.queries import seals
from ledger_app.errors import reversing
from ledger_app.explain.queries import statements
from ledger_app.explain.queries.statements import Broken, Figures, Page, Position, Span
from ledger_app.models import Account, Book, Entry, Identifier, Line, PostingDigest, Seal
from ledger_app.values.instants import LAST_DAY
from ledger_app.values.openings import CODE_MOST, is_code

ENTRY_LINES_SHOWN = 1000
LINE_NUMBERS = 2**62  # more lines than there can be


class StripeProof(NamedTuple):
    """The claim of one stripe and what its lines come to."""

    stripe: int
    claimed: tuple[int, int]  # amount, sequence of the last line
    found: tuple[int, int]

    @property
    def differs(self) -> bool:
        """Whether the claim is not what the lines say."""
        return self.claimed != self.found


class AccountExplained(NamedTuple):
    """An account at a day, as known at an instant; its stored figures compared with its lines; and a page of what came since the last seal.

    The balance is what the lines of sealed periods come to, and the entries since: ``sums.opening`` and ``sums.closing``.
    """

    account: Account
    at: date | None
    known_at: datetime | None
    member_numbers: list[str]
    seal: Seal | None
    seal_holds: bool | None  # None: not recomputed, which takes reading its whole period
    sums: Figures
    is_recomputed: bool  # whether the stored figures were compared with all lines there are, which takes reading them
    proofs: list[StripeProof]
    broken: Broken | None
    movements: Page
    sealed: Page  # of what stands under the seal, as many as were asked for
    differing: list[str]  # references of entries among the movements

    @property
    def shown_entries(self) -> set[int]:
        """The entries of all movements that are shown, by number."""
        return {movement.entry_id for movement in (*self.movements, *self.sealed)}

    @property
    def claimed(self) -> int:
        """The balance that is stored, of now."""
        return sum(proof.claimed[0] for proof in self.proofs)

    @property
    def found(self) -> int:
        """The balance that all lines come to, of now; where they were not read, what is stored."""
        return sum(proof.found[0] for proof in self.proofs)

    @property
    def complaints(self) -> list[errors.LedgerError]:
        """What is stored and does not recompute."""
        found: list[errors.LedgerError] = []
        if wrong := [proof for proof in self.proofs if proof.differs]:
            found.append(errors.BalancesDiffer(count=len(wrong), account=self.account.code))
        if self.broken is not None:
            found.append(
                reversing.ChainDiffers(
                    account=self.account.code,
                    stripe=self.broken.stripe,
                    sequence=self.broken.sequence,
                    stored=self.broken.balance_after,
                    found=self.broken.summed,
                )
            )
        found += [errors.EntryDiffers(reference=reference) for reference in self.differing]
        if self.seal_holds is False and self.seal is not None:
            found.append(reversing.SealNotRecomputed(period=str(self.seal.period)))
        return found


class EntryExplained(NamedTuple):
    """An entry, some of its lines as (account code, amount, balance after), and whether its digest recomputes.

    ``digest_holds`` is None where its lines are more than were to be read. ``after`` is the number of the last line that is shown, where more follow.
    ``is_proven`` says whether its posting has a digest.
    """

    entry: Entry
    lines: list[tuple[str, int, int]]
    digest_holds: bool | None
    reversed_by: str
    line_count: int
    debit: int
    credit: int  # a sum of negative amounts
    after: int | None
    replaces: int | None  # the number of the entry that bore the reference before, and was reversed
    replaced_by: int | None  # of the one that bears it since this one was reversed
    is_proven: bool = True

    @property
    def complaints(self) -> list[errors.LedgerError]:
        """What is stored and does not recompute."""
        holds = self.digest_holds is not False and self.line_count > 1 and self.debit + self.credit == 0
        found: list[errors.LedgerError] = [] if holds else [errors.EntryDiffers(reference=self.entry.reference)]
        if not self.is_proven:
            posting = self.entry.posting
            found.append(
                reversing.PostingUnproven(reference=self.entry.reference, kind=posting.origin_kind, number=posting.origin_id)
            )
        return found


def find_account(book: str, code: str) -> Account | None:
    """Return an account by its book's code and its own."""
    rows = Account.objects.filter(book__code=book, code=code).select_related("book", "holder")
    return rows.first() if is_code(book, CODE_MOST) and is_code(code, CODE_MOST) else None


def find_entry(*, book: str = "", reference: str = "", number: int | None = None) -> Entry | None:
    """Return an entry by its number; or, by its book's code and its reference, the one that stands, or else the one that was reversed last."""
    entries = Entry.objects.select_related("book", "posting__posted_by", "reverses")
    wanted = Q(pk=number) if number is not None else Q(book__code=book, reference=reference)
    return entries.filter(wanted).order_by("-turn").first()


def neighbours(found: Entry) -> tuple[Entry | None, Entry | None]:
    """Return the entry that bore the reference of ``found`` before it, and the one that took it when ``found`` was reversed."""
    bearers = Entry.objects.filter(book=found.book_id, reference=found.reference)
    return bearers.filter(turn=found.turn - 1).first() if found.turn else None, bearers.filter(turn=found.turn + 1).first()


def account(
    found: Account,
    *,
    at: date | None = None,
    known_at: datetime | None = None,
    last: int,
    before: Position | None = None,
    proves_seal: bool = False,
    sealed: int = 0,
    sealed_before: Position | None = None,
    lines_most: int | None = None,
) -> AccountExplained:
    """Explain an account as of a day, as known at an instant, in a number of statements that does not grow with its lines.

    ``sealed``: as many movements are brought of those that the seal covers, the last or those before ``sealed_before``: the sealed balance
    opens into what it was made of, however long ago that was frozen. ``lines_most``: an account with more lines than these is not recomputed, and
    nothing is added up for which more than ``statements.ADDED_MOST`` would have to be read.

    Shown are the ``last`` movements since the last seal, or as many before a place. ``proves_seal`` recomputes that seal, for which every entry
    of its period is read. The entries that are shown are compared with their digests, the balances and each line with the lines.
    """
    seal = last_seal(found.book_id, at=at, known_at=known_at)
    span = Span(found, _day_after(seal), at or LAST_DAY, known_at)
    claimed = {stripe: (amount, top) for stripe, amount, top in found.balances.values_list("stripe", "amount", "sequence")}
    is_recomputed = lines_most is None or sum(top for _amount, top in claimed.values()) <= lines_most
    rows = Line.objects.filter(account=found).values("stripe").annotate(total=Total("amount"), top=Max("sequence"))
    summed = {row["stripe"]: (row["total"], row["top"]) for row in rows} if is_recomputed else claimed
    most = LINE_NUMBERS if lines_most is None else statements.ADDED_MOST
    summed_up = statements.figures(span, most=most)
    proofs = [StripeProof(stripe, claimed.get(stripe, (0, 0)), summed.get(stripe, (0, 0))) for stripe in sorted(claimed | summed)]
    numbers = Identifier.objects.filter(holder=found.holder_id, kind=Identifier.MEMBER_NUMBER) if found.holder_id else []
    shown = statements.page(span, before=before or statements.END, limit=last, summed=summed_up, most=most)
    under = statements.Page()
    if seal is not None and sealed:
        covered = Span(found, statements.FIRST_DAY, seal.period.ends_on, known_at)
        under = statements.back_from(
            covered, closing=summed_up.opening, before=sealed_before or statements.END, limit=sealed, most=most
        )
    differing = seals.differing(sorted({movement.entry_id for movement in (*shown, *under)}), found.book.code)
    return AccountExplained(
        account=found,
        at=at,
        known_at=known_at,
        member_numbers=sorted(identifier.value for identifier in numbers),
        seal=seal,
        seal_holds=seals.prove(seal.period).digest == bytes(seal.digest) if seal is not None and proves_seal else None,
        sums=summed_up,
        is_recomputed=is_recomputed,
        proofs=proofs,
        broken=statements.broken(found) if is_recomputed else None,
        movements=shown,
        sealed=under,
        differing=list(dict.fromkeys([*differing, *(statements.misdated(found) if is_recomputed else [])])),
    )


def last_seal(book_id: int, *, at: date | None, known_at: datetime | None) -> Seal | None:
    """Return the last seal of a book that covers days up to ``at`` alone and was there at ``known_at``."""
    rows = Seal.objects.filter(book=book_id).select_related("period__book", "sealed_by").order_by("-number")
    if at is not None:
        rows = rows.filter(period__ends_on__lte=at)
    if known_at is not None:
        rows = rows.filter(sealed_at__lte=known_at)
    return rows.first()


def entry(found: Entry, *, shown: int = ENTRY_LINES_SHOWN, after: int = 0, lines_most: int | None = None) -> EntryExplained:
    """Return an entry with some of its lines, those after the line ``after``, and compare it with its digest.

    ``lines_most``: the digest of an entry with more lines than these is not recomputed.
    """
    rows = list(
        found.lines.filter(id__gt=after).order_by("id").values_list("id", "account__code", "amount", "balance_after")[: shown + 1]
    )
    summed = found.lines.aggregate(
        count=Count("id"), debit=Total("amount", filter=Q(amount__gt=0)), credit=Total("amount", filter=Q(amount__lt=0))
    )
    is_read = lines_most is None or summed["count"] <= lines_most
    reversal = Entry.objects.filter(reverses=found).values_list("reference", flat=True).first()
    earlier, later = neighbours(found)
    # Only whether it is there: to recompute it, all that was posted with this entry is read, which is for verify.
    is_proven = PostingDigest.objects.filter(posting=found.posting_id).exists()
    return EntryExplained(
        entry=found,
        lines=[(code, amount, balance) for _id, code, amount, balance in rows[:shown]],
        digest_holds=not seals.differing([found.pk], found.book.code) if is_read else None,
        reversed_by=reversal or "",
        line_count=summed["count"],
        debit=summed["debit"],
        credit=summed["credit"],
        after=rows[shown - 1][0] if len(rows) > shown else None,
        replaces=earlier.pk if earlier else None,
        replaced_by=later.pk if later else None,
        is_proven=is_proven,
    )


def entries_under(reference: str, codes: Sequence[str]) -> list[Entry]:
    """Return the entries that stand under one reference in each of the named books."""
    books = Book.objects.filter(code__in=codes)
    return list(Entry.objects.filter(book__in=books, reference=reference).select_related("book").order_by("book__code"))


def _day_after(seal: Seal | None) -> date:
    return statements.FIRST_DAY if seal is None else seal.period.ends_on + timedelta(days=1)
