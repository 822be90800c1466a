"""Validation holds a file against the ledger, and writes a plan that nothing of the ledger is changed by."""

from datetime import date
from typing import Any

import pytest

from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.validating.operations import plans, validating
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import Account, AuditRow, Book, Holder, Identifier, Period
from tests.support.world import FIXED, NOW, PURCHASES, World, card_file, clock, codes, found, ledger, set_account, work

pytestmark = pytest.mark.django_db

CONTENT = card_file()


def test_a_plan_is_whole_holders_and_adds_up_to_the_file(world: World) -> None:
    before = ledger()
    batch = world.validated(CONTENT)

    assert (batch.record_count, batch.record_sum) == (8, 14644)
    assert (batch.trailer_count, batch.trailer_sum) == (8, 14644)
    assert (batch.without_effect_count, batch.set_aside_count, batch.first_on, batch.last_on) == (
        1,
        0,
        date(2017, 1, 5),
        date(2017, 1, 31),
    )
    # 99 cents give no point; the record without amount posts nothing.
    assert batch.totals == {"CARD": [7, 14, 14644], "POINTS": [6, 12, 1 + 2 + 10 + 123 + 7 + 1]}
    chunks = [*Chunk.objects.filter(batch=batch).order_by("number")]
    assert [chunk.number for chunk in chunks] == [*range(len(chunks))]
    assert sum(chunk.record_count for chunk in chunks) == 7
    assert sum(chunk.record_sum for chunk in chunks) == 14644
    for chunk in chunks:
        assert (chunk.state, chunk.records.count()) == ("pending", chunk.record_count)
    by_holder: dict[int, set[int]] = {}
    for holder, chunk_id in Record.objects.filter(batch=batch, status="planned").values_list("holder_id", "chunk_id"):
        by_holder.setdefault(holder, set()).add(chunk_id)
    assert all(len(own) == 1 for own in by_holder.values())
    assert [*Record.objects.filter(batch=batch).order_by("line").values_list("line", flat=True)] == [*range(2, 10)]
    assert Record.objects.get(batch=batch, status="no_effect").key == "s5"
    assert batch.finding_counts == {"record.zero_amount": 1}
    assert ledger() == before


def test_a_holder_with_more_records_than_a_chunk_has_chunks_of_his_own(world: World) -> None:
    records = [FIXED._replace(slip=f"a{number}") for number in range(7)] + [FIXED._replace(member="1002", slip="b")]
    batch = world.validated(card_file(records))
    chunks = batch.chunks.order_by("number")
    assert [*chunks.values_list("record_count", "holder__name")] == [(3, ""), (3, ""), (1, ""), (1, None)]
    of_parts = [[*chunk.records.order_by("line").values_list("key", flat=True)] for chunk in chunks]
    assert of_parts == [["a0", "a1", "a2"], ["a3", "a4", "a5"], ["a6"], ["b"]]


def test_a_record_is_kept_with_the_place_of_its_bytes(world: World) -> None:
    batch = world.validated(CONTENT)
    for record in Record.objects.filter(batch=batch):
        line = CONTENT[record.offset : record.offset + record.length]
        assert line == CONTENT.split(b"\n")[record.line - 1]
        assert record.key == line.split(b",")[3].decode()


@pytest.mark.parametrize("state", ["suspended", "closed"])
@pytest.mark.parametrize("account", ["receivable.1001", "points.1001", "settlement.31", "programme.expense"])
def test_an_account_that_is_not_open_is_found(world: World, account: str, state: str) -> None:
    set_account(account, state)
    batch = world.validate(world.receive(CONTENT))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.account_not_open"])
    facts = batch.findings.filter(severity="error")[0].facts
    assert (facts["account"], facts["state"]) == (account, state)


def test_a_book_that_is_not_there_is_found(world: World) -> None:
    Book.objects.filter(code="POINTS").update(code="ELSEWHERE")
    batch = world.validate(world.receive(CONTENT))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.book_unknown"])


