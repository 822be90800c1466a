"""A second person approves exactly the plan that was shown; nobody decides what they proposed."""

from datetime import date

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, transaction

from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, Holder, Period, User
from tests.support.world import FIXED, World, card_file, codes, ledger, set_account, work

pytestmark = pytest.mark.django_db


def refusal(world: World, batch: Batch, user: User | None = None, digest: str | None = None) -> list[str]:
    """Try to approve; return why it was refused, having seen that nothing changed and that the attempt left its row."""
    before = work(batch.pk), ledger()
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, action="approve", outcome="refused")
    count = rows.count()
    with pytest.raises(Refused) as refused:
        world.approve(batch, user=user, digest=digest)
    assert (work(batch.pk), ledger()) == before
    assert rows.count() == count + 1
    row = rows.latest("id")
    found = codes(refused.value.reasons)
    assert (codes(row.reasons), row.actor, row.to_state) == (found, user or world.finance, "")
    return found


def test_a_second_person_approves_what_was_shown(world: World) -> None:
    before = ledger()
    batch = world.validated()
    approved = world.approve(batch)

    assert (approved.state, approved.approved_by, approved.version) == ("approved", world.finance, batch.version + 1)
    assert approved.approved_digest == approved.plan_digest == batch.plan_digest
    row = AuditRow.objects.get(subject_type="batch", subject_id=batch.pk, action="approve")
    assert (row.from_state, row.to_state, row.actor, row.outcome) == ("validated", "approved", world.finance, "done")
    assert row.facts["plan"] == batches.hexadecimal(batch.plan_digest)
    assert approved.history.latest().history_user == world.finance
    assert ledger() == before


@pytest.mark.parametrize("did", ["received", "validated", "both"])
def test_who_received_or_validated_may_not_approve_even_as_superuser(world: World, did: str) -> None:
    root = world.superuser
    batch = world.receive(user=root if did != "validated" else None)
    batch = world.validate(batch, user=root if did != "received" else None)
    assert refusal(world, batch, root) == ["own_proposal"] * (2 if did == "both" else 1)


def test_an_engineer_with_the_rights_of_finance_too_may_not_approve_their_own(world: World) -> None:
    world.engineer.groups.add(Group.objects.get(name="finance"))
    engineer = User.objects.get(pk=world.engineer.pk)
    batch = world.validate(world.receive(user=world.other_engineer), user=engineer)
    assert refusal(world, batch, engineer) == ["own_proposal"]
    assert world.approve(world.validate(batch, user=world.other_engineer), user=engineer).state == "approved"


@pytest.mark.parametrize("column", ["received_by", "planned_by"])
def test_the_database_too_refuses_an_approval_by_who_proposed(world: World, column: str) -> None:
    batch = world.approved()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(**{column: world.finance})
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(approved_by=world.engineer)


@pytest.mark.parametrize(
    "columns",
    [
        {"approved_by": None},
        {"planned_by": None},
        {"approved_digest": None},
        {"approved_digest": bytes(32)},
        {"plan_digest": bytes(32)},
    ],
    ids=["by nobody", "planned by nobody", "no digest", "another digest", "another plan"],
)
def test_the_database_keeps_an_approval_whole(world: World, columns: dict[str, object]) -> None:
    batch = world.approved()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(**columns)


def test_a_batch_is_not_approved_by_setting_its_state(world: World) -> None:
    batch = world.validated()
    for state in ("approved", "applying", "applied", "frozen"):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(state=state)


@pytest.mark.parametrize("digest", ["", "0" * 64, "not hexadecimal", "g" * 64])
def test_an_approval_of_another_plan_is_refused(world: World, digest: str) -> None:
    assert refusal(world, world.validated(), digest=digest) == ["plan_not_shown"]


def test_an_approval_of_the_plan_before_is_refused(world: World) -> None:
    batch = world.validated()
    shown = batches.hexadecimal(batch.plan_digest)
    world.load(chunk_records=100)
    assert refusal(world, world.validate(batch), digest=shown) == ["plan_not_shown"]


def test_an_approval_is_refused_when_a_period_was_made_provisional(world: World) -> None:
    batch = world.validated()
    Period.objects.filter(book=world.points, name="2017-01").update(state="provisional")
    assert refusal(world, batch) == ["plan_moved"]


def test_an_approval_is_not_troubled_by_a_period_that_it_has_no_part_in(world: World) -> None:
    batch = world.validated()
    Period.objects.filter(name="2017-02").update(state="provisional")
    assert world.approve(batch).state == "approved"


@pytest.mark.parametrize("account", ["receivable.1001", "points.1006", "programme.expense"])
def test_an_approval_is_refused_when_an_account_was_closed(world: World, account: str) -> None:
    batch = world.validated()
    set_account(account, "suspended")
    assert refusal(world, batch) == ["plan_moved"]


def test_an_approval_is_not_troubled_by_an_account_that_it_has_no_part_in(world: World) -> None:
    world.register("2001")
    batch = world.validated(card_file([FIXED]))
    for account in ("receivable.1002", "points.2001", "settlement.32"):
        set_account(account, "suspended")
    assert world.approve(batch).state == "approved"


