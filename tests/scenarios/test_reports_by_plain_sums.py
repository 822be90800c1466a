"""Every figure of a report of random books, on every kind of day, against sums that Python makes of all rows there are.

The books have two roles with lots, stores of members and of nobody, a debt, spends, reversals, merges, expiries, entries that come late and ahead, seals, and
another book beside them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.explain.rules import months_before
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Book, Line, Lot, LotUse, Merge
from ledger_app.points.operations import expiry, lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.lots import Named
from ledger_app.reports import book_reports
from ledger_app.reports.book_reports import Asked
from tests.scenarios.test_reports import freeze
from tests.support import adjusting, lot_samples, samples
from tests.support import ledger_clocks as clocks
from tests.support.lot_samples import Points, at

MONTH = RuleGiven(expiry="months", validity=1, breakage="breakage")
DAYS = RuleGiven(expiry="days", validity=30, breakage="breakage", kind="paid")
STORES = ("shop-1", "shop-2")
MEMBERS = ("points", "miles")
STEPS = 70
ONE = timedelta(days=1)


class Fact(NamedTuple):
    """A line, with all that reports say of one."""

    id: int
    entry: int
    on: date
    posted_at: datetime
    origin: str
    account: str
    category: str
    role: str
    holder: int | None
    keeps_lots: bool
    amount: int
    is_reversal: bool


def facts(book: Book) -> list[Fact]:
    columns = ("id", "entry_id", "entry__effective_on", "entry__posting__posted_at", "entry__posting__origin_kind")
    of_account = ("account__code", "account__category", "account__role", "account__holder_id", "account__keeps_lots")
    rows = Line.objects.filter(entry__book=book).values_list(*columns, *of_account, "amount", "entry__reverses_id")
    return [Fact(*(*row[:-1], row[-1] is not None)) for row in rows]


def opened() -> Points:
    """Open a book with two roles that keep lots, a store of each role and of none, and accounts from before the lots."""
    caller = samples.machine_caller(at(2017, 1, 1))
    points = lot_samples.open_points(caller, rule=MONTH, floor=None)
    early = [("E1", books.AccountOpening("E1", "miles", "liability", floor=None))]
    early += [(f"{code}-h", books.AccountOpening(code, "shops", "asset", floor=None)) for code in ("franchise",)]
    plain = [books.AccountOpening(code, "shops", "asset") for code in STORES]
    books.open_accounts(book=points.book, openings=plain, caller=caller)
    members = [books.MemberOpening(f"early-{name}", (("POINTS", opening),)) for name, opening in early]
    books.open_members(openings=members, caller=caller)
    lot_rules.set_rule(book=points.book, role="miles", given=DAYS, caller=caller)
    later = [
        books.MemberOpening(f"POINTS-{name}", (("POINTS", books.AccountOpening(name, role, "liability", floor=None)),))
        for name, role in (("M3", "points"), ("M4", "points"), ("N1", "miles"), ("N2", "miles"))
    ]
    books.open_members(openings=later, caller=caller)
    points.accounts.update({account.code: account for account in Account.objects.filter(book=points.book)})
    return points


def merged(points: Points, gone: str, stays: str, when: datetime) -> None:
    support, finance = (adjusting.person(f"{group}-of-then", group, at=when) for group in ("support", "finance"))
    holders = [points.accounts[code].holder_id or 0 for code in (gone, stays)]
    asked = merge_queries.proposal(holder_id=holders[0], survivor_id=holders[1], reason="Two cards.", effective_on=when.date())
    row = merges.propose(asked, caller=support)
    plan = merge_queries.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=when).plan
    assert plan is not None
    merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)


class Life:
    """What happens to the book, by chance."""

    def __init__(self, points: Points, seed: int) -> None:
        self.points, self.chance = points, Random(seed)
        self.today = date(2017, 1, 2)
        self.done: list[str] = []
        self.kinds: set[str] = set()

    def run(self) -> None:
        for step in range(STEPS):
            self.today += timedelta(days=self.chance.randrange(4))
            kind = self.chance.choice(("gain", "gain", "spend", "spend", "move", "sale", "take_back", "expire", "late", "ahead"))
            if step in (25, 50):
                kind = "merge"
            with clocks.stands_at(self.now):
                try:
                    getattr(self, kind)(f"{kind}-{step}")
                    self.kinds.add(kind)
                except errors.Refused:
                    continue

    @property
    def now(self) -> datetime:
        return at(self.today.year, self.today.month, self.today.day)

    def post(self, reference: str, on: date, *lines: tuple[str, int], lots: Named | None = None) -> None:
        there = tuple((self.points.accounts[code].pk, amount) for code, amount in lines)
        self.points.post(Draft(self.points.book.pk, on, reference, "", there, lots=lots), at=self.now)
        self.done.append(reference)

    def who(self) -> str:
        return self.chance.choice(("M1", "M2", "M3", "M4", "N1", "N2", "E1"))

    def gain(self, reference: str, on: date | None = None) -> None:
        amount = self.chance.randrange(1, 500)
        self.post(reference, on or self.today, (self.who(), -amount), (self.chance.choice((*STORES, "programme")), amount))

    def spend(self, reference: str) -> None:
        amount = self.chance.randrange(1, 300)
        self.post(reference, self.today, (self.who(), amount), ("shop-1", -amount))

    def move(self, reference: str) -> None:
        """Move points from one member to another, and in one entry beside a sale."""
        amount = self.chance.randrange(1, 50)
        extra = [("shop-2", 3), ("programme", -3)] if self.chance.random() < 0.3 else []
        self.post(reference, self.today, (self.who(), amount), (self.who(), -amount), *extra)

    def sale(self, reference: str) -> None:
        self.post(reference, self.today, ("shop-2", 70), ("franchise", 20), ("programme", -90))

    def take_back(self, _reference: str) -> None:
        self.points.reverse(self.chance.choice(self.done), on=self.today)

    def late(self, reference: str) -> None:
        self.gain(reference, self.today - timedelta(days=self.chance.randrange(1, 40)))

    def ahead(self, reference: str) -> None:
        self.gain(reference, self.today + timedelta(days=self.chance.randrange(1, 40)))

    def expire(self, _reference: str) -> None:
        expire(self.points, self.today - ONE, self.now)

    def merge(self, _reference: str) -> None:
        merged(self.points, *self.chance.choice((("M1", "M2"), ("M3", "M4"), ("M2", "M3"))), self.now)


def expire(points: Points, through: date, when: datetime) -> None:
    with clocks.stands_at(when):
        expiry.expire(book=points.book, through=through, caller=Caller(points.caller.user, when, "command"))


def check(book: Book, span: BookSpan, rows: list[Fact]) -> None:
    known = [row for row in rows if span.known_at is None or row.posted_at <= span.known_at]
    check_trial(span, known)
    for account in Account.objects.filter(book=book):
        check_ledger(Asked(span, "general-ledger", account=account), [row for row in known if row.account == account.code])
    for role in sorted({row.role for row in rows}):
        check_ledger(Asked(span, "general-ledger", role=role), [row for row in known if row.role == role])
    check_points(span, known)


def told(asked: Asked) -> list[dict[str, Any]]:
    report = book_reports.of(asked)
    assert not report.differences
    return list(report.rows)


def check_trial(span: BookSpan, rows: list[Fact]) -> None:
    keys = {
        "role": lambda row: (row.category, row.role),
        "source": lambda row: (row.category, row.role, row.origin),
        "store": lambda row: (row.category, row.role, "" if row.holder else row.account),
    }
    for by, key in keys.items():
        expected: dict[Any, tuple[Any, ...]] = dict(sums(span, rows, key))
        found = {}
        for row in told(Asked(span, "trial-balance", by=by)):
            name = (
                row["category"],
                row["role"],
                *([row["origin"]] if by == "source" else [row["account"]] if by == "store" else []),
            )
            figures = (row.get("opening"), row["debit"], row["credit"], row["change"], row.get("closing"))
            if row["category"] == "total":
                assert figures[1] == sum(each[1] for each in expected.values())
                assert figures[2] == sum(each[2] for each in expected.values())
                assert (figures[3], figures[0] or 0, figures[4] or 0) == (0, 0, 0)
            else:
                found[name] = figures
        if by == "source":
            expected = {name: (None, *each[1:4], None) for name, each in expected.items() if each[1] or each[2]}
        nothing = (0, 0, 0, 0, 0)
        assert {k: v for k, v in found.items() if v != nothing} == {k: v for k, v in expected.items() if v != nothing}, by


def sums(span: BookSpan, rows: list[Fact], key: Any) -> dict[Any, tuple[int, ...]]:
    found: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        each = found[key(row)]
        if row.on < span.first_on:
            each[0] += row.amount
        elif row.on <= span.last_on:
            each[1 if row.amount > 0 else 2] += abs(row.amount)
    return {name: (a, b, c, b - c, a + b - c) for name, (a, b, c) in found.items()}


def check_ledger(asked: Asked, rows: list[Fact]) -> None:
    running = sum(row.amount for row in rows if row.on < asked.span.first_on)
    expected: list[tuple[Any, ...]] = [("opening", asked.span.first_on, None, None, running)]
    for row in sorted(rows, key=lambda each: (each.on, each.id)):
        if asked.span.first_on <= row.on <= asked.span.last_on:
            running += row.amount
            expected.append(("movement", row.on, max(row.amount, 0) or None, max(-row.amount, 0) or None, running))
    expected.append(("closing", asked.span.last_on, None, None, running))
    found = [(row["kind"], row["date"], row["debit"], row["credit"], row["running"]) for row in told(asked)]
    assert found == expected, asked


def check_points(span: BookSpan, rows: list[Fact]) -> None:
    found: dict[Any, list[int]] = {}
    for row in told(Asked(span, "points")):
        ways = [row[way] for way in ("issued", "used", "expired", "reversed", "adjusted", "moved")]
        ages = [row[name] for name in book_reports.AGE_COLUMNS]
        found[row["month"], row["role"], row["kind"]] = [row["opening"], *ways, row["closing"], *ages]
        if row["kind"] == "all":
            assert row["ledger"] == row["closing"]
    expected = dict(points_of(span, rows))
    assert {k: v for k, v in found.items() if any(v)} == {k: v for k, v in expected.items() if any(v)}


def points_of(span: BookSpan, rows: list[Fact]) -> Iterator[tuple[Any, list[int]]]:
    """Yield what the movements of points are to say: (month, role, kind) and its figures."""
    by_line = {row.id: row for row in rows}
    beside = {row.entry for row in rows if row.role not in MEMBERS}
    lots = Lot.objects.filter(line__in=by_line)
    uses = LotUse.objects.filter(line__in=by_line).select_related("lot")
    parts = [
        *((by_line[lot.line_id], lot.kind, lot.granted_on, lot.amount) for lot in lots),
        *((by_line[use.line_id], use.lot.kind, use.lot.granted_on, -use.amount) for use in uses),
        *((row, "without_lots", None, -row.amount) for row in rows if row.role in MEMBERS and not row.keeps_lots),
    ]
    first = span.first_on
    while first <= span.last_on:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = min(following - ONE, span.last_on)
        yield from month_of(f"{first:%Y-%m}", first, last, parts, beside).items()
        first = following


def month_of(name: str, first: date, last: date, parts: Any, beside: set[int]) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(lambda: [0] * 13)
    for row, kind, granted, amount in parts:
        for each in (found[name, row.role, kind], found[name, row.role, "all"]):
            if row.on < first:
                each[0] += amount
            elif row.on <= last:
                way = way_of(row, beside)
                each[way] += -amount if way in (2, 3) else amount
            if row.on <= last:
                each[7] += amount
                each[8 + age(granted, last)] += amount
    return found


def way_of(row: Fact, beside: set[int]) -> int:
    if row.entry not in beside:
        return 6
    if row.is_reversal:
        return 4
    if row.origin in ("expiry", "adjustment"):
        return {"expiry": 3, "adjustment": 5}[row.origin]
    return 1 if row.amount < 0 else 2


def age(granted: date | None, on: date) -> int:
    if granted is None:
        return 4
    return next((place for place, count in enumerate((3, 6, 12)) if granted > months_before(on, count)), 3)


@pytest.mark.parametrize("seed", [1])
def test_every_figure_is_what_all_rows_sum_to(db: None, seed: int) -> None:
    lot_samples.open_points(samples.machine_caller(at(2017, 1, 5)), code="OTHER").gain("gift", 77, on=date(2017, 1, 10))
    points = opened()
    life = Life(points, seed)
    life.run()
    assert life.kinds >= {"gain", "spend", "move", "sale", "take_back", "expire", "late", "ahead", "merge"}
    assert points.breaches() == []
    rows = facts(points.book)
    days = sorted({row.on for row in rows})
    chance = Random(seed)
    edges = [
        date(2016, 12, 31),
        date(2017, 1, 1),
        days[0] - ONE,
        days[0],
        date(2017, 2, 28),
        date(2017, 3, 1),
        days[-1],
        days[-1] + ONE,
    ]
    edges += [*chance.sample(days, 4), date(2018, 6, 1)]
    instants = [None, None, None, *(row.posted_at for row in chance.sample(rows, 2)), at(2018, 1, 1)]
    pairs = [sorted(chance.choices(edges, k=2)) for _ in range(8)]
    spans = [BookSpan(points.book, first, last, chance.choice(instants)) for first, last in pairs]
    spans += [BookSpan(points.book, date(2017, month, 1), date(2017, month + 1, 1) - ONE) for month in (1, 2, 3)]
    for span in spans:
        check(points.book, span, rows)
    for name in ("2017-01", "2017-02"):
        expire(points, date(2017, 2, 28), at(2017, 12, 1))
        freeze(points.book, name)
    rows = facts(points.book)
    for span in spans:
        check(points.book, span, rows)
