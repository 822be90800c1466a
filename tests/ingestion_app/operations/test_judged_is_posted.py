"""What is judged is what is posted: the same chunks, the same order, the same entries, whoever applies which chunk when."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db.models import QuerySet
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion_app.checks.rules import rule_of
from ingestion_app.models import Attempt, Batch, Chunk, Record
from ingestion_app.operations import applying, attempts, chunks, cutting, deciding, judging, leasing, sources
from ingestion_app.operations.cutting import Cut
from ingestion_app.queries import batches, definitions, waking
from ledger_app.errors import Refused
from ledger_app.models import Account, Balance, Entry
from ledger_app.models.entries import PLACES
from ledger_app.operations import books
from ledger_app.operations.books import AccountOpening
from ledger_app.operations.lot_rules import RuleGiven
from ledger_app.rules.posting import BALANCE_MOST
from tests.ingestion_app.operations import world as worlds
from tests.ingestion_app.operations.test_judging import NUMBERS, drafts_of, post, said, standing_in_the_way, with_lots
from tests.ingestion_app.operations.undoing import breaches
from tests.ingestion_app.operations.world import NOW, Purchase, World, card_file, clock, definition

pytestmark = pytest.mark.django_db
ROLES = 'amount = "amount"\nheader_business_date'


def load(world: World, *, order: str | None = None, **limits: Any) -> None:
    text = definition(**limits)
    if order is not None:
        text = text.replace(ROLES, ROLES.replace("\n", f'\norder = "{order}"\n'), 1)
    sources.load(text=text, caller=world.caller())


def open_pool(world: World, *codes: str) -> None:
    """Open accounts that members share and that must not fall below zero."""
    openings = [AccountOpening(f"settlement.{code}", "settlement", "liability", floor=0) for code in codes]
    books.open_accounts(book=world.card, openings=openings, caller=world.caller())


def buy(member: str, slip: str, amount: str, *, shop: str = "31", at: str = "2017-01-09T10:00:00Z") -> Purchase:
    return Purchase(member, shop, slip, amount, at)


def ways(batch: Batch) -> list[tuple[int, str]]:
    """Return the chunk and the key of each planned record, by chunk and line."""
    return [
        *Record.objects.filter(batch=batch, chunk__isnull=False)
        .order_by("chunk__number", "line")
        .values_list("chunk__number", "key")
    ]


def test_a_record_that_is_refused_leaves_the_others_where_they_were_judged(world: World) -> None:
    """Cut anew without it, the second member's would come into the first chunk, by their lines: and the pool would be taken from first."""
    load(world, set_aside=1, chunk_records=3)
    open_pool(world, "pool")
    records = [
        buy("1002", "t", "-90", shop="pool"),
        buy("1001", "refused", "-500"),
        buy("1001", "g", "90", shop="pool"),
        buy("1002", "last", "50"),
    ]
    batch = world.validated(card_file(records))
    assert said(batch) == {3: {"ledger.floor_broken"}}
    assert ways(batch) == [(0, "g"), (1, "t"), (1, "last")]
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


def test_a_chunk_of_which_nothing_is_left_is_no_part_of_the_plan(world: World) -> None:
    load(world, set_aside=2, chunk_records=1)
    records = [buy("1001", "r", "-500"), buy("1002", "a", "100"), buy("1003", "s", "-100"), buy("1004", "b", "100")]
    batch = world.validated(card_file(records))
    assert ways(batch) == [(0, "a"), (1, "b")]
    assert [*batch.chunks.order_by("number").values_list("record_count", "series")] == [(1, None), (1, None)]
    assert world.apply(world.approve(batch)).stopped == {}


def test_the_parts_of_one_members_records_stay_as_they_were_judged(world: World) -> None:
    """Four of two parts, of which one of the first is refused: the second part is not moved up."""
    load(world, set_aside=1, chunk_records=2)
    records = [buy("1001", slip, amount) for slip, amount in (("a", "300"), ("r", "-900"), ("b", "100"), ("c", "-200"))]
    batch = world.validated(card_file(records))
    assert ways(batch) == [(0, "a"), (1, "b"), (1, "c")]
    assert {*batch.chunks.values_list("series", "holder__accounts__role")} == {(0, "points"), (0, "receivable")}
    assert world.apply(world.approve(batch)).stopped == {}


