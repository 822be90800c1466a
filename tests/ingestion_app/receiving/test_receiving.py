"""Nothing that arrives is lost, overwritten, or taken in twice."""

import hashlib
import io
from datetime import date

import pytest
from django.db import DatabaseError, transaction

from ingestion_app.models import Batch, File, Receipt
from ingestion_app.receiving.operations import receiving
from ledger_app.base.operations import filing
from ledger_app.errors import Refused
from ledger_app.models import AuditRow
from tests.support.world import DAY, FIXED, NAME, World, card_file, codes, ledger

pytestmark = pytest.mark.django_db

CONTENT = card_file()
OTHER = card_file(count=1)


def outcomes() -> list[str]:
    return [*Receipt.objects.order_by("id").values_list("outcome", flat=True)]


def test_a_file_is_stored_hashed_and_registered_and_nothing_else(world: World) -> None:
    before = ledger()
    batch = world.receive(CONTENT)

    receipt = batch.receipt
    assert receipt is not None
    assert (batch.state, batch.version, batch.business_date, batch.sequence) == ("received", 1, DAY, 1)
    assert (receipt.outcome, receipt.name, receipt.first, receipt.received_by) == ("accepted", NAME, None, world.engineer)
    assert bytes(batch.file.sha256) == hashlib.sha256(CONTENT).digest()
    assert world.kept(CONTENT)
    assert (batch.record_count, batch.plan_digest, batch.records.count(), batch.attempts.count()) == (None, None, 0, 0)
    assert ledger() == before
    row = AuditRow.objects.get(subject_type="batch", subject_id=batch.pk)
    assert (row.action, row.outcome, row.actor, row.facts["sha256"]) == ("receive", "done", world.engineer, str(batch.file))
    assert batch.history.count() == 1


@pytest.mark.parametrize("name", [NAME, "till-2017-01-31-1 (1).csv", "till-2017-02-01-9.csv", "x"])
def test_the_same_bytes_again_are_a_duplicate_whatever_their_name(world: World, name: str) -> None:
    first = world.receive(CONTENT)
    again = world.receipt(CONTENT, name=name, user=world.other_engineer)

    assert (again.outcome, again.first, again.received_by) == ("duplicate", first.receipt, world.other_engineer)
    assert (Batch.objects.count(), File.objects.count()) == (1, 1)


def test_a_duplicate_points_to_the_first_and_not_to_another_duplicate(world: World) -> None:
    first = world.receipt(CONTENT)
    seconds = [world.receipt(CONTENT, name="again.csv") for _ in range(3)]
    assert {receipt.first for receipt in seconds} == {first}


@pytest.mark.parametrize("state", ["validated", "approved", "applied"])
def test_the_same_bytes_after_any_step_are_a_duplicate(world: World, state: str) -> None:
    batch = getattr(world, state)(CONTENT)
    assert world.receipt(CONTENT, name="renamed.csv").outcome == "duplicate"
    assert Batch.objects.get().pk == batch.pk


def test_other_bytes_in_the_same_slot_are_a_conflict_and_are_kept(world: World) -> None:
    first = world.receive(CONTENT)
    with pytest.raises(Refused) as refused:
        world.receipt(OTHER)

    (reason,) = refused.value.reasons
    assert (reason.code, reason.facts["batch"]) == ("slot_conflict", first.pk)
    assert world.kept(CONTENT)
    assert world.kept(OTHER)
    conflict = Receipt.objects.get(outcome="conflict")
    assert (conflict.first, conflict.business_date, conflict.sequence) == (first.receipt, DAY, 1)
    assert Batch.objects.count() == 1


def test_a_conflicting_file_may_come_in_under_its_right_sequence(world: World) -> None:
    world.receive(CONTENT)
    other = card_file(sequence=2)
    with pytest.raises(Refused):
        world.receipt(other)
    batch = world.receive(other, sequence=2, business_date=DAY)
    assert (batch.sequence, outcomes()) == (2, ["accepted", "conflict", "accepted"])


