"""Random files, ledgers, chunk sizes, orders and refusals, applied as several workers would: what passes posts, what is refused is refused by posting."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db.models import QuerySet
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion_app.applying.operations import applying, chunks, leasing
from ingestion_app.checks.rules import rule_of
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.validating.operations import judging
from ledger_app.errors import Refused
from ledger_app.models import Account
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.ingestion_app.validating.test_judged_is_posted import approve, attempt_of, claim, load, open_pool
from tests.ingestion_app.validating.test_judging import NUMBERS, drafts_of, post, said, standing_in_the_way, with_lots
from tests.support import world as worlds
from tests.support.undoing import breaches
from tests.support.world import NOW, Purchase, World, card_file, clock

pytestmark = pytest.mark.django_db

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
