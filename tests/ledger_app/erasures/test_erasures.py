"""What tells who a member is goes when two people have decided so, from wherever it is kept; and what goes without that is named."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models

from ledger_app import errors
from ledger_app.base.operations import filing
from ledger_app.erasures.operations import erasures, names
from ledger_app.models import AuditRow, ErasedPart, Erasure, Holder, Link, Trace, User
from ledger_app.traces.rules import erased
from tests.support import erasing
from tests.support.adjusting import person
from tests.support.altering import unguarded
from tests.support.erasing import FIRST, NAME, OTHER, Office

pytestmark = pytest.mark.django_db(transaction=True)
SAYINGS = (FIRST, NAME, FIRST.lower(), "yamada", ascii(NAME)[1:-1])


@pytest.fixture
def office(files_dir: Path) -> Office:
    """Return the office, with its folder of attachments."""
    return erasing.build(files_dir / "attachments")


def codes(call):
    with pytest.raises(errors.Refused) as refusal:
        call()
    return [reason.code for reason in refusal.value.reasons]


def texts() -> Iterator[tuple[str, str]]:
    """Yield (table, what a row says), of every table of the database that the project has, every column as a text."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed:
            continue
        fields = [f for f in model._meta.concrete_fields if isinstance(f, models.CharField | models.TextField | models.JSONField)]
        for field in fields:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {connection.ops.quote_name(str(field.column))} FROM {connection.ops.quote_name(model._meta.db_table)}"
                )
                yield from ((model._meta.db_table, str(value)) for (value,) in cursor.fetchall())


def test_nothing_says_the_name_any_more_and_verify_is_green(office):
    """The name is looked for in every column of every table, and in the folder of files; before, it was in five of them."""
    said = {table for table, text in texts() if any(each in text for each in SAYINGS)}
    assert said == {
        "ledger_app_holder",
        "ledger_app_historicalholder",
        "ledger_app_auditrow",
        "ledger_app_attachment",
        "ledger_app_trace",
    }
    file = erasing.attached(office)
    path = filing.path_of(office.directory, bytes(file.sha256))
    assert path.read_bytes() == erasing.BYTES
    lines = list(office.adjustment.account.lines.values_list("id", "amount", "balance_after"))
    assert erasing.breaches() == []

    row = office.erase()

    assert {table for table, text in texts() if any(each in text for each in SAYINGS)} == set()
    assert not path.exists()
    again = erasing.attached(office)
    assert (again.name, bytes(again.sha256), again.size) == (f"[erased] {file.pk}", bytes(file.sha256), file.size)
    assert list(office.adjustment.account.lines.values_list("id", "amount", "balance_after")) == lines
    assert Holder.objects.get(pk=office.other.pk).name == OTHER
    told = AuditRow.objects.get(subject_type="erasure", subject_id=row.pk, action="approve")
    assert told.facts == {
        "member": office.member.pk,
        "ticket": "P-7",
        "digest": bytes(row.digest).hex(),
        "names": 2,
        "attachments": 1,
        "audit_texts": 2,
    }
    reasons = AuditRow.objects.filter(subject_type="member", subject_id=office.member.pk).order_by("id")
    assert list(reasons.values_list("reason", flat=True)) == ["A slip: she is [erased], not [erased].", "[erased] rang."]
    assert erasing.breaches() == []
    erasing.link()
    assert erasing.breaches() == []
    # What was erased is not written again, and the member's identifiers still lead to the accounts.
    given = {"holder_id": office.member.pk, "name": "X", "shown": "", "reason": "r", "caller": office.desk.proposer}
    assert codes(lambda: names.correct(**given)) == ["member_erased"]
    assert codes(office.ask) == ["nothing_to_erase"]
    assert office.member.identifiers.filter(kind="card_token", value="tok-1").exists()
    # Another file comes for the member: it can be asked for once more, over the same links.
    office.attach("hanako.txt", b"another\n")
    erasing.link()
    second = office.erase()
    assert second.digests.filter(table_name=erased.LINKS).exists()
    assert erasing.breaches() == []