def test_a_record_that_was_posted_before_is_found(world: World) -> None:
    world.applied(CONTENT)
    before = ledger()
    again = card_file([PURCHASES[0], PURCHASES[1]._replace(amount="950"), FIXED._replace(slip="new")], sequence=2)
    batch = world.validate(world.receive(again, name="till-2017-01-31-2.csv"))

    assert (batch.state, found(batch)) == ("rejected", ["ledger.reference_exists_differs", "ledger.reference_exists_same"])
    where = dict(batch.findings.values_list("rule", "line"))
    assert where == {"ledger.reference_exists_same": 2, "ledger.reference_exists_differs": 3}
    assert ledger() == before


def test_records_are_set_aside_up_to_the_limit(world: World) -> None:
    world.load(set_aside=2)
    strangers = [FIXED._replace(member=f"9{number}", slip=f"x{number}", amount="7") for number in range(3)]

    batch = world.validated(card_file([FIXED, *strangers[:2]]))
    assert (batch.set_aside_count, batch.set_aside_sum, batch.record_count, batch.record_sum) == (2, 14, 3, 164)
    assert [*batch.records.order_by("line").values_list("status", flat=True)] == ["planned", "set_aside", "set_aside"]
    applied = world.apply(world.approve(batch)).batch
    assert (applied.state, applied.totals["CARD"]) == ("applied", [1, 2, 150])

    batch = world.validate(world.receive(card_file(strangers, sequence=2), name="till-2017-01-31-2.csv"))
    assert (batch.state, found(batch)) == ("rejected", ["ledger.holder_unknown"])


def test_an_unreadable_record_is_never_set_aside(world: World) -> None:
    world.load(set_aside=5)
    batch = world.validate(world.receive(card_file([FIXED, FIXED._replace(slip="s 2", amount="5")])))
    assert (batch.state, found(batch)) == ("rejected", ["record.identifier_invalid"])


def test_a_file_in_which_every_record_is_set_aside_plans_nothing(world: World) -> None:
    world.load(set_aside=5)
    batch = world.validated(card_file([FIXED._replace(member="9")]))
    assert (batch.chunks.count(), batch.totals, batch.first_on) == (0, {}, None)
    before = ledger()
    applied = world.apply(world.approve(batch))
    assert (applied.batch.state, applied.applied, ledger() == before) == ("applied", 0, True)


def test_a_day_without_records_goes_all_the_way(world: World) -> None:
    batch = world.validated(card_file([]))
    assert (batch.finding_counts, batch.record_count) == ({"file.no_records": 1}, 0)
    assert world.apply(world.approve(batch)).batch.state == "applied"


def test_a_member_who_was_merged_is_noted_and_posted_to_the_survivor(world: World) -> None:
    gone, stays = (Identifier.objects.get(value=number).holder for number in ("1001", "1002"))
    Holder.objects.filter(pk=gone.pk).update(merged_into=stays)

    batch = world.validated(card_file([FIXED]))
    assert batch.finding_counts == {"ledger.holder_merged": 1}
    assert world.apply(world.approve(batch)).batch.state == "applied"
    assert Account.objects.get(code="receivable.1002").balances.get().amount == 150
    assert Account.objects.get(code="receivable.1001").balances.get().amount == 0


@pytest.mark.parametrize(
    ("first", "last", "counts"),
    [
        pytest.param(None, date(2017, 1, 4), {"ledger.identifier_inactive": 1}, id="after its end"),
        pytest.param(date(2017, 1, 6), None, {"ledger.identifier_inactive": 1}, id="before its beginning"),
        pytest.param(date(2017, 1, 5), date(2017, 1, 5), {}, id="on its only day"),
    ],
)
def test_a_record_dated_when_its_identifier_was_not_in_use_is_noted_and_applied(
    world: World, first: date | None, last: date | None, counts: dict[str, int]
) -> None:
    Identifier.objects.filter(value="1001").update(active_from=first, active_to=last)
    batch = world.validated(card_file([FIXED]))
    assert batch.finding_counts == counts
    for finding in batch.findings.all():
        assert finding.facts == {
            "kind": "member_number",
            "identifier": "1001",
            "date": "2017-01-05",
            "first": str(first or ""),
            "last": str(last or ""),
        }
    assert world.apply(world.approve(batch)).batch.state == "applied"


