"""From every state that a batch can reach, whatever stands in its way, there is a way to an end that somebody with the right can take."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from ingestion_app.applying.operations import applying, chunks, leasing
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk
from ingestion_app.sources import operations as sources
from ingestion_app.status.queries.closing import unfinished
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.close.operations import periods
from ledger_app.errors import LedgerError
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Balance, Entry, Holder, Period
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.ingestion_app.validating.test_judging import drafts_of, post
from tests.support.undoing import breaches, refused, reverse_singly
from tests.support.world import FIXED, Purchase, World, card_file, clock, definition, set_account

pytestmark = pytest.mark.django_db

ENDS = {"frozen", "withdrawn", "reversed"}
RECORDS = [
    Purchase("1001", "31", "s1", "15000"),
    Purchase("1002", "31", "s2", "250"),
    Purchase("1003", "31", "s3", "1000"),
    Purchase("1006", "32", "s6", "700"),
]


def take_points(world: World, member: str, points: int) -> None:
    """Have a member spend points, so that what gave them cannot be taken back."""
    record = Purchase(member, "31", f"spent-{member}", str(-100 * points), "2017-01-05T12:00:00Z")
    post(world, [draft for draft in drafts_of(world, record) if draft.book_id == world.points.pk])


def account_shut(world: World, batch: Batch) -> None:
    set_account("settlement.32", "suspended")


def account_closed(world: World, batch: Batch) -> None:
    has_balance = Balance.objects.filter(account__code="receivable.1006").exclude(amount=0).exists()
    set_account("receivable.1006", "suspended" if has_balance else "closed")


def member_merged(world: World, batch: Batch) -> None:
    for book in (world.card, world.points):
        days = {"starts_on": date(2017, 3, 1), "ends_on": date(2017, 3, 31)}
        books.open_period(book=book, name="2017-03", **days, caller=world.caller())
    member, survivor = (Holder.objects.get(accounts__code=f"points.{number}").pk for number in ("1006", "1001"))
    wanted = merge_queries.proposal(holder_id=member, survivor_id=survivor, reason="One person.")
    proposed = merges.propose(wanted, caller=world.caller(world.support))
    facts = merge_queries.facts(proposed, user=world.finance, at=clock())
    merges.approve(merge_id=proposed.pk, digest_shown=digest(facts.plan.as_json()).hex(), caller=world.caller(world.finance))


def member_merged_and_stopped(world: World, batch: Batch) -> None:
    """The source has the records of a merged member stop, rather than go to the member who remains."""
    member_merged(world, batch)


def period_shut(world: World, batch: Batch) -> None:
    period = Period.objects.get(name="2017-01", book=world.card)
    periods.change(period_id=period.pk, name="provisional", caller=world.caller(world.finance))


def reference_taken(world: World, batch: Batch) -> None:
    post(world, [*drafts_of(world, RECORDS[3])])


def floor_broken(world: World, batch: Batch) -> None:
    """What the file gave, as far as it did, is spent."""
    if Entry.objects.filter(reference="till:s1", book=world.points).exists():
        take_points(world, "1001", 150)


def source_changed(world: World, batch: Batch) -> None:
    sources.load(text=definition(chunk_records=2), caller=world.caller())


def reversed_singly(world: World, batch: Batch) -> None:
    for entry in Entry.objects.filter(reference="till:s1", book=world.card, reversed_by__isnull=True):
        reverse_singly(world, entry.reference)


OBSTACLES: dict[str, Callable[[World, Batch], None]] = {
    each.__name__: each
    for each in (
        account_shut,
        account_closed,
        member_merged,
        member_merged_and_stopped,
        period_shut,
        reference_taken,
        floor_broken,
        source_changed,
        reversed_singly,
    )
}


Doing = dict[str, Callable[[Batch], object]]


def steps(world: World) -> Doing:
    """Return what people with the rights can do of a batch, whichever it is."""
    newest = lambda batch: Batch.objects.get(pk=batch.pk)  # noqa: E731 - as short as what it does
    return {
        "validate": lambda batch: world.validate(newest(batch)),
        "approve": lambda batch: deciding.approve(
            batch_id=batch.pk,
            digest_shown=batches.hexadecimal(newest(batch).plan_digest),
            caller=world.caller(world.finance),
            acknowledged_version=batches.facts(newest(batch), user=world.finance, deep=False).newer_version,
        ),
        "apply": lambda batch: world.apply(newest(batch)),
        "resume": lambda batch: [
            applying.begin(batch_id=batch.pk, caller=world.caller(), name="resume"),
            applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=clock),
        ],
        "pause": world.pause,
        "withdraw": world.withdraw,
        "leave": world.leave,
        "freeze": world.freeze,
    }


def goals(batch: Batch) -> Iterator[Batch]:
    """Yield the batch, and before it whatever is to reverse it: all that have to end."""
    yield from Batch.objects.filter(reverses=batch).order_by("-id")
    yield Batch.objects.get(pk=batch.pk)


def finish(world: World, batch: Batch) -> list[str]:
    """Take what the machine offers, an end first, until all have ended; return what was done, or fail where nothing more can be."""
    done: list[str] = []
    idle: set[tuple[int, str]] = set()
    doing = steps(world)
    for _step in range(20):
        left = [each for each in goals(batch) if each.state not in ENDS]
        if not left:
            return done
        if not any(_took(doing, each, done, idle) for each in left):
            raise AssertionError(f"nothing can be done any more of {[(each.pk, each.state) for each in left]}, after {done}")
    raise AssertionError(f"no end after {done}")


def _took(doing: Doing, batch: Batch, done: list[str], idle: set[tuple[int, str]]) -> bool:
    """Take the first step that brings the batch on, or where that is barred, out. What brought it nowhere is not tried again."""
    for name in ("freeze", "approve", "apply", "resume", "leave", "withdraw", "pause"):
        if (batch.pk, name) in idle:
            continue
        before = _place(batch)
        try:
            doing[name](batch)
        except LedgerError:
            continue
        if _place(batch) == before:
            idle.add((batch.pk, name))
        done.append(f"{batch.pk} {name}")
        return True
    return False


def _place(batch: Batch) -> tuple[str, bool, int]:
    """Return how far a batch is; to be paused is a step, and to go on without getting any further is none."""
    now = Batch.objects.get(pk=batch.pk)
    return now.state, now.is_paused and not batch.is_paused, Chunk.objects.filter(batch=batch, state="applied").count()


def brought_to(world: World, state: str) -> Batch:
    """Return a batch in a state, or half way through it."""
    batch = world.receive(card_file(RECORDS))
    if state == "received":
        return batch
    batch = world.validate(batch)
    if state == "validated":
        return batch
    batch = world.approve(batch)
    if state == "approved":
        return batch
    if state == "applied":
        return world.apply(batch).batch
    batch = world.begin(batch)
    if state.startswith("half"):
        apply_first(world, batch, 2)
    if state.startswith("half, being reversed"):
        world.pause(batch)
        reversal = world.reverse(batch)
        if state == "half, being reversed half":
            reversal = world.begin(world.approve(reversal))
            apply_first(world, reversal, 1)
    return Batch.objects.get(pk=batch.pk)


def apply_first(world: World, batch: Batch, count: int) -> None:
    """Apply the first chunks of a batch, as a worker does that is killed then."""
    attempt = batch.attempts.create(
        step="apply", number=1, actor=world.engineer, host="here", process=1, started_at=clock(), heartbeat_at=clock()
    )
    for _chunk in range(count):
        leased = leasing.claim(batch_id=batch.pk, attempt_id=attempt.pk, worker="here:1/1", at=clock(), lease_seconds=60)
        assert leased is not None
        assert chunks.apply_chunk(leased=leased, caller=world.caller()).outcome == "applied"
    attempt.outcome = "failed"
    attempt.save()


STATES = ("received", "validated", "approved", "applying", "half", "half, being reversed", "half, being reversed half", "applied")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_there_is_a_way_to_an_end(world: World, state: str, obstacle: str) -> None:
    world.load(chunk_records=1, merged="stop" if obstacle == "member_merged_and_stopped" else "redirect")
    batch = brought_to(world, state)
    OBSTACLES[obstacle](world, batch)
    finish(world, batch)
    assert [*unfinished(Period.objects.get(name="2017-01", book=world.card))] == []
    assert breaches(world) == []


@pytest.mark.parametrize("state", ["validated", "applying", "half"])
def test_there_is_a_way_to_an_end_where_lots_have_expired(world: World, state: str) -> None:
    books.open_accounts(book=world.points, openings=[AccountOpening("breakage", "breakage", "income")], caller=world.caller())
    given = RuleGiven(expiry="days", validity=5, breakage="breakage")
    lot_rules.set_rule(book=world.points, role="points", given=given, caller=world.caller(world.finance))
    world.load(chunk_records=1)
    world.register("2001")
    world.applied(
        card_file([Purchase("2001", "31", "g", "10000", "2017-01-01T10:00:00Z")], sequence=9), name="till-2017-01-31-9.csv"
    )
    takes = Purchase("2001", "31", "t", "-5000", "2017-01-03T10:00:00Z")
    batch = world.approve(world.validate(world.receive(card_file([FIXED, takes]))))
    if state != "validated":
        batch = world.begin(batch)
    if state == "half":
        apply_first(world, batch, 1)
    take_points(world, "2001", 100)
    finish(world, batch)
    assert breaches(world) == []


@pytest.mark.parametrize("end", ["withdraw", "leave"])
def test_whoever_holds_a_chunk_of_a_batch_that_is_ended_has_lost_it(world: World, end: str) -> None:
    world.load(chunk_records=1)
    batch = brought_to(world, "applying")
    if end == "leave":
        apply_first(world, batch, 1)
    attempt = batch.attempts.create(
        step="apply", number=9, actor=world.engineer, host="there", process=2, started_at=clock(), heartbeat_at=clock()
    )
    leased = leasing.claim(batch_id=batch.pk, attempt_id=attempt.pk, worker="there:2/9", at=clock(), lease_seconds=60)
    assert leased is not None
    if end == "leave":
        world.pause(batch)
    steps(world)[end](batch)
    before = Entry.objects.count()
    assert chunks.apply_chunk(leased=leased, caller=world.caller()).outcome == "superseded"
    assert Entry.objects.count() == before
    assert breaches(world) == []


def test_what_is_left_out_is_counted_and_comes_in_again_under_its_own_keys(world: World) -> None:
    world.load(chunk_records=1)
    batch = brought_to(world, "half")
    world.pause(batch)
    ended = world.leave(batch)
    assert (ended.state, ended.set_aside_count, ended.set_aside_sum) == ("applied", 2, 1700)
    assert (ended.approved_by, ended.approved_digest) == (world.finance, ended.plan_digest)
    assert [*ended.findings.order_by("line").values_list("rule", "line")] == [("ledger.left_out", 4), ("ledger.left_out", 5)]
    assert [*ended.records.order_by("line").values_list("status", flat=True)] == ["planned", "planned", "set_aside", "set_aside"]
    again = world.applied(card_file(RECORDS[2:], sequence=2), name="till-2017-01-31-2.csv")
    assert (again.state, world.freeze(ended).state) == ("applied", "frozen")
    assert breaches(world) == []


def test_only_another_than_who_received_or_validated_it_ends_a_batch_half_way_and_only_while_it_is_paused(world: World) -> None:
    world.load(chunk_records=1)
    batch = brought_to(world, "half")
    assert refused(lambda: world.leave(batch)) == ["still_applying"]
    world.pause(batch)
    assert "not_permitted" in refused(lambda: world.leave(batch, user=world.engineer))
    assert "reason_required" in refused(lambda: world.leave(batch, reason=" "))
    nothing = world.begin(world.approved(card_file([FIXED._replace(slip="n")], sequence=3), name="till-2017-01-31-3.csv"))
    world.pause(nothing)
    assert refused(lambda: world.leave(nothing)) == ["nothing_applied"]