def test_as_many_are_refused_as_there_are_and_none_is_told_as_if_another_had_been_posted(world: World) -> None:
    """Thirty that take what is not there, and between them what is: beyond any bound of rounds."""
    load(world, set_aside=100, chunk_records=50)
    records = [buy("1001", "g", "100")]
    for number in range(30):
        records += [buy("1001", f"r{number}", "-900"), buy("1001", f"t{number}", "-100"), buy("1001", f"g{number}", "100")]
    batch = world.validated(card_file(records))
    assert batch.finding_counts == {"ledger.floor_broken": 30}
    assert set(said(batch)) == {line for line, record in enumerate(records, start=2) if record.slip.startswith("r")}
    assert world.apply(world.approve(batch)).stopped == {}


# A shared account.


@pytest.fixture
def shared(world: World) -> Batch:
    """A batch of three chunks, of which the first two touch the same pool, that has begun to be applied."""
    load(world, chunk_records=1)
    open_pool(world, "pool")
    records = [buy("1002", "t", "-90", shop="pool"), buy("1001", "g", "90", shop="pool"), buy("1003", "o", "100")]
    return world.begin(world.approved(card_file(records)))


def attempt_of(world: World, batch: Batch) -> Attempt:
    return attempts.begin(batch=batch, step="apply", caller=world.caller(), host="here", process=1)


def claim(batch: Batch, attempt: Attempt, worker: str) -> leasing.Leased | None:
    return leasing.claim(batch_id=batch.pk, attempt_id=attempt.pk, worker=worker, at=NOW, lease_seconds=60)


def test_chunks_that_touch_the_same_account_are_taken_one_after_the_other(world: World, shared: Batch) -> None:
    attempt = attempt_of(world, shared)
    first, other = claim(shared, attempt, "here:1"), claim(shared, attempt, "here:2")
    assert first is not None
    assert other is not None
    assert claim(shared, attempt, "here:3") is None, "the second of the pool waits for the first"
    numbers = dict(shared.chunks.values_list("id", "number"))
    assert [numbers[each.chunk_id] for each in (first, other)] == [0, 2]
    chunks.apply_chunk(leased=first, caller=world.caller())
    second = claim(shared, attempt, "here:3")
    assert second is not None
    assert chunks.apply_chunk(leased=second, caller=world.caller()).outcome == "applied"


def test_without_its_series_a_chunk_takes_too_early(world: World, shared: Batch) -> None:
    """The control: what the series is for."""
    shared.chunks.update(series=None)
    attempt = attempt_of(world, shared)
    held, second = claim(shared, attempt, "here:1"), claim(shared, attempt, "here:2")
    assert held is not None
    assert second is not None
    assert chunks.apply_chunk(leased=second, caller=world.caller()).outcome == "stopped"


def test_behind_one_that_stopped_the_others_of_its_series_wait_and_the_rest_goes_on(world: World, shared: Batch) -> None:
    with suspended("receivable.1001"):
        done = world.apply(shared)
    assert (set(done.stopped), done.applied) == ({0}, 1)
    assert not waking._has_work_left(Batch.objects.get(pk=shared.pk), is_gone=False)
    assert world.apply(shared).batch.state == "applied"


def test_a_reversal_undoes_a_series_from_its_end(world: World) -> None:
    load(world, chunk_records=1)
    open_pool(world, "pool")
    records = [buy("1001", "g", "90", shop="pool"), buy("1002", "t", "-90", shop="pool"), buy("1003", "u", "100")]
    reversal = world.reverse(world.applied(card_file(records)))
    undone = [*reversal.chunks.order_by("number").values_list("undoes__number", "series")]
    assert undone == [(2, None), (1, 0), (0, 0)]
    assert world.apply(world.approve(reversal)).batch.state == "applied"
    assert breaches(world) == []


@contextmanager
def suspended(code: str) -> Iterator[None]:
    worlds.set_account(code, "suspended")
    yield
    worlds.set_account(code, "open")