def test_validating_again_replaces_the_plan_and_voids_the_approval(world: World) -> None:
    batch = world.approved(CONTENT)
    before = work(batch.pk)
    chunk_ids = set(batch.chunks.values_list("id", flat=True))

    again = world.validate(batch, user=world.other_engineer)

    assert (again.state, again.approved_by, again.approved_digest) == ("validated", None, None)
    assert again.planned_by == world.other_engineer
    assert work(batch.pk)["records"] == before["records"]
    assert work(batch.pk)["findings"] == before["findings"]
    assert not chunk_ids & set(again.chunks.values_list("id", flat=True))
    with pytest.raises(Refused) as refused:
        world.apply(again)
    assert codes(refused.value.reasons)[0] == "wrong_state"
    assert AuditRow.objects.filter(subject_id=batch.pk, from_state="approved", to_state="validated").count() == 1


def test_validating_again_may_reject_and_leaves_no_plan(world: World) -> None:
    batch = world.approved(CONTENT)
    set_account("points.1001", "suspended")
    again = world.validate(batch)
    assert (again.state, again.plan_digest, again.approved_by, again.totals) == ("rejected", None, None, {})
    assert (again.chunks.count(), again.records.count()) == (0, 0)


@pytest.mark.parametrize("state", ["applied", "frozen"])
def test_what_is_applied_is_not_validated_again(world: World, state: str) -> None:
    batch = world.applied(CONTENT)
    if state == "frozen":
        world.freeze(batch)
    before = work(batch.pk), ledger()
    with pytest.raises(Refused) as refused:
        world.validate(batch)
    assert codes(refused.value.reasons) == ["wrong_state"]
    assert (work(batch.pk), ledger()) == before


def test_a_plan_that_was_shown_in_an_earlier_version_is_stale(world: World) -> None:
    batch = world.validated(CONTENT)
    with pytest.raises(Refused) as refused:
        world.validate(batch, version=batch.version - 1)
    assert codes(refused.value.reasons) == ["stale"]


@pytest.mark.parametrize("role", ["finance", "support"])
def test_validating_needs_the_right(world: World, role: str) -> None:
    batch = world.receive(CONTENT)
    with pytest.raises(Refused) as refused:
        world.validate(batch, user=getattr(world, role))
    assert codes(refused.value.reasons) == ["not_permitted"]
    assert batch.attempts.count() == 0


class Killed(BaseException):
    """Stands for a process that ends here."""


@pytest.mark.parametrize("place", ["clear", "cut", "write"])
def test_a_validation_that_ends_in_the_middle_leaves_the_batch_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    batch = world.approved(CONTENT)
    before = work(batch.pk)
    kept = getattr(plans, place)

    def die(*given: Any) -> Any:
        result = kept(*given)
        if place == "write":
            next(result)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(plans, place, die)
        with pytest.raises(Killed):
            world.validate(batch)
    batch.refresh_from_db()
    assert (work(batch.pk), batch.approved_by) == (before, world.finance)
    # The plan is whole: it can be applied, or made anew.
    assert world.validate(batch).state == "validated"


def test_a_batch_that_changed_while_its_file_was_read_keeps_the_first_plan(world: World) -> None:
    batch = world.receive(CONTENT)
    plan: list[Any] = []

    def meanwhile(phase: str, _records: int) -> None:
        if phase == "check" and not plan:
            plan.append(None)
            plan.append(world.validate(batch, user=world.other_engineer).plan_digest)

    with pytest.raises(Refused) as refused:
        validating.validate(
            batch_id=batch.pk,
            directory=world.directory,
            caller=Caller(user=world.engineer, at=NOW, door="test"),
            now=clock,
            on_progress=meanwhile,
        )
    assert codes(refused.value.reasons) == ["stale"]
    batch.refresh_from_db()
    assert (batch.plan_digest, batch.planned_by) == (plan[1], world.other_engineer)


