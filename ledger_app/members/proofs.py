"""The invariants of members, merges and accounts, asked of the rows alone: 2, 8, 9 and 12."""

from collections.abc import Iterator, Sequence

from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base.proofs import BREACHES_MOST, Invariant, changes_without_rows, rows
from ledger_app.base.queries.totals import Total
from ledger_app.errors.sentences import say as _
from ledger_app.members.rules import merges
from ledger_app.models import Account, Book, Entry, Holder, Merge, OpenLot

UNCLAIMED = f"""
    SELECT account.code, account.stripes, COUNT(balance.id)
      FROM ledger_app_account AS account LEFT JOIN ledger_app_balance AS balance ON balance.account_id = account.id
     WHERE account.book_id IN ({{books}})
     GROUP BY account.id, account.code, account.stripes
    HAVING COUNT(balance.id) <> account.stripes OR MAX(balance.stripe) >= account.stripes
        OR EXACT_SUM(CASE WHEN balance.id <> {sql.balance_key("account.id", "balance.stripe")} THEN 1 ELSE 0 END) <> 0
"""


def closed_accounts_are_zero(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 2, for accounts that take no lines any more, and for the stripes of all."""
    for code, stripes, found in rows(UNCLAIMED, books):
        yield _(
            "Account {code} has {found} balances for {stripes} stripes, or one that is not numbered as its stripe is."
        ).format(code=code, found=found, stripes=stripes)
    closed = Account.objects.filter(book__in=books, state=Account.State.CLOSED).annotate(total=Total("balances__amount"))
    for code, total in closed.exclude(total=0).order_by("id").values_list("code", "total")[:BREACHES_MOST]:
        yield _("Account {code} is closed and has a balance of {total}.").format(code=code, total=total or 0)
    left = Account.objects.filter(book__in=books, holder__merged_into__isnull=False).annotate(total=Total("balances__amount"))
    for code, total in left.exclude(total=0).order_by("id").values_list("code", "total")[:BREACHES_MOST]:
        yield _("Account {code} is a merged member's and has a balance of {total}.").format(code=code, total=total or 0)
    # What is due on an account that takes no entry could never expire, and its period never freeze.
    shut = Q(account__state=Account.State.CLOSED) | Q(account__holder__merged_into__isnull=False)
    kept = OpenLot.objects.filter(shut, account__book__in=books).order_by("account__code").values_list("account__code", flat=True)
    for code in kept.distinct()[:BREACHES_MOST]:
        yield _("Account {code} takes no entry any more, and has lots left.").format(code=code)


def merges_are_decided_by_others(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for merges."""
    for number in Merge.objects.filter(decided_by=F("proposed_by")).order_by("id").values_list("id", flat=True)[:BREACHES_MOST]:
        yield _("Merge {number} was decided by the one who proposed it.").format(number=number)


def decisions_cover_merges(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 9, for merges: what was decided is what was shown, and what was posted is what was decided."""
    codes = {book.code: book.pk for book in books}
    for merge in Merge.objects.filter(state=Merge.State.DONE).order_by("id").iterator(chunk_size=1000):
        preview = merge.decided_preview or {}
        if merges.digest(preview) != bytes(merge.decided_digest or b""):
            yield _("Merge {number}: what was decided is not what was shown.").format(number=merge.pk)
        wanted = {
            (codes[each["book"]], merges.merge_reference(merge.pk, each["role"], later))
            for each in preview.get("moves", [])
            if each["book"] in codes
            for later, amount in (("", each["amount"] - sum(part for _on, part in each.get("later", []))), *each.get("later", []))
            if amount
        }
        posted = Entry.objects.filter(book_id__in=codes.values(), posting__origin_kind="merge", posting__origin_id=merge.pk)
        if set(posted.values_list("book_id", "reference")) != wanted:
            yield _("Merge {number}: its entries are not those that were decided.").format(number=merge.pk)


def _changes_have_rows(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for merges and accounts, and for the members that merges ended."""
    changed = Merge.objects.exclude(state=Merge.State.PROPOSED) | Merge.objects.filter(version__gt=1)
    yield from changes_without_rows(
        "merge", [(row.pk, _("Merge {row}").format(row=row), row.version, row.state) for row in changed]
    )
    accounts = Account.objects.filter(Q(version__gt=1) | Q(state__in=("suspended", "closed")), book__in=books)
    yield from changes_without_rows("account", list(accounts.order_by("id").values_list("id", "code", "version", "state")))
    said = dict(Merge.objects.filter(state=Merge.State.DONE, undoes__isnull=True).values_list("holder_id", "survivor_id"))
    into = dict(Holder.objects.filter(merged_into__isnull=False).values_list("id", "merged_into_id"))
    for holder in sorted(into.keys() | said.keys()):
        if into.get(holder) != said.get(holder):
            yield _("Member {holder} points to member {into}; its merge says {said}.").format(
                holder=holder, into=into.get(holder) or "–", said=said.get(holder) or "–"
            )
    yield from _circles(into)


def _circles(into: dict[int, int]) -> Iterator[str]:
    """Yield each member from whom merges lead in a circle; every member is looked at once."""
    ended: set[int] = set()
    for start in into:
        way: set[int] = set()
        here = start
        while here in into and here not in ended and here not in way:
            way.add(here)
            here = into[here]
        if here in way:
            yield _("The merges of member {holder} lead in a circle.").format(holder=here)
        ended |= way


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        2, gettext_lazy("An account that is closed, or a merged member's, has a balance of zero."), closed_accounts_are_zero
    ),
    Invariant(8, gettext_lazy("Nobody decides a merge that they proposed."), merges_are_decided_by_others),
    Invariant(9, gettext_lazy("A merge did exactly what was shown."), decisions_cover_merges),
    Invariant(12, gettext_lazy("Each change of state of a merge or an account has one audit row."), _changes_have_rows),
)