def test_one_members_shortage_in_a_shared_account_is_that_members_finding(world: World) -> None:
    """Of several members and books: whose record takes too much is named, and those of the others pass."""
    load(world, set_aside=1, chunk_records=1)
    open_pool(world, "pool")
    records = [
        buy("1001", "a", "300", shop="pool"),
        buy("1002", "b", "-400", shop="pool"),
        buy("1003", "c", "-100", shop="32"),
        buy("1003", "d", "-200", shop="pool"),
        buy("1004", "e", "200", shop="pool"),
    ]
    world.register("2001")
    before = [buy("1002", "x", "400"), buy("1003", "y", "300")]
    world.applied(card_file(before))
    batch = world.validate(world.receive(card_file(records, sequence=2), name="till-2017-01-31-2.csv"))
    assert [*batch.findings.values_list("rule", "line")] == [("ledger.floor_broken", 3)]
    assert batch.findings.earliest("id").facts["book"] == "CARD"
    assert world.apply(world.approve(batch)).stopped == {}
    assert breaches(world) == []


# The order that the source states.


@pytest.mark.parametrize(("order", "refused"), [(None, {2}), ("bought_at", set())])
@pytest.mark.parametrize("chunk_records", [1, 10])
def test_what_nets_to_zero_in_the_order_that_the_source_states_passes(
    world: World, order: str | None, refused: set[int], chunk_records: int
) -> None:
    """A refund on the line before its purchase, at an hour after it; of one chunk and of parts."""
    load(world, set_aside=1, order=order, chunk_records=chunk_records)
    records = [buy("1001", "t", "-500", at="2017-01-09T18:00:00Z"), buy("1001", "g", "500", at="2017-01-09T09:00:00Z")]
    batch = world.validated(card_file(records))
    assert set(said(batch)) == refused
    assert world.apply(world.approve(batch)).stopped == {}
    if not refused:
        assert [*Entry.objects.filter(book=world.points).order_by("id").values_list("reference", flat=True)] == [
            "till:g",
            "till:t",
        ]
    assert breaches(world) == []


def test_a_newer_version_with_another_order_does_not_change_what_was_planned(world: World) -> None:
    load(world, order="bought_at")
    records = [buy("1001", "t", "-500", at="2017-01-09T18:00:00Z"), buy("1001", "g", "500", at="2017-01-09T09:00:00Z")]
    batch = world.validated(card_file(records))
    load(world)
    assert world.apply(approve(world, batch)).stopped == {}


def approve(world: World, batch: Batch) -> Batch:
    return deciding.approve(
        batch_id=batch.pk,
        digest_shown=batches.hexadecimal(batch.plan_digest),
        caller=world.caller(world.finance),
        acknowledged_version=definitions.newer_version(batch),
    )


# What a posting takes.


def put(code: str, amount: int) -> None:
    for balance in Balance.objects.filter(account__code=code):
        balance.amount, balance.sequence = amount, 1
        balance.save(update_fields=["amount", "sequence"])


@pytest.mark.parametrize(("code", "sign"), [("receivable.1001", 1), ("settlement.31", -1)])
def test_a_balance_out_of_its_range_is_a_finding_of_the_record_that_brings_it_there(world: World, code: str, sign: int) -> None:
    load(world, set_aside=1, chunk_records=1)
    put(code, sign * (BALANCE_MOST - 120))
    batch = world.validated(card_file([buy("1001", "a", "70"), buy("1001", "b", "80"), buy("1001", "c", "50")]))
    assert said(batch) == {3: {"ledger.amount_out_of_range"}}
    assert world.apply(approve(world, batch)).stopped == {}


def test_a_file_of_so_much_that_a_balance_might_leave_its_range_is_refused_as_a_whole(world: World) -> None:
    # What is bought at the one shop is brought back to the other: the trailer says nothing of how much that is.
    pairs = [(f"s{number}", number % 2) for number in range(1002)]
    records = [buy("1001", slip, str((-1) ** back * 10**15), shop=worlds.SHOPS[back]) for slip, back in pairs]
    assert world.validate(world.receive(card_file(records))).state == "validated"
    put("settlement.32", -8 * 10**18)
    batch = world.validate(world.receive(card_file(records, sequence=2), name="till-2017-01-31-2.csv"))
    assert batch.finding_counts["control.sum_beyond_range"] == 1
    assert batch.findings.get(rule="control.sum_beyond_range").facts == {"found": 1002 * 10**15, "most": 10**18}