def test_after_a_rejection_the_corrected_file_takes_the_slot(world: World) -> None:
    bad = world.validate(world.receive(card_file(total=1)))
    good = world.validated(CONTENT)

    assert (bad.state, bad.holds_slot, good.holds_slot) == ("rejected", None, True)
    with pytest.raises(Refused) as refused:
        world.validate(bad)
    assert codes(refused.value.reasons) == ["slot_taken"]
    assert refused.value.reasons[0].facts["batch"] == good.pk
    assert AuditRow.objects.filter(subject_id=bad.pk, action="validate", outcome="refused").count() == 1
    bad.refresh_from_db()
    assert bad.state == "rejected"
    # Its bytes are still known: the bad file does not become a new batch.
    assert world.receipt(card_file(total=1)).outcome == "duplicate"
    assert world.withdraw(bad).state == "withdrawn"


def test_a_rejected_batch_takes_its_slot_again_when_it_passes(world: World) -> None:
    unknown = card_file([FIXED._replace(member="2001")])
    batch = world.validate(world.receive(unknown))
    assert (batch.state, batch.holds_slot) == ("rejected", None)
    world.register("2001")
    batch = world.validate(batch)
    assert (batch.state, batch.holds_slot) == ("validated", True)
    with pytest.raises(Refused) as refused:
        world.receipt(CONTENT)
    assert codes(refused.value.reasons) == ["slot_conflict"]


def test_after_a_withdrawal_the_same_bytes_are_a_new_batch(world: World) -> None:
    first = world.withdraw(world.validated(CONTENT))
    second = world.receive(CONTENT)
    assert (first.state, second.pk != first.pk, second.file_id == first.file_id) == ("withdrawn", True, True)
    assert outcomes() == ["accepted", "accepted"]
    assert world.apply(world.approve(world.validate(second))).batch.state == "applied"


def test_a_withdrawn_batch_is_final(world: World) -> None:
    batch = world.withdraw(world.receive(CONTENT))
    for step in (world.validate, world.approve, world.apply, world.withdraw):
        with pytest.raises(Refused) as refused:
            step(batch)
        assert "wrong_state" in codes(refused.value.reasons)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state="received")


def test_an_empty_file_is_received_as_what_it_is(world: World) -> None:
    batch = world.receive(b"")
    assert (batch.file.size, world.kept(b"")) == (0, True)


@pytest.mark.parametrize(
    "name",
    [
        "purchases.csv",
        "till-2017-02-30-1.csv",
        "till-20170131-1.csv",
        "till-2017-01-31-.csv",
        "till-2017-01-31-1.csv.gz",
        "Till-2017-01-31-1.csv",
        "till-2017-01-31-1.csv\n",
        "till-2017-01-31-999999999999.csv",
    ],
)
def test_a_name_that_says_no_slot_is_refused_and_its_bytes_are_kept(world: World, name: str) -> None:
    with pytest.raises(Refused) as refused:
        world.receipt(CONTENT, name=name)

    assert codes(refused.value.reasons) == ["slot_unknown"]
    receipt = Receipt.objects.get()
    assert (receipt.outcome, receipt.business_date, receipt.sequence, receipt.first) == ("refused", None, None, None)
    assert world.kept(CONTENT)
    assert not Batch.objects.exists()
    # Sent again with its slot, it is taken in.
    batch = world.receive(CONTENT, name=name, business_date=DAY, sequence=1)
    assert (batch.business_date, batch.sequence) == (DAY, 1)