def test_who_may_ask_and_who_may_decide(office):
    desk = office.desk
    assert codes(lambda: office.ask(caller=desk.decider)) == ["not_permitted"]
    assert codes(lambda: office.ask(reason=" ", ticket="")) == ["reason_required", "ticket_required"]
    assert codes(lambda: office.ask(reason=f"{NAME} asks.")) == ["text_names_member"]
    row = office.ask()
    assert office.ask().pk == row.pk
    assert codes(lambda: office.ask(ticket="P-8")) == ["erasure_waits"]
    given = {"erasure_id": row.pk, "directory": office.directory, "version": 1}
    both = User.objects.get(username=desk.proposer.user.username)
    both.is_superuser = True
    both.save()
    superuser = type(desk.proposer)(user=both, at=desk.proposer.at, door="command")
    assert codes(lambda: erasures.approve(**given, caller=superuser)) == ["own_erasure"]
    assert codes(lambda: erasures.approve(**given, caller=person("auditor-9", "auditor"))) == ["not_permitted"]
    assert codes(lambda: erasures.approve(**{**given, "version": 2}, caller=desk.decider)) == ["stale"]
    assert codes(lambda: erasures.approve(**given, caller=desk.decider, note=f"{NAME} it was.")) == ["text_names_member"]
    waiting = desk.propose(account="points.M1")
    assert codes(lambda: erasures.approve(**given, caller=desk.decider)) == ["member_is_waited_for"]
    desk.decide(waiting, "reject")
    assert codes(lambda: erasures.end(erasure_id=row.pk, name="reject", reason="", caller=desk.decider)) == ["reason_required"]
    assert erasures.end(erasure_id=row.pk, name="withdraw", reason="", caller=desk.proposer).state == "withdrawn"
    assert codes(lambda: erasures.approve(**{**given, "version": None}, caller=desk.decider)) == ["wrong_state"]
    assert Holder.objects.get(pk=office.member.pk).name == NAME
    assert not ErasedPart.objects.exists()
    again = office.ask(ticket="P-9")
    assert erasures.end(erasure_id=again.pk, name="reject", reason="Not her.", caller=desk.decider).state == "rejected"
    assert erasing.breaches() == []


def test_a_name_is_corrected_from_what_was_shown(office):
    given = {"holder_id": office.other.pk, "reason": "As she writes it.", "caller": office.desk.proposer}
    assert codes(lambda: names.correct(**given, name="Suzuki", shown="Sato")) == ["name_moved"]
    assert codes(lambda: names.correct(**given, name=OTHER, shown=OTHER)) == ["name_unchanged"]
    assert codes(lambda: names.correct(**given, name="Su\u200bzuki", shown=OTHER)) == ["name_unfit"]
    refused = {**given, "caller": office.desk.decider}
    assert codes(lambda: names.correct(**refused, name="Suzuki", shown=OTHER)) == ["not_permitted"]
    assert names.correct(**given, name="Suzuki", shown=OTHER).name == "Suzuki"
    assert list(Holder.history.filter(id=office.other.pk).order_by("history_id").values_list("name", flat=True)) == [
        OTHER,
        "Suzuki",
    ]
    row = AuditRow.objects.get(subject_type="member", subject_id=office.other.pk, outcome="done", action="correct_name")
    assert (row.reason, row.facts) == ("As she writes it.", {})
    assert erasing.breaches() == []


def erase_by_hand() -> list[str]:
    """Return statements that take the name away without a decision, each past the triggers of its table."""
    return [
        "UPDATE ledger_app_holder SET name = '' WHERE id = {member}",
        "UPDATE ledger_app_historicalholder SET name = '' WHERE id = {member}",
        "UPDATE ledger_app_trace SET content = REPLACE(content, '{name}', '') WHERE table_name = 'ledger_app_historicalholder'",
        "UPDATE ledger_app_attachment SET name = 'x'",
        "UPDATE ledger_app_auditrow SET reason = '' WHERE subject_type = 'member'",
        "UPDATE ledger_app_auditrow SET facts = '{{}}' WHERE subject_type = 'member'",
    ]


def test_whoever_erases_without_a_decision_is_refused_by_the_database_and_named_where_it_was_got_round(office):
    given = {"member": office.member.pk, "name": NAME}
    for statement in erase_by_hand():
        table = statement.split()[1]
        if table != "ledger_app_holder":
            with pytest.raises(Exception, match=f"kakutei: {table} refuses this UPDATE"), connection.cursor() as cursor:
                cursor.execute(statement.format(**given))
        with unguarded(table=table), connection.cursor() as cursor:
            column = statement.split()[3]
            key = {"ledger_app_historicalholder": "history_id"}.get(table, "id")
            cursor.execute(f"SELECT {key}, {column} FROM {table}")
            before = cursor.fetchall()
            cursor.execute(statement.format(**given))
            found = erasing.breaches()
            for row_id, value in before:
                cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", [value, row_id])
            assert found, statement
    assert erasing.breaches() == []
    # All of it at once, as an erasure would, and the chain still tells.
    with unguarded(table="ledger_app_historicalholder"), unguarded(table="ledger_app_trace"), connection.cursor() as cursor:
        for statement in erase_by_hand()[:3]:
            cursor.execute(statement.format(**given))
    assert any("Link 1 of the chain does not recompute" in each for each in erasing.breaches())


