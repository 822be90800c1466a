"""Validation and posting are one judge: what passes, posts; what is refused, posting refuses for the same reason."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion_app.checks.rules import rule_of
from ingestion_app.models import Batch, Finding
from ingestion_app.validating.operations import judging
from ledger_app.base.operations import transactions
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import Refused
from ledger_app.models import Account, Entry, Period
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.support import world as worlds
from tests.support.origins import of_request
from tests.support.reversing import reverse_entry
from tests.support.undoing import breaches
from tests.support.world import FIXED, Purchase, World, card_file, found, set_account

SECOND = "till-2017-01-31-2.csv"
MEMBERS = ("1001", "1002", "1003")


def with_lots(world: World, given: RuleGiven) -> None:
    books.open_accounts(book=world.points, openings=[AccountOpening("breakage", "breakage", "income")], caller=world.caller())
    lot_rules.set_rule(book=world.points, role="points", given=given, caller=world.caller(world.finance))


def second(world: World, *records: Purchase) -> Batch:
    return world.validate(world.receive(card_file(records, sequence=2), name=SECOND))


def take(slip: str, amount: str, *, member: str = "1001", day: int = 20) -> Purchase:
    return FIXED._replace(member=member, slip=slip, amount=amount, bought_at=f"2017-01-{day:02}T10:00:00Z")


@pytest.fixture
def lots(world: World) -> World:
    with_lots(world, RuleGiven(expiry="days", validity=5, breakage="breakage"))
    world.register("2001")
    return world


@pytest.mark.django_db
def test_a_refund_of_expired_points_is_a_finding_of_its_record(lots: World) -> None:
    lots.applied(card_file([take("g", "10000", member="2001", day=1)]))
    batch = second(lots, take("t", "-5000", member="2001"))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.lots_short"])
    assert Finding.objects.get(batch=batch).line == 2


@pytest.mark.django_db
def test_a_grant_under_a_rule_that_is_over_is_a_finding(world: World) -> None:
    with_lots(world, RuleGiven(expiry="fixed", fixed_on=date(2017, 1, 15), breakage="breakage"))
    world.register("2001")
    batch = second(world, take("g", "10000", member="2001"))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.lot_invalid"])


@pytest.mark.django_db
def test_one_members_floor_is_set_aside_and_the_others_go_on(world: World) -> None:
    world.load(set_aside=1)
    batch = second(world, take("a", "-100"), take("b", "100"), take("c", "500", member="1002"))
    assert (batch.state, batch.set_aside_count, batch.set_aside_sum) == ("validated", 1, -100)
    assert [*batch.findings.values_list("rule", "line")] == [("ledger.floor_broken", 2)]
    assert [*batch.records.order_by("line").values_list("status", flat=True)] == ["set_aside", "planned", "planned"]
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


@pytest.mark.django_db
def test_of_several_that_take_too_much_each_is_judged_without_those_before(world: World) -> None:
    """500, of which 400 and 300 are too much together: the 300 is left out, and the last 100 is there."""
    world.load(set_aside=3)
    batch = second(world, take("a", "50000"), take("b", "-40000"), take("c", "-30000"), take("d", "-10000"))
    assert [*batch.findings.values_list("rule", "line")] == [("ledger.floor_broken", 4)]
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


@pytest.mark.django_db
def test_a_key_that_stands_for_something_else_rejects_the_file_whatever_may_be_set_aside(world: World) -> None:
    """Which of the two is right is for a person to say: set aside, the record would be gone."""
    world.load(set_aside=5)
    world.applied(card_file([FIXED]))
    for changed in (
        FIXED._replace(member="1002"),
        FIXED._replace(amount="-150"),
        FIXED._replace(amount="151"),
        FIXED._replace(shop="32"),
        FIXED._replace(bought_at="2017-01-06T10:00:00Z"),
    ):
        batch = second(world, changed)
        assert (batch.state, found(batch)) == ("rejected", ["ledger.reference_exists_differs"]), changed
        assert batch.findings.earliest("id").facts["batch"] == Batch.objects.earliest("id").pk
        world.withdraw(batch)


@pytest.mark.django_db
def test_the_same_in_every_field_is_said_to_be_the_same(world: World) -> None:
    world.load(set_aside=1)
    first = world.applied(card_file([FIXED]))
    batch = second(world, FIXED, take("other", "500"))
    assert (batch.state, found(batch), batch.set_aside_count) == ("validated", ["ledger.reference_exists_same"], 1)
    assert batch.findings.earliest("id").facts["batch"] == first.pk


@pytest.mark.django_db
def test_the_rounds_of_judging_say_what_one_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.load(set_aside=20, chunk_records=2)
    records = [
        take(f"{member}{number}", amount, member=member)
        for number, amount in enumerate(["20000", "-15000", "-10000", "10000", "-15000"])
        for member in MEMBERS
    ]
    whole = second(world, *records)
    said = [*whole.findings.order_by("line").values_list("line", "rule")]
    monkeypatch.setattr(judging, "RECORDS_A_ROUND", 3)
    world.validate(whole)
    assert [*whole.findings.order_by("line").values_list("line", "rule")] == said
    assert len(said) == 3


Rows = list[tuple[str, tuple[int, str, str, str]]]
NUMBERS = itertools.count(1)


class Twins:
    """Members in pairs: what the file of one says is posted by hand for the other, record by record, leaving out what is refused."""

    def __init__(self, world: World, number: int, *, members: int = 3) -> None:
        self.world = world
        self.number = number
        self.names = {side: [f"{side}{number}-{place}" for place in range(members)] for side in "ab"}
        world.register(*self.names["a"], *self.names["b"])

    def records(self, side: str, rows: Rows, prefix: str) -> list[Purchase]:
        return [
            Purchase(self.names[side][place], shop, f"{side}{self.number}-{prefix}{slip}", amount, f"{day}T10:00:00Z")
            for slip, (place, shop, amount, day) in rows
        ]

    def validated(self, rows: Rows, prefix: str, sequence: int) -> Batch:
        content = card_file(self.records("a", rows, prefix), sequence=sequence)
        return self.world.validate(self.world.receive(content, name=f"till-2017-01-31-{sequence}.csv"))

    def posted(self, rows: Rows, prefix: str) -> dict[int, set[str]]:
        """Post the records of the other side one by one; return by line why one was refused."""
        refused: dict[int, set[str]] = {}
        for line, record in enumerate(self.records("b", rows, prefix), start=2):
            drafts = [*drafts_of(self.world, record)]
            if not drafts:
                continue
            try:
                if (standing := post(self.world, drafts).replayed_count) == len(drafts):
                    refused[line] = {"ledger.reference_exists_same"}
                elif standing:
                    refused[line] = {"ledger.reference_exists_in_part"}
            except Refused as refusal:
                refused[line] = {rule_of(reason) for reason in refusal.reasons}
        return refused

    def reverse_all(self, batch: Batch) -> bool:
        """Reverse the batch of the one side, and all that was posted of the other from the last to the first; whether that was possible."""
        if batch.state != "applied" or not batch.totals or not self.is_back_to_nothing("b"):
            return False
        try:
            reversal = self.world.reverse(batch)
        except Refused:
            return False
        assert self.world.apply(self.world.approve(reversal)).batch.state == "applied"
        for entry in Entry.objects.filter(lines__account__code__in=self.codes("b")).order_by("-id").distinct():
            reverse_entry(entry_id=entry.pk, effective_on=entry.effective_on, reason="x", caller=self.world.caller())
        return True

    def is_back_to_nothing(self, side: str) -> bool:
        """Whether nothing was taken: then all can be reversed on either side."""
        return (
            not Entry.objects.filter(lines__account__code__in=self.codes(side), lines__amount__gt=0, book=self.world.points)
            .filter(lines__account__role="points", lines__amount__gt=0)
            .exists()
        )

    def codes(self, side: str) -> list[str]:
        return [f"{role}.{name}" for role in ("receivable", "points") for name in self.names[side]]

    def balances(self, side: str) -> list[int]:
        rows = dict(Account.objects.filter(code__in=self.codes(side)).values_list("code", "balances__amount"))
        return [rows[code] for code in self.codes(side)]


def post(world: World, drafts: list[Draft]) -> entries.Posted:
    origin = of_request(world.caller())
    return transactions.run(lambda: entries.post(drafts=drafts, origin=origin, caller=world.caller(), by_hand=False))


def drafts_of(world: World, record: Purchase) -> Iterator[Draft]:
    """Return what a record posts, made by hand after the source's definition: the test's own reading of it."""
    amount, name = int(record.amount), f"till:{record.slip}"
    on = date.fromisoformat(record.bought_at[:10])
    accounts = dict(Account.objects.values_list("code", "id"))
    points = abs(amount) // 100
    for book, of, debit, credit, text in (
        (world.card, abs(amount), f"receivable.{record.member}", f"settlement.{record.shop}", "Purchase at shop {1}, slip {2}"),
        (world.points, points, "programme.expense", f"points.{record.member}", "Points for slip {2}"),
    ):
        if of:
            first, last = (debit, credit) if amount > 0 else (credit, debit)
            yield Draft(book.pk, on, name, text.format(*record), ((accounts[first], of), (accounts[last], -of)))


DAYS = ("2017-01-01", "2017-01-05", "2017-01-12", "2017-01-31", "2017-02-10", "2017-03-01")
AMOUNTS = ("0", "50", "100", "300", "1000", "-50", "-100", "-300", "-700", "-1000")
ROW = st.tuples(st.integers(0, 2), st.sampled_from(worlds.SHOPS), st.sampled_from(AMOUNTS), st.sampled_from(DAYS))
OBSTACLES = st.sets(st.sampled_from(["member", "shop", "provisional", "again", "changed", "reversed"]), max_size=3)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("has_lots", [False, True])
def test_what_passes_posts_and_what_is_refused_is_refused_for_the_same_reason(world: World, has_lots: bool) -> None:
    world.load(set_aside=50, chunk_records=3)
    if has_lots:
        with_lots(world, RuleGiven(expiry="days", validity=8, breakage="breakage"))

    @settings(max_examples=20, deadline=None)
    @given(before=st.lists(ROW, max_size=5), rows=st.lists(ROW, min_size=1, max_size=8), obstacles=OBSTACLES)
    def ask(before: list[Any], rows: list[Any], obstacles: set[str]) -> None:
        _hold_against_each_other(world, before, rows, obstacles)

    ask()
    assert breaches(world) == []


def _hold_against_each_other(world: World, before: list[Any], rows: list[Any], obstacles: set[str]) -> None:
    number = next(NUMBERS)
    twins = Twins(world, number)
    earlier = [(str(place), row) for place, row in enumerate(before)]
    wanted = [(str(place + 10), row) for place, row in enumerate(rows)]
    if earlier:
        first = twins.validated(earlier, "x", 2 * number)
        refused = twins.posted(earlier, "x")
        assert said(first) == refused
        first = world.apply(world.approve(first)).batch
        assert first.state == "applied"
        if "reversed" in obstacles:
            twins.reverse_all(first)
        if "again" in obstacles:
            wanted.append(earlier[0])
        elif "changed" in obstacles:
            slip, (place, shop, _amount, day) = earlier[0]
            wanted.append((slip, (place, shop, "777", day)))
    with standing_in_the_way(obstacles, twins):
        second_batch = twins.validated(wanted, "x", 2 * number + 1)
        assert said(second_batch) == twins.posted(wanted, "x")
        if second_batch.state == "validated":
            done = world.apply(world.approve(second_batch))
            assert (done.batch.state, done.stopped) == ("applied", {})
            assert twins.balances("a") == twins.balances("b")
        else:
            assert set(second_batch.finding_counts) & {"ledger.reference_exists_differs", "ledger.reference_exists_in_part"}


def said(batch: Batch) -> dict[int, set[str]]:
    """Return the rules of the findings that are errors, by line."""
    found: dict[int, set[str]] = {}
    for line, rule in Finding.objects.filter(batch=batch, severity="error").values_list("line", "rule"):
        found.setdefault(line, set()).add(rule)
    return found


@contextmanager
def standing_in_the_way(obstacles: set[str], twins: Twins | None = None) -> Iterator[None]:
    if "shop" in obstacles:
        set_account("settlement.32", "suspended")
    if "member" in obstacles and twins is not None:
        for side in "ab":
            set_account(f"points.{twins.names[side][1]}", "suspended")
    if "provisional" in obstacles:
        Period.objects.filter(name="2017-02").update(state="provisional")
    try:
        yield
    finally:
        set_account("settlement.32", "open")
        Period.objects.filter(name="2017-02").update(state="open")