def test_what_is_given_goes_before_what_the_name_says(world: World) -> None:
    batch = world.receive(CONTENT, business_date=date(2017, 2, 1))
    assert (batch.business_date, batch.sequence) == (date(2017, 2, 1), 1)
    assert world.validate(batch).finding_counts["control.header_business_date_differs"] == 1


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("カード利用明細.csv", "カード利用明細.csv"),
        (b"\x83J\x81[\x83h.csv".decode("utf-8", "surrogateescape"), "\\udc83J\\udc81[\\udc83h.csv"),
        ("n" * 300 + ".csv", "n" * 251 + ".csv"),
        ("a\nb\t\u200b'; DROP TABLE--.csv", "a\\nb\\t\\u200b'; DROP TABLE--.csv"),
        ("😀.csv", "😀.csv"),
    ],
    ids=["Japanese", "bytes that are no UTF-8", "too long", "odd characters", "beyond the basic plane"],
)
def test_any_name_can_be_kept(world: World, name: str, stored: str) -> None:
    assert world.receipt(CONTENT, name=name, business_date=DAY).name == stored


def test_a_date_alone_is_enough_where_the_name_says_no_sequence(world: World) -> None:
    batch = world.receive(CONTENT, name="purchases.csv", business_date=DAY)
    assert (batch.business_date, batch.sequence) == (DAY, 1)


@pytest.mark.parametrize("sequence", [-1, 0, 2**31, 10**12])
def test_a_sequence_that_cannot_be_kept_is_refused_before_it_reaches_the_database(world: World, sequence: int) -> None:
    with pytest.raises(Refused) as refused:
        world.receipt(CONTENT, business_date=DAY, sequence=sequence)
    assert codes(refused.value.reasons) == ["slot_unknown"]
    assert world.kept(CONTENT)


def test_an_unknown_source_is_refused_before_anything_is_stored(world: World) -> None:
    with pytest.raises(Refused) as refused:
        receiving.receive(
            stream=io.BytesIO(CONTENT), name=NAME, source_code="nobody", directory=world.directory, caller=world.caller()
        )
    assert codes(refused.value.reasons) == ["not_found"]
    assert not world.directory.exists()


@pytest.mark.parametrize("role", ["finance", "support"])
def test_receiving_needs_the_right(world: World, role: str) -> None:
    with pytest.raises(Refused) as refused:
        world.receipt(CONTENT, user=getattr(world, role))
    assert codes(refused.value.reasons) == ["not_permitted"]
    assert not Receipt.objects.exists()
    assert not world.directory.exists()


def test_a_stream_that_breaks_leaves_nothing(world: World) -> None:
    class Broken(io.BytesIO):
        def read(self, *_arguments: object) -> bytes:
            if self.tell():
                raise OSError("the line went dead")
            return super().read(10)

    with pytest.raises(OSError, match="went dead"):
        filing.store(Broken(CONTENT), world.directory)
    assert [*world.directory.rglob("*")] == []


def test_stored_bytes_that_were_damaged_are_made_whole_by_the_same_file(world: World) -> None:
    batch = world.receive(CONTENT)
    path = filing.path_of(world.directory, bytes(batch.file.sha256))
    path.chmod(0o600)
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(Refused) as refused:
        world.validate(batch)
    assert codes(refused.value.reasons) == ["file_damaged"]
    path.unlink()
    with pytest.raises(Refused) as refused:
        world.validate(batch)
    assert codes(refused.value.reasons) == ["file_missing"]
    batch.refresh_from_db()
    assert (batch.state, [*batch.attempts.values_list("outcome", flat=True)]) == ("received", ["refused", "refused"])
    assert world.receipt(CONTENT).outcome == "duplicate"
    assert world.validate(batch).state == "validated"


@pytest.mark.parametrize("model", [File, Receipt])
def test_the_database_keeps_what_arrived(world: World, model: type[File] | type[Receipt]) -> None:
    world.receive(CONTENT)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        model.objects.update(id=99)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        model.objects.all()._raw_delete("default")


def test_two_live_batches_cannot_share_a_slot_or_bytes_in_the_schema(world: World) -> None:
    first = world.receive(CONTENT)
    conflicted = world.receive(card_file(sequence=2), name="till-2017-01-31-2.csv")
    for columns in ({"sequence": 1}, {"file_id": first.file_id}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Batch.objects.filter(pk=conflicted.pk).update(**columns)
