"""A small book of points that keeps lots: one member, a year of months."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ledger_app.base import proofs
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.models import Account, Balance, Book, Entry, LotUse, OpenLot
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Named
from tests.support import ledger_clocks as clocks
from tests.support.origins import of_request
from tests.support.reversing import reverse_entry

SEVEN = RuleGiven(expiry="days", validity=20, breakage="breakage")


@dataclass(frozen=True, slots=True)
class Points:
    """The book, with what is done with it in tests. Amounts are what the member gains."""

    book: Book
    caller: Caller
    accounts: dict[str, Account]

    def draft(
        self, reference: str, gains: int, *, on: date = date(2017, 1, 10), who: str = "M1", lots: Named | None = None
    ) -> Draft:
        lines = (self.accounts[who].pk, -gains), (self.accounts["programme"].pk, gains)
        return Draft(self.book.pk, on, reference, "", lines, lots=lots)

    def post(self, *drafts: Draft, at: datetime | None = None) -> entries.Posted:
        caller = Caller(self.caller.user, at or self.caller.at, "command")
        origin = of_request(caller)
        with clocks.stands_at(at):
            return transactions.run(lambda: entries.post(drafts=drafts, origin=origin, caller=caller))

    def gain(
        self, reference: str, gains: int, *, on: date = date(2017, 1, 10), who: str = "M1", lots: Named | None = None
    ) -> None:
        self.post(self.draft(reference, gains, on=on, who=who, lots=lots))

    def reverse(self, reference: str, *, on: date = date(2017, 1, 12)) -> None:
        entry = Entry.objects.get(book=self.book, reference=reference)
        reverse_entry(entry_id=entry.pk, effective_on=on, reason="It was wrong.", caller=self.caller)

    def open(self, who: str = "M1") -> list[tuple[str, int, str | None]]:
        """Return (kind, remaining, due day) of what is open, in the order of granting."""
        rows = OpenLot.objects.filter(account=self.accounts[who]).select_related("lot").order_by("lot_id")
        return [(row.lot.kind, row.remaining, row.due_on.isoformat() if row.due_on else None) for row in rows]

    def uses(self, reference: str) -> list[int]:
        """Return what an entry took of lots, in the order in which it did."""
        found = LotUse.objects.filter(line__entry__reference=reference)
        if reference.startswith("reversal of "):
            found = LotUse.objects.filter(line__entry__reverses__reference=reference.removeprefix("reversal of "))
        return list(found.order_by("id").values_list("amount", flat=True))

    def balance(self, who: str = "M1") -> int:
        return -Balance.objects.get(account=self.accounts[who]).amount

    def breaches(self) -> list[str]:
        return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([self.book]))]


def open_points(
    caller: Caller, *, rule: RuleGiven = SEVEN, floor: int | None = 0, code: str = "POINTS", months: int = 12
) -> Points:
    """Open the book with its rule, the members M1 and M2, and the months of 2017."""
    book = books.open_book(code=code, name="Points", unit="points", exponent=0, time_zone="Asia/Tokyo", caller=caller)
    for month in range(1, months + 1):
        first = date(2017, month, 1)
        last = first.replace(day=calendar.monthrange(2017, month)[1])
        books.open_period(book=book, name=f"2017-{month:02}", starts_on=first, ends_on=last, caller=caller)
    plain = [books.AccountOpening("programme", "programme", "expense"), books.AccountOpening("breakage", "breakage", "income")]
    books.open_accounts(book=book, openings=plain, caller=caller)
    lot_rules.set_rule(book=book, role="points", given=rule, caller=caller)
    members = [
        books.MemberOpening(f"{code}-{name}", ((code, books.AccountOpening(name, "points", "liability", floor=floor)),))
        for name in ("M1", "M2")
    ]
    books.open_members(openings=members, caller=caller)
    return Points(book, caller, {account.code: account for account in Account.objects.filter(book=book)})


def at(year: int, month: int, day: int, hour: int = 3) -> datetime:
    """Return an instant; at 3 in UTC it is noon of the same day in Tokyo."""
    return datetime(year, month, day, hour, tzinfo=UTC)