def test_a_chunk_is_never_larger_than_a_posting() -> None:
    assert cutting.most_records(1_000_000, 2) == PLACES // 4
    assert cutting.most_records(5000, 2) == 5000


def test_a_cut_knows_which_chunks_are_tied() -> None:
    cut = Cut({1: 2, 2: 2, 3: 5, 4: 2, 5: 2}, 2)
    cut.tie(70, 1)
    cut.tie(70, 5)
    cut.tie(71, 6)
    cut.tie(71, 5)
    for _record in range(2):
        cut.leave_out(0)
    found = [each and tuple(each) for each in cut.placed()]
    assert found == [None, (0, None, 0), (1, 3, 1), (2, 3, 1), (3, 3, 1), (4, None, 0), (5, None, 0)]


# All of it, at random.

DAYS = ("2017-01-05", "2017-01-05", "2017-01-12", "2017-02-10", "2017-03-01")
AMOUNTS = ("0", "50", "100", "300", "1000", "-50", "-100", "-100", "-300", "-1000")
ROW = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["31", "pool", "pool"]),
    st.sampled_from(AMOUNTS),
    st.sampled_from(DAYS),
    st.integers(0, 23),
)
OBSTACLES = st.sets(st.sampled_from(["member", "shop", "provisional"]), max_size=2)


class Given(NamedTuple):
    """What an example is made of."""

    before: list[Any]
    rows: list[Any]
    chunk_records: int
    order: str | None
    obstacles: set[str]
    turns: list[int]  # which of the chunks that are taken at once is applied next
    records_a_round: int


GIVEN = st.builds(
    Given,
    before=st.lists(ROW, max_size=4),
    rows=st.lists(ROW, min_size=1, max_size=9),
    chunk_records=st.sampled_from([1, 1, 2, 3, 4]),
    order=st.sampled_from([None, "bought_at"]),
    obstacles=OBSTACLES,
    turns=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    records_a_round=st.sampled_from([1, 3, 100]),
)


class Pair:
    """Members and a shared account in pairs: what the file says of the one side is posted by hand for the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = next(NUMBERS)
        self.names = {side: [f"{side}{self.number}-{place}" for place in range(3)] for side in "ab"}
        world.register(*self.names["a"], *self.names["b"])
        open_pool(world, *(f"{side}{self.number}" for side in "ab"))

    def records(self, side: str, rows: list[Any], prefix: str) -> list[Purchase]:
        return [
            Purchase(
                self.names[side][place],
                f"{side}{self.number}" if shop == "pool" else shop,
                f"{side}{self.number}-{prefix}{line}",
                amount,
                f"{day}T{hour:02}:00:00Z",
            )
            for line, (place, shop, amount, day, hour) in enumerate(rows, start=2)
        ]

    def refused(self, record: Purchase) -> set[str]:
        """Post a record by itself, and return what it is refused with."""
        drafts = [*drafts_of(self.world, record)]
        try:
            if drafts:
                post(self.world, drafts)
        except Refused as refusal:
            return {rule_of(reason) for reason in refusal.reasons}
        return set()

    def suspend(self, state: str) -> None:
        for side in "ab":
            worlds.set_account(f"points.{self.names[side][1]}", state)

    def balances(self, side: str) -> list[int]:
        names = [f"{role}.{name}" for role in ("receivable", "points") for name in self.names[side]]
        rows = dict(
            Account.objects.filter(code__in=[*names, f"settlement.{side}{self.number}"]).values_list("code", "balances__amount")
        )
        return [rows[name] for name in (*names, f"settlement.{side}{self.number}")]


def takes(record: Purchase) -> bool:
    """Whether a record takes from an account of which it matters what it has: the test's own reading."""
    amount = int(record.amount)
    return amount <= -100 or (amount < 0 and record.shop not in worlds.SHOPS)


