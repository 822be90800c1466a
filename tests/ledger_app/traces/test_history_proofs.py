"""With the application's own rights a row and a line of its history are changed together, and ``verify`` names it: the audit row is missing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from ingestion_app.models import SourceVersion
from ingestion_app.verification.proofs import making as making_proofs
from ledger_app.base import proofs
from ledger_app.models import AccessReview, Adjustment, AuditRow, Balance, Book, Entry, Posting, User
from ledger_app.models.entries import PLACES
from ledger_app.posting.proofs import posting as posting_proofs
from ledger_app.posting.rules import forms
from ledger_app.traces import operations as tracing
from ledger_app.traces.proofs import history as history_proofs
from tests.support import every_table, kept

pytestmark = [pytest.mark.django_db, pytest.mark.anywhere]

TOLD = {each.table: each for each in (*history_proofs.AUDITED, *making_proofs.TOLD)}
OF_NO_AUDIT_ROW = {
    # Held against groups and rights by an invariant of their own; Django's own command makes the first one.
    "ledger_app_historicaluser",
    "ledger_app_historicaluser_groups",
    "ledger_app_historicaluser_user_permissions",
}
DECISIONS = "ledger_app_adjustmentdecision"
REVIEWS = "ledger_app_accessreview"
LATER = "2017-03-09 10:00:00"


def everything(directory: Path) -> proofs.Scope:
    """Do everything once, and return the books, in which nothing is wrong."""
    every_table.build(directory.parent)
    tracing.link(at=datetime.now(tz=UTC) + timedelta(minutes=1), distance=timedelta(0))
    books = proofs.Scope(Book.objects.order_by("id"))
    assert [breach for invariant in proofs.invariants() for breach in invariant.breaches(books)] == []
    return books


sound = kept.fixture(everything)


def insert(table: str, row: dict[str, Any]) -> None:
    names, marks = ", ".join(map(connection.ops.quote_name, row)), ", ".join(["%s"] * len(row))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def told() -> list[str]:
    proofs_of_lines = (
        history_proofs.lines_have_audit_rows,
        history_proofs.histories_begin_once,
        making_proofs.lines_have_audit_rows,
    )
    return [each for proof in proofs_of_lines for each in proof(())]


def forged_line(table: str, **otherwise: Any) -> bool:
    """Write the last line of a history once more, without an audit row; tell whether it is named. All is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY history_id DESC LIMIT 1")
        row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        insert(table, row | {"history_id": row["history_id"] + 1_000, **otherwise})
        found = told()
        transaction.set_rollback(True)
    return any(table.replace("_historical", "_") in each for each in found)


def test_each_line_of_each_history_needs_the_audit_row_of_whoever_wrote_it(sound):
    histories = {model._meta.db_table for model in apps.get_models() if "_historical" in model._meta.db_table}
    assert histories == (TOLD.keys() - {DECISIONS, REVIEWS}) | OF_NO_AUDIT_ROW
    of_another_instant = {"history_date": LATER, "history_type": "~"}
    assert [table for table in sorted(histories - OF_NO_AUDIT_ROW) if not forged_line(table, **of_another_instant)] == []


def test_a_line_beside_one_that_was_told_is_named_too(sound):
    # Of a member every erasure of the instant may tell.
    left_out = {"ledger_app_historicalholder"}
    of_rows = {model._meta.db_table for model in apps.get_models() if "_historical" in model._meta.db_table}
    assert [table for table in sorted(of_rows - OF_NO_AUDIT_ROW - left_out) if not forged_line(table)] == []


def test_a_first_approval_needs_the_audit_row_of_whoever_gave_it(sound):
    of, who = Adjustment.objects.get(key="open").pk, User.objects.get(username="second").pk
    said = {"adjustment_id": of, "decision": "approved", "is_sole": 0, "decided_by_id": who, "decided_at": LATER}
    with transaction.atomic():
        insert(DECISIONS, {**said, "note": "", "version": 1, "digest": bytes(32)})
        found = told()
        transaction.set_rollback(True)
    assert len(found) == 1
    assert DECISIONS in found[0]


