"""The database itself keeps adjustments: what they say, who decides, and that what is approved is posted."""

import pytest
from django.db import DatabaseError, connection, transaction

from ledger_app.adjustments.proofs import adjustment as adjustment_proofs
from ledger_app.base import proofs
from ledger_app.models import AdjustmentDecision, Attachment, Posting
from tests.support import adjusting, kept


@kept.fixture
def desk(_folder):
    return adjusting.build()


def refused(sql, parameters=()):
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


CHANGES = {
    "amount": "amount + 1",
    "text": "'Another. '",
    "ticket": "''",
    "effective_on": "'2017-02-02'",
    "waives_floor": "1",
    "proposed_by_id": "proposed_by_id + 1",
    "expires_at": "'2030-01-01 00:00:00'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_what_a_proposal_says_never_changes(desk, column):
    desk.propose()
    refused(f"UPDATE ledger_app_adjustment SET {column} = {CHANGES[column]}")


def test_a_space_at_the_end_is_a_change_too(desk):
    desk.propose()
    refused("UPDATE ledger_app_adjustment SET text = 'The till was down. '")


def test_a_proposal_begins_proposed_does_not_go_and_ends_for_good(desk):
    row = desk.propose()
    refused("DELETE FROM ledger_app_adjustment")
    columns = [field.column for field in row._meta.concrete_fields if field.column != "id"]
    copied = ", ".join({"state": "'approved'", "key": "'another'"}.get(column, f"`{column}`") for column in columns)
    names = ", ".join(f"`{column}`" for column in columns)
    refused(f"INSERT INTO ledger_app_adjustment ({names}) SELECT {copied} FROM ledger_app_adjustment")
    desk.decide(row, "reject")
    refused("UPDATE ledger_app_adjustment SET state = 'proposed'")


def word(row, who, **changes):
    said = {
        "decision": "approved",
        "is_sole": True,
        "decided_by": who.user,
        "decided_at": who.at,
        "version": 1,
        "digest": bytes(32),
    }
    return AdjustmentDecision(adjustment=row, **{**said, **changes})


@pytest.mark.parametrize("how", ["by save", "in bulk"])
def test_the_proposer_is_never_among_the_deciders(desk, how):
    row = desk.propose()
    own = word(row, desk.proposer)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        AdjustmentDecision.objects.bulk_create([own]) if how == "in bulk" else own.save()


def test_nothing_is_approved_without_approval_and_entry(desk):
    row = desk.propose()
    approve = f"UPDATE ledger_app_adjustment SET state = 'approved', version = 2 WHERE id = {row.pk}"
    refused(approve)
    word(row, desk.decider).save()
    refused(approve)


def test_one_of_two_approvals_is_not_enough(desk):
    row = desk.propose(amount=2000)
    word(row, desk.decider, is_sole=False).save()
    Posting.objects.create(
        origin_kind="adjustment",
        origin_id=row.pk,
        posted_by=desk.decider.user,
        posted_at=desk.decider.at,
        entry_count=0,
        line_count=0,
    )
    refused(f"UPDATE ledger_app_adjustment SET state = 'approved', version = 2 WHERE id = {row.pk}")


def test_nothing_is_posted_for_an_adjustment_that_nobody_approved(desk):
    row = desk.propose()
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Posting.objects.create(
            origin_kind="adjustment",
            origin_id=row.pk,
            posted_by=desk.decider.user,
            posted_at=desk.decider.at,
            entry_count=0,
            line_count=0,
        )


def test_decisions_and_attachments_neither_change_nor_come_late(desk):
    row = desk.propose()
    file = {"adjustment": row, "media_type": "text/plain", "size": 1, "sha256": bytes(32)}
    Attachment.objects.create(name="a.txt", **file)
    desk.decide(row)
    refused("UPDATE ledger_app_adjustmentdecision SET note = 'x'")
    refused("DELETE FROM ledger_app_adjustmentdecision")
    refused("UPDATE ledger_app_attachment SET name = 'b.txt'")
    refused("DELETE FROM ledger_app_attachment")
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Attachment.objects.create(name="c.txt", **file)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        word(row, desk.second).save()


def test_verify_looks_for_these_triggers(desk):
    assert proofs.expected_triggers() & proofs.installed_triggers() >= adjustment_proofs.EXPECTED_TRIGGERS
