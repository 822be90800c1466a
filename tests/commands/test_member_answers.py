"""``correct_name``, ``member_data``, ``erase_member`` and ``prune`` from the command line, safe to run again."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django_tasks_db.models import DBTaskResult

from ledger_app.base.operations import filing
from ledger_app.models import Holder
from tests.commands.conftest import Run
from tests.support import erasing
from tests.support.erasing import FIRST, NAME, Office


@pytest.fixture
def office(db: None, files_dir: Path) -> Office:
    return erasing.build(files_dir / "attachments")


SUPPORT, FINANCE = ("--user", "support-1"), ("--user", "finance-1")


def test_a_member_is_answered_and_erased_by_commands(office: Office, run: Run, tmp_path: Path) -> None:
    member = office.member.pk
    for _ in range(2):
        ended = run("correct_name", member, "Hanako", "--shown", NAME, *SUPPORT, "--reason", "A slip.", "--json")
        assert (ended.status, ended.data) == (0, {"member": member, "name": "Hanako"})
    out = tmp_path / "out.json"
    ended = run("member_data", member, *SUPPORT, "--ticket", "P-1", "--output", out, "--json")
    assert (ended.status, ended.data["bytes"]) == (0, out.stat().st_size)
    said = json.loads(out.read_text(encoding="utf-8"))
    assert [row["name"] for row in said["names"]] == [FIRST, NAME, "Hanako"]
    printed = run("member_data", member, *SUPPORT, "--ticket", "P-1")
    assert json.loads(printed.out)["accounts"] == said["accounts"]
    assert run("member_data", member, *FINANCE, "--ticket", "P-1").status == 1
    given = ("propose", member, "--ticket", "P-7", *SUPPORT, "--reason", "Article 17.", "--json")
    first, again = run("erase_member", *given), run("erase_member", *given)
    number = first.data["erasure"]
    assert (first.status, again.data) == (0, {**first.data, "state": "proposed", "digest": None})
    assert run("erase_member", "decide", number, "approve", *SUPPORT).status == 1
    for _ in range(2):
        ended = run("erase_member", "decide", number, "approve", *FINANCE, "--json")
        assert (ended.status, ended.data["state"], len(ended.data["digest"])) == (0, "done", 64)
    assert Holder.objects.get(pk=member).name == ""
    printed = run("member_data", member, *SUPPORT, "--ticket", "P-9")
    assert json.loads(printed.out)["names"][-1]["erased_by"] == number
    assert NAME not in printed.out


@pytest.mark.django_db
def test_what_is_past_its_time_is_pruned_and_nothing_else(office: Office, run: Run) -> None:
    now = datetime.now(tz=UTC)
    for days in (-1, 1):
        store = SessionStore()
        store["kept"] = days
        store.create()
        Session.objects.filter(session_key=store.session_key).update(expire_date=now + timedelta(days=days))
    for days in (29, 31):
        row = AccessAttempt.objects.create(username=f"u-{days}", ip_address="10.0.0.1", failures_since_start=1)
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=now - timedelta(days=days))
    for days in (13, 15):
        task = {"args_kwargs": {"args": [], "kwargs": {}}, "task_path": "x.y", "backend_name": "default", "queue_name": "default"}
        DBTaskResult.objects.create(
            **task, status="SUCCESSFUL", finished_at=now - timedelta(days=days), exception_class_path="", traceback=""
        )
    office.erase()
    path = filing.path_of(office.directory, bytes(erasing.attached(office).sha256))
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(erasing.BYTES)  # as a kill before they were removed leaves them
    erasing.age(path)
    ended = run("prune", "--json")
    assert ended.status == 0
    assert {name: count for name, count in ended.data.items() if name != "uploads"} == {
        "sessions": 1,
        "tasks": 1,
        "tries": 1,
        "keys": 0,
        "erased": 1,
    }
    assert not path.exists()
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["u-29"]
    again = run("prune")
    assert again.out.splitlines()[-1] == "uploads: 0, kept for ever (KAKUTEI_UPLOAD_DAYS is 0)"


@pytest.mark.anywhere
def test_the_sources_that_come_with_the_program_name_no_member_by_name() -> None:
    """docs/privacy.md rests on it: received files are not touched by an erasure."""
    found = {}
    for path in sorted((Path(settings.BASE_DIR) / "ingestion_app" / "demo").glob("*.toml")):
        layout = tomllib.loads(path.read_text(encoding="utf-8")).get("layout")
        if layout is None:  # a profile of exports
            continue
        found[path.stem] = {
            column["name"] for part in layout.values() if isinstance(part, dict) for column in part.get("columns", ())
        }
    assert found == {
        "adjustments": {
            *("source", "business_date", "sequence", "member", "amount", "reason", "ticket", "effective_on", "text", "count"),
            *(found["adjustments"] & {"sum"}),
        },
        # What the bank writes about a payment may name people; it is in the file, and nothing is read of it.
        "bank-statement": {"paid_on", "paid_out", "paid_in", "member", "text", "balance"},
        # Its layout is ready made, and reads no text.
        "bank-report": set(),
        "transfers": {
            *("type", "date", "filler", "member", "payer", "paid_on", "value", "taken_back", "number", "note", "count", "sum"),
        },
        "card-usage": {
            *("source", "business_date", "sequence", "member", "store", "slip", "product", "amount", "purchased_at"),
            *("count", "sum"),
        },
        # What a customer writes beside an order may name people; it is in the file, and nothing is posted of it.
        "web-shop": {
            *("day", "member", "order_no", "total", "is_refund", "ordered_at", "note"),
            *("orders", "sold", "refunded", "order_hash"),
        },
    }
