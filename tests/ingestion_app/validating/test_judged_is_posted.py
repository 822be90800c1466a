"""What is judged is what is posted: the same chunks, the same order, the same entries, no matter who applies which chunk when."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ingestion_app.applying.operations import chunks, leasing
from ingestion_app.batches.operations import attempts
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Attempt, Batch, Record
from ingestion_app.sources import operations as sources
from ingestion_app.sources.queries import definitions
from ingestion_app.status.queries import waking
from ingestion_app.validating.operations import cutting
from ingestion_app.validating.operations.cutting import Cut
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.models import Account, Balance, Entry, Hold, HoldLot, OpenLot
from ledger_app.models.entries import PLACES
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.values.balances import BALANCE_MOST
from tests.ingestion_app.validating.test_judging import said, with_lots
from tests.support import world as worlds
from tests.support.undoing import breaches
from tests.support.world import NOW, Purchase, World, card_file, definition

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


@pytest.mark.parametrize(("ends", "is_over"), [(timedelta(minutes=-1), True), (timedelta(minutes=1), False)])
def test_what_is_held_until_now_can_be_taken_as_whoever_posts_ends_the_hold(world: World, ends: timedelta, is_over: bool) -> None:
    with_lots(world, RuleGiven(expiry="never", breakage="breakage"))
    load(world)
    world.register("2001")
    world.applied(card_file([buy("2001", "g", "500")]))
    lot = OpenLot.objects.get()
    account, programme = Account.objects.get(code="points.2001"), Account.objects.get(code="programme.expense")
    given = {"book": world.points, "account": account, "target": programme, "amount": 5, "placed_by": world.support}
    hold = Hold.objects.create(reference="h", placed_at=NOW - timedelta(days=1), expires_at=NOW + ends, **given)
    HoldLot.objects.create(hold=hold, lot_id=lot.pk, amount=5)
    OpenLot.objects.update(held=5)
    batch = world.validate(world.receive(card_file([buy("2001", "t", "-500")], sequence=2), name="till-2017-01-31-2.csv"))
    assert said(batch) == ({} if is_over else {2: {"ledger.lots_short"}})
    if is_over:
        assert world.apply(world.approve(batch)).stopped == {}
        assert Hold.objects.get().state == "expired"


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
    assert batch.findings.get(rule="control.sum_beyond_range").facts == {
        "found": 1002 * 10**15,
        "most": 10**18,
        "unit": ["USD", 2],
    }


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
    found = [each and tuple(each) for each in cut.planned()]
    assert found == [None, (0, None, 0), (1, 3, 1), (2, 3, 1), (3, 3, 1), (4, None, 0), (5, None, 0)]
