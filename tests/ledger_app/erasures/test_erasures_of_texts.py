"""What audit rows, kept answers and proposals say of a member: found by one rule, for the erasure, ``verify`` and what is handed out."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.base.operations import audit, transactions
from ledger_app.books.operations import accounts
from ledger_app.erasures import queries as asked
from ledger_app.erasures.operations import erasures, names
from ledger_app.members.operations import merges
from ledger_app.members.queries import member_subjects
from ledger_app.members.queries import merges as merge_rows
from ledger_app.models import AuditRow, IdempotencyKey, Trace
from ledger_app.reports import member_data
from ledger_app.reversals import operations as reversals
from ledger_app.traces.rules import erased
from tests.support import erasing
from tests.support.erasing import FIRST, NAME, OTHER, Office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(files_dir: Path) -> Office:
    """Return the office, with its folder of attachments."""
    return erasing.build(files_dir / "attachments")


def about(kind: str) -> list[str]:
    """Return the reasons that audit rows of a kind of subject give."""
    return list(AuditRow.objects.filter(subject_type=kind).exclude(reason="").order_by("id").values_list("reason", flat=True))


def test_texts_about_accounts_entries_and_reversals_go_and_what_stays_is_named(office: Office) -> None:
    """Of an account that was suspended, a proposal that was refused, an entry whose reversal was refused, and one whose reversal was rejected."""
    desk, account = office.desk, office.adjustment.account
    for name in ("suspend", "reopen"):
        accounts.change(account_id=account.pk, name=name, reason=f"{NAME} rang.", caller=desk.administrator)
    with pytest.raises(errors.Refused):
        desk.propose(account="points.M1", amount=0, text=f"{NAME} complains.")
    entry = account.lines.get().entry
    with pytest.raises(errors.Refused):
        reversals.propose(entry_id=entry.pk, reason=f"{NAME} asks.", caller=desk.proposer, ticket="?" * 60)
    proposed = reversals.propose(entry_id=entry.pk, reason=f"{NAME} asks.", caller=desk.proposer)
    reversals.reject(reversal_id=proposed.pk, reason=f"{NAME} is wrong.", caller=desk.decider)
    # Of another member nothing is found, or handed out.
    other = office.attach("other.txt", b"x", code="points.M2")
    rows = list(member_subjects.audit_rows([office.member.pk]))
    assert other.pk not in {row.subject_id for row in rows if row.subject_type == "adjustment"}
    assert {row.subject_type for row in rows} == {"member", "account", "adjustment", "entry", "reversal"}
    assert [row.pk for row in rows] == sorted({row.pk for row in rows})
    said = "\n".join(member_data.lines(office.member.pk, at=desk.decider.at))
    assert all(each in said for each in (f"{NAME} rang.", f"{NAME} complains.", f"{NAME} is wrong."))
    assert asked.keeping(asked.plan(office.member.pk)) == [str(proposed)]

    office.erase()

    assert about("account") == ["[erased] rang.", "[erased] rang.", "[erased] complains."]
    assert "[erased] asks." in about("entry")
    assert about("reversal")[-1] == "[erased] is wrong."
    assert not any(NAME in str((row.reason, row.subject, row.reasons, row.facts)) for row in AuditRow.objects.all())
    erasing.link()
    assert erasing.breaches() == []


def test_a_text_that_names_two_members_loses_both_names(office: Office) -> None:
    wanted = merge_rows.proposal(holder_id=office.member.pk, survivor_id=office.other.pk, reason="One person.")
    merge = merges.propose(wanted, caller=office.desk.proposer)
    merges.end(merge_id=merge.pk, name="reject", reason=f"{NAME} is not {OTHER}.", caller=office.desk.decider)
    office.erase()
    assert about("merge")[-1] == f"[erased] is not {OTHER}."
    row = office.ask(holder_id=office.other.pk)
    erasures.approve(erasure_id=row.pk, caller=office.desk.decider, directory=office.directory, note="", version=row.version)
    assert about("merge")[-1] == "[erased] is not [erased]."
    erasing.link()
    assert erasing.breaches() == []


def test_a_text_that_gets_too_long_for_its_column_is_cut(office: Office) -> None:
    """The mark is longer than a name of one character; who is called as the mark is reads it once."""
    given: dict[str, Any] = {"holder_id": office.member.pk, "caller": office.desk.proposer}
    names.correct(**given, name="花", shown=NAME, reason="花" * 500)
    names.correct(**given, name="erased", shown="花", reason="She is erased.")
    office.erase()
    rows = AuditRow.objects.filter(subject_type="member", action="correct_name").order_by("id").values_list("reason", flat=True)
    assert list(rows)[1:] == [("[erased]" * 63)[:500], "She is [erased]."]
    erasing.link()
    assert erasing.breaches() == []
    assert erased.without({"erased"}, "[erased] was erased.") == "[erased] was [erased]."


def test_answers_that_are_kept_under_keys_do_not_say_the_name(office: Office) -> None:
    """As each renderer writes them, and in whatever else was answered; what a program reads the values by stays."""
    said = {"text": f"{NAME} rang.", "attachments": [{"name": "Yamada.txt"}]}
    kept = {
        "plain": (
            json.dumps(said, ensure_ascii=False),
            {**said, "text": "[erased] rang.", "attachments": [{"name": "[erased]"}]},
        ),
        "escaped": (json.dumps({"text": f"{FIRST.upper()}, {NAME}"}), {"text": "[erased], [erased]"}),
        "of others": (json.dumps({"text": OTHER}), {"text": OTHER}),
    }
    given: dict[str, Any] = {"path": "/", "digest": b"1" * 32, "fields": {}, "status": 200, "at": office.desk.proposer.at}
    for key, (body, _after) in kept.items():
        IdempotencyKey.objects.create(user=office.desk.proposer.user, key=key, body=body, **given)
    given["status"] = 204
    IdempotencyKey.objects.create(user=office.desk.proposer.user, key="none", body=f"{NAME}\n", **given)
    office.erase()
    for key, (body, after) in kept.items():
        row = IdempotencyKey.objects.get(key=key)
        assert json.loads(row.body) == after
        assert (row.body == body) == (key == "of others")
    assert erased.without({"text"}, {"text": ["Text"]}, keeps_keys=True) == {"text": ["[erased]"]}
    assert IdempotencyKey.objects.get(key="none").body == "[erased]\n"
    assert erasing.breaches() == []


def test_no_trace_says_the_name_of_a_row_that_says_it_in_several_columns(office: Office) -> None:
    """Each column is a change of its own, and is traced: what was traced between two of them says the name as well."""
    subject = audit.Subject("member", office.member.pk, NAME)
    said = {"action": "disclose", "reason": f"{NAME} rang.", "facts": {"said": NAME}}
    transactions.run(lambda: audit.record(subject=subject, caller=office.desk.proposer, **said))  # type: ignore[arg-type]
    row = office.erase()
    about = AuditRow.objects.get(subject_type="member", action="disclose")
    assert (about.subject, about.reason, about.facts) == ("[erased]", "[erased] rang.", {"said": "[erased]"})
    texts = list(Trace.objects.filter(table_name=erased.AUDIT, row_id=about.pk).values_list("content", flat=True))
    assert len(texts) == 4
    assert not any(NAME in text or ascii(NAME)[1:-1] in text for text in texts)
    assert row.parts.filter(table_name=erased.TRACES, row_id__in=Trace.objects.filter(row_id=about.pk).values("id")).count() == 3
    erasing.link()
    assert erasing.breaches() == []