def test_parts_of_no_decided_erasure_are_refused_or_named(office):
    row = office.ask()
    history = Holder.history.filter(id=office.other.pk).get().history_id
    given = {"table_name": erased.NAMES, "row_id": history, "column_name": "name", "says": ""}
    # Written beside a proposal that nobody approved: it erases, and is named.
    ErasedPart.objects.create(erasure=row, **given)
    assert any("which nobody approved" in each for each in erasing.breaches())
    with (
        pytest.raises(Exception, match="kakutei: ledger_app_historicalholder refuses this UPDATE"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE ledger_app_historicalholder SET name = 'x' WHERE history_id = %s", [history])
    erasures.end(erasure_id=row.pk, name="withdraw", reason="", caller=office.desk.proposer)
    with pytest.raises(Exception, match="kakutei"):
        ErasedPart.objects.create(erasure=row, **given)
    with pytest.raises(Exception, match="kakutei"):
        Erasure.objects.filter(pk=row.pk).update(reason="another")


def test_an_erasure_hides_no_other_change(office):
    """A trace that somebody altered in a link that the erasure would recompute stops it."""
    row = office.ask()
    link = Link.objects.get(number=1)
    last = link.spans[-1][-1]
    alter, before = "UPDATE ledger_app_trace SET content = %s WHERE id = %s", Trace.objects.get(pk=last).content
    approve = {"erasure_id": row.pk, "caller": office.desk.decider, "directory": office.directory, "version": 1}
    with unguarded(table="ledger_app_trace"), connection.cursor() as cursor:
        cursor.execute(alter, ["1", last])
    assert codes(lambda: erasures.approve(**approve)) == ["erasure_would_hide"]
    with unguarded(table="ledger_app_trace"), connection.cursor() as cursor:
        cursor.execute(alter, [before, last])
    assert Holder.objects.get(pk=office.member.pk).name == NAME


def test_what_was_decided_is_held_by_its_digest(office):
    """After an erasure, another part, another digest or a name put back is a breach."""
    row = office.erase()
    erasing.link()
    for table, column, value in (
        ("ledger_app_erasedpart", "says", "x"),
        ("ledger_app_eraseddigest", "digest", b"\x01" * 32),
        ("ledger_app_erasure", "holder_id", office.other.pk),
        ("ledger_app_holder", "name", NAME),
    ):
        with unguarded(table=table), connection.cursor() as cursor:
            cursor.execute(f"SELECT id, {column} FROM {table} ORDER BY id")
            key, before = cursor.fetchone()
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, key])
            assert erasing.breaches(), table
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [before, key])
    assert erasing.breaches() == []
    # Bytes that came back, as from a backup, are named, and go again.
    sha256 = bytes(erasing.attached(office).sha256)
    assert filing.store(io.BytesIO(erasing.BYTES), office.directory)[0] == sha256
    erasing.age(filing.path_of(office.directory, sha256))
    (said,) = erasing.breaches()
    assert "was erased, and its bytes are there" in said
    assert erasures.remove_bytes(directory=office.directory, before=datetime.now(tz=UTC)) == 1
    assert erasing.breaches() == []
    assert row.state == "done"


def test_bytes_that_another_member_has_too_stay(office):
    office.attach("same.txt", code="points.M2")
    office.erase()
    assert filing.path_of(office.directory, bytes(erasing.attached(office).sha256)).exists()
    assert erasing.breaches() == []


def test_a_member_who_was_merged_is_erased_with_the_one_who_remains(office):
    desk = office.desk
    office.merge(office.member.pk, office.other.pk)
    assert codes(office.ask) == ["member_merged"]
    row = office.ask(holder_id=office.other.pk)
    erasures.approve(erasure_id=row.pk, caller=desk.decider, directory=office.directory, version=1)
    assert set(Holder.objects.filter(id__in=[office.member.pk, office.other.pk]).values_list("name", flat=True)) == {""}
    assert not any(each in text for _table, text in texts() for each in (*SAYINGS, OTHER))
    assert erasing.breaches() == []


def test_every_trace_of_what_was_erased_says_what_is_left(office):
    row = office.erase()
    traces = [part.row_id for part in row.parts.filter(table_name=erased.TRACES)]
    assert len(traces) == 5
    assert not Trace.objects.filter(id__in=traces, content__contains="amada").exists()