def test_each_audit_row_needs_what_it_tells_of(sound):
    tellers = {each.subject_type for each in (*making_proofs.TOLD, making_proofs.PRUNED)} | set(history_proofs.EACH_TELLS)
    there, missed = set(), []
    for kind, action in AuditRow.objects.filter(outcome="done").values_list("subject_type", "action").distinct().order_by():
        if kind not in tellers:
            continue
        there.add(kind)
        row = AuditRow.objects.filter(subject_type=kind, action=action, outcome="done").latest("id")
        with transaction.atomic():
            again(AuditRow, row, at=LATER)
            found = [*history_proofs.audit_rows_have_lines(()), *making_proofs.audit_rows_have_lines(())]
            transaction.set_rollback(True)
        if len(found) != 1:
            missed.append(f"{kind} {action}: {found}")
    assert missed == []
    assert there == tellers - {"account"}  # no account of this world changes its state


def again(model: type[Model], row: Any, **otherwise: Any) -> None:
    said = {
        str(field.column): field.get_db_prep_save(field.value_from_object(row), connection)
        for field in model._meta.concrete_fields
    }
    insert(model._meta.db_table, said | {"id": row.pk + 1_000, **otherwise})


def test_what_was_signed_off_is_not_written_again(sound):
    with transaction.atomic():
        again(AccessReview, AccessReview.objects.latest("id"))
        found = told()
        transaction.set_rollback(True)
    assert len(found) == 1
    assert REVIEWS in found[0]


def test_a_version_of_a_source_that_was_loaded_before_is_not_put_in_force_again_in_silence(sound):
    first = SourceVersion.objects.order_by("id")[0]
    columns = {
        str(field.column): field.value_from_object(first) for field in SourceVersion._meta.concrete_fields if field.column != "id"
    }
    with transaction.atomic():
        insert("ingestion_app_sourceversion", {**columns, "number": 99, "loaded_at": LATER})
        found = list(making_proofs.what_was_made_has_its_audit_row(()))
        transaction.set_rollback(True)
    assert len(found) == 1


def test_an_entry_that_reverses_another_needs_the_proposal_that_was_decided(sound):
    entry = Entry.objects.get(reference="by-program")
    number = Posting.objects.order_by("-id")[0].pk + 1
    lines = [(line.account, -line.amount) for line in entry.lines.order_by("id").select_related("account")]
    said: dict[str, Any] = {"effective_on": date(2017, 2, 27), "reference": "reversal:forged", "description": "Reversal"}
    digest = forms.digest(book="LOTS", reverses="by-program", lines=[(account.code, amount) for account, amount in lines], **said)
    with transaction.atomic():
        head = {"id": number, "origin_kind": "reversal", "origin_id": entry.pk, "posted_at": LATER, "reason": ""}
        insert("ledger_app_posting", {**head, "entry_count": 1, "line_count": 2, "posted_by_id": entry.posting.posted_by_id})
        key, of = number * PLACES, {"book_id": entry.book_id, "posting_id": number, "reverses_id": entry.pk}
        insert("ledger_app_entry", {"id": key, "digest": digest, **of, **said})
        for place, (account, amount) in enumerate(lines):
            balance = Balance.objects.get(account=account, stripe=0)
            balance.sequence, balance.amount = balance.sequence + 1, balance.amount + amount
            balance.save()
            after = {"sequence": balance.sequence, "amount": amount, "balance_after": balance.amount}
            on = {"effective_on": said["effective_on"]}
            insert("ledger_app_line", {"id": key + place, "stripe": 0, "account_id": account.pk, "entry_id": key, **after, **on})
        lots, uses, of_posting = posting_proofs.computed(Posting.objects.get(pk=number))
        insert("ledger_app_postingdigest", {"posting_id": number, "lot_count": lots, "use_count": uses, "digest": of_posting})
        found = list(posting_proofs.origins_are_there(sound))
        transaction.set_rollback(True)
    assert len(found) == 1
    assert f"reversal {entry.pk}" in found[0]