@pytest.mark.parametrize("into", ["1002", "2001"], ids=["one of the file", "one of none"])
def test_a_member_merged_while_the_file_is_read_does_not_tear_the_plan(world: World, into: str) -> None:
    world.register("2001")
    batch = world.receive(CONTENT)
    gone, stays = (Identifier.objects.get(value=number).holder for number in ("1001", into))

    def meanwhile(phase: str, _records: int) -> None:
        if phase == "check":
            Holder.objects.filter(pk=gone.pk).update(merged_into=stays)

    validated = validating.validate(
        batch_id=batch.pk, directory=world.directory, caller=world.caller(), now=clock, on_progress=meanwhile
    )
    for chunk in validated.chunks.all():
        assert chunk.records.count() == chunk.record_count
    # What was planned for the one who is gone is posted to the one who remains.
    assert world.apply(world.approve(validated)).batch.state == "applied"
    assert Account.objects.get(code="receivable.1001").balances.get().amount == 0


def test_a_newer_version_of_the_source_is_the_one_that_is_recorded(world: World) -> None:
    batch = world.receive(CONTENT)
    world.load(chunk_records=100)
    batch = world.validate(batch)
    assert (batch.source_version.number, batch.chunks.count()) == (2, 1)


def test_the_digest_covers_each_part_of_the_plan(world: World) -> None:
    """Two databases with the same members and rules make the same digest; a change of any part makes another."""
    batch = world.validated(CONTENT)
    plan = batches.chunk_plans(batch)
    digest = batches.plan_digest(batch, plan)
    assert digest == bytes(batch.plan_digest) == bytes.fromhex(batches.rows_digest(batch))

    seen = {digest}
    for column, value in {
        "business_date": date(2017, 2, 1),
        "sequence": 2,
        "record_count": 9,
        "record_sum": 1,
        "trailer_count": 9,
        "trailer_sum": 1,
        "without_effect_count": 2,
        "set_aside_count": 1,
        "set_aside_sum": 1,
        "first_on": date(2017, 1, 4),
        "last_on": date(2017, 2, 1),
        "totals": {"CARD": [7, 14, 14645]},
        "finding_counts": {},
    }.items():
        other = Batch.objects.get(pk=batch.pk)
        setattr(other, column, value)
        seen.add(batches.plan_digest(other, plan))
    for place, value in enumerate((99, 99, 99, {"CARD": [1, 2, 3]}, "ff" * 32)):
        changed: list[Any] = [*plan[0]]
        changed[place] = value
        seen.add(batches.plan_digest(batch, [tuple(changed), *plan[1:]]))
    seen.add(batches.plan_digest(batch, plan[1:]))
    seen.add(batches.plan_digest(batch, [*plan[1:], plan[0]]))
    assert len(seen) == 1 + 13 + 5 + 2


def test_other_rules_or_other_bytes_make_another_digest(world: World) -> None:
    batch = world.validated(CONTENT)
    first = batch.plan_digest
    world.load(chunk_records=4)
    second = world.validate(batch).plan_digest
    world.withdraw(batch)
    # The same records, and other bytes: one field is quoted.
    third = world.validated(CONTENT.replace(b"s1", b'"s1"')).plan_digest
    assert len({first, second, third}) == 3


def test_a_period_is_not_frozen_while_a_batch_dated_in_it_has_not_ended(world: World) -> None:
    period = Period.objects.get(book=world.card, name="2017-01")
    batch = world.receive()
    for step in (world.validate, world.approve, world.apply):
        step(batch)
        with pytest.raises(Refused) as refused:
            world.freeze_period(period)
        assert codes(refused.value.reasons)[0] == "work_unfinished"
        batch.refresh_from_db()
        assert refused.value.reasons[0].facts["state"] == batch.get_state_display()
    world.freeze(batch)
    assert world.freeze_period(period).entry_count == 7