def judged_order(records: Sequence[Purchase], given: Given, refused_alone: set[int]) -> list[tuple[int, int]]:
    """Return (chunk, line) of the records in the order in which they are to be judged and posted: the test's own reading of the cut."""
    planned = {line: each for line, each in enumerate(records, start=2) if int(each.amount) and line not in refused_alone}

    def key(line: int) -> tuple[str, int]:
        return planned[line].bought_at if given.order else "", line

    counts = Counter(each.member for each in planned.values())
    chunk, room, found = -1, 0, []
    for member in sorted(counts):
        lines = sorted((line for line, each in planned.items() if each.member == member), key=key)
        if len(lines) > room:
            chunk, room = chunk + 1, given.chunk_records
        for start in range(0, len(lines), given.chunk_records):
            chunk += bool(start)
            found += [(chunk, line) for line in lines[start : start + given.chunk_records]]
        room = room - len(lines) if len(lines) <= given.chunk_records else 0
    return sorted(found, key=lambda each: (each[0], key(each[1])))


def apply_at_random(world: World, batch: Batch, turns: list[int]) -> None:
    """Take all chunks that are free, as several workers do, and apply one of them; again and again, with a break in between."""
    begun = world.begin(batch)
    attempt = attempt_of(world, begun)
    taken: list[leasing.Leased] = []
    step = 0
    while True:
        while (leased := claim(begun, attempt, f"here:{len(taken)}")) is not None:
            taken.append(leased)
        if not taken:
            return
        result = chunks.apply_chunk(leased=taken.pop(turns[step % len(turns)] % len(taken)), caller=world.caller())
        assert result.outcome == "applied", result.reasons
        step += 1
        if step == 2:
            # A worker is gone: what it had is taken again.
            Chunk.objects.filter(batch=batch).exclude(state="applied").update(lease_until=NOW - timedelta(minutes=1))
            taken.clear()


@pytest.mark.slow
@pytest.mark.parametrize("has_lots", [False, True])
def test_what_validation_passes_posts_and_what_it_refuses_is_refused_for_the_same_reason(
    world: World, monkeypatch: pytest.MonkeyPatch, has_lots: bool
) -> None:
    if has_lots:
        with_lots(world, RuleGiven(expiry="days", validity=8, breakage="breakage"))

    @settings(max_examples=25, deadline=None)
    @given(given=GIVEN)
    def ask(given: Given) -> None:
        monkeypatch.setattr(judging, "RECORDS_A_ROUND", given.records_a_round)
        _hold(world, given)

    ask()
    assert breaches(world) == []


def _hold(world: World, given: Given) -> None:
    load(world, set_aside=50, chunk_records=given.chunk_records, order=given.order)
    pair = Pair(world)
    for side in "ab":
        for record in pair.records(side, given.before, "x"):
            pair.refused(record)
    mine, twins = (pair.records(side, given.rows, "y") for side in "ab")
    with standing_in_the_way(given.obstacles - {"member"}):
        if "member" in given.obstacles:
            pair.suspend("suspended")
        batch = world.validate(world.receive(card_file(mine, sequence=pair.number), name=f"till-2017-01-31-{pair.number}.csv"))
        found = said(batch)
        alone = {line for line in found if not takes(mine[line - 2])}
        order = judged_order(mine, given, alone)
        # What is refused, posting refuses for the same reason, at its place among those that pass; each by itself.
        refused = {line: rules for _chunk, line in order if (rules := pair.refused(twins[line - 2]))}
        assert found == refused | {line: pair.refused(twins[line - 2]) for line in alone}
        # What passes, posts: in the chunks in which it was judged.
        left = [each for each in order if each[1] not in refused]
        numbers = {chunk: number for number, chunk in enumerate(sorted({chunk for chunk, _line in left}))}
        rows: QuerySet[Record] = Record.objects.filter(batch=batch, chunk__isnull=False)
        assert set(rows.values_list("chunk__number", "line")) == {(numbers[chunk], line) for chunk, line in left}
        apply_at_random(world, approve(world, batch), given.turns)
        assert applying.apply(batch_id=batch.pk, caller=world.caller(), now=clock).batch.state == "applied"
        assert pair.balances("a") == pair.balances("b")
    pair.suspend("open")