def test_an_approval_is_refused_when_a_member_was_merged_and_the_source_has_that_stop(world: World) -> None:
    world.load(merged="stop")
    batch = world.validated()
    stays, gone = Holder.objects.order_by("id")[:2]
    Holder.objects.filter(pk=gone.pk).update(merged_into=stays)
    assert refusal(world, batch) == ["plan_moved"]


@pytest.mark.parametrize("role", ["engineer", "support", "system"])
def test_approving_needs_the_right(world: World, role: str) -> None:
    batch = world.validate(world.receive(user=world.other_engineer), user=world.other_engineer)
    assert refusal(world, batch, getattr(world, role)) == ["not_permitted"]


def test_every_reason_is_told_at_once(world: World) -> None:
    batch = world.validated()
    set_account("receivable.1001", "suspended")
    assert refusal(world, batch, world.engineer, digest="0") == [
        "not_permitted",
        "own_proposal",
        "own_proposal",
        "plan_not_shown",
        "plan_moved",
    ]


@pytest.mark.parametrize("state", ["received", "approved", "applied"])
def test_approving_needs_a_validated_batch(world: World, state: str) -> None:
    batch = world.receive() if state == "received" else getattr(world, state)()
    assert refusal(world, batch) == ["wrong_state"]


def test_a_version_that_has_passed_is_stale(world: World) -> None:
    batch = world.validated()
    with pytest.raises(Refused, match="version 1, now 2") as refused:
        deciding.approve(
            batch_id=batch.pk, digest_shown=batches.hexadecimal(batch.plan_digest), caller=world.caller(world.finance), version=1
        )
    assert codes(refused.value.reasons) == ["stale"]


def test_a_note_of_any_length_up_to_the_bound_is_kept(world: World) -> None:
    batch = world.validated()
    shown = batches.hexadecimal(batch.plan_digest)
    caller = world.caller(world.finance)
    with pytest.raises(Refused) as refused:
        deciding.approve(batch_id=batch.pk, digest_shown=shown, caller=caller, note="長" * 501)
    assert codes(refused.value.reasons) == ["reason_too_long"]
    deciding.approve(batch_id=batch.pk, digest_shown=shown, caller=caller, note="長" * 500)
    assert AuditRow.objects.get(subject_id=batch.pk, action="approve", outcome="done").reason == "長" * 500


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_a_withdrawal_needs_a_reason(world: World, reason: str) -> None:
    batch = world.receive()
    with pytest.raises(Refused) as refused:
        world.withdraw(batch, reason)
    assert codes(refused.value.reasons) == ["reason_required"]
    batch.refresh_from_db()
    assert batch.state == "received"


@pytest.mark.parametrize("state", ["received", "validated", "approved"])
def test_a_withdrawn_batch_keeps_what_it_was_and_frees_its_place(world: World, state: str) -> None:
    batch = world.receive() if state == "received" else getattr(world, state)()
    before = work(batch.pk)["records"]
    ended = world.withdraw(batch)
    assert (ended.state, ended.holds_slot, ended.holds_file) == ("withdrawn", None, None)
    assert work(batch.pk)["records"] == before
    row = AuditRow.objects.get(subject_id=batch.pk, action="withdraw")
    assert (row.from_state, row.to_state, row.reason) == (state, "withdrawn", "Sent by mistake.")


def test_what_is_applied_in_part_is_not_withdrawn(world: World) -> None:
    batch = world.begin(world.approved())
    set_account("receivable.1001", "suspended")
    assert (world.apply(batch).applied, Batch.objects.get(pk=batch.pk).state) != (0, "applied")
    with pytest.raises(Refused) as refused:
        world.withdraw(batch)
    assert codes(refused.value.reasons) == ["something_applied"]


def test_what_has_begun_and_of_which_nothing_is_applied_is_withdrawn(world: World) -> None:
    batch = world.begin(world.approved())
    assert world.withdraw(batch).state == "withdrawn"
    assert world.apply(world.approved()).batch.state == "applied"


def test_a_batch_is_frozen_by_finance_once_and_for_ever(world: World) -> None:
    batch = world.applied()
    with pytest.raises(Refused) as refused:
        deciding.freeze(batch_id=batch.pk, caller=world.caller(world.engineer))
    assert codes(refused.value.reasons) == ["not_permitted"]
    assert world.freeze(batch).state == "frozen"
    with pytest.raises(Refused) as refused:
        world.freeze(batch)
    assert codes(refused.value.reasons) == ["wrong_state"]
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(state="applied")
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Chunk.objects.filter(batch=batch).update(record_count=1)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Chunk.objects.filter(batch=batch)._raw_delete("default")


def test_a_batch_whose_recount_differs_is_not_frozen(world: World) -> None:
    batch = world.applied()
    Batch.objects.filter(pk=batch.pk).update(totals={**batch.totals, "CARD": [7, 14, 14645]})
    with pytest.raises(Refused) as refused:
        world.freeze(batch)
    assert codes(refused.value.reasons) == ["plan_damaged", "recount_differs"]


def test_what_a_plan_rests_on_is_asked_of_its_own_span_of_dates(world: World) -> None:
    batch = world.validated(card_file([FIXED._replace(bought_at="2017-02-01T00:00:00Z")]))
    assert (batch.first_on, batch.last_on) == (date(2017, 2, 1), date(2017, 2, 1))
    Period.objects.filter(name="2017-01").update(state="provisional")
    assert world.approve(batch).state == "approved"
