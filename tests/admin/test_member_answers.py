"""What a member asks for is done on pages: a name is corrected, all that is kept is handed out, and an erasure is asked for and decided by another."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger_app.models import AuditRow, Erasure, Holder, User
from tests.admin.conftest import ClientOf, page_of, step_of
from tests.support import erasing
from tests.support.erasing import FIRST, NAME, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(files_dir: Path) -> Office:
    return erasing.build(files_dir / "attachments")


def asks(name: str, member: Holder) -> str:
    return reverse(f"admin:ledger_app_holder_{name}", args=[member.pk])


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_name_is_corrected_from_the_page_that_showed_it(office: Office, client_of: ClientOf) -> None:
    support = client_of(office.desk.proposer.user)
    assert f'value="{NAME}"' in text(support, asks("correct", office.member))
    given = {"name": "山田華子", "shown": NAME, "reason": "As she writes it."}
    assert support.post(asks("correct", office.member), {**given, "shown": FIRST}).status_code == 409
    assert support.post(asks("correct", office.member), given).status_code == 302
    assert "山田華子" in text(support, page_of(office.member))
    finance = client_of(office.desk.decider.user)
    assert finance.post(asks("correct", office.member), {**given, "shown": "山田華子", "name": "X"}).status_code == 403
    assert "Support" in text(finance, asks("correct", office.member))


def test_all_that_is_kept_is_handed_out_once_under_a_ticket_and_that_is_kept(office: Office, client_of: ClientOf) -> None:
    support = client_of(office.desk.proposer.user)
    answer: Any = support.post(asks("disclose", office.member), {"ticket": "P-3"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Content-Disposition"] == f'attachment; filename="member-{office.member.pk}.json"'
    assert "no-store" in answer["Cache-Control"]
    said = json.loads(b"".join(answer.streaming_content))
    assert [row["name"] for row in said["names"]] == [FIRST, NAME]
    assert {row["kind"] for row in said["identifiers"]} == {"member_number", "card_token"}
    assert [(row["account"], row["amount"]) for row in said["entries"]] == [("points.M1", -200)]
    assert said["adjustments"][0]["attachments"][0]["name"] == "yamada.txt"
    assert said["accounts"][0]["amount"] == -200
    assert [row["action"] for row in said["done_with_the_member"]][-1] == "disclose"
    row = AuditRow.objects.filter(subject_type="member", action="disclose").get()
    assert (row.facts, row.actor) == ({"ticket": "P-3"}, office.desk.proposer.user)
    assert support.post(asks("disclose", office.member), {"ticket": ""}).status_code == 200
    assert client_of(office.desk.decider.user).post(asks("disclose", office.member), {"ticket": "P-3"}).status_code == 403


def test_an_erasure_is_asked_for_shown_and_decided_by_another(office: Office, client_of: ClientOf) -> None:
    support, finance = client_of(office.desk.proposer.user), client_of(office.desk.decider.user)
    file = erasing.attached(office)
    download = reverse("admin:ledger_app_adjustment_attachment", args=[office.adjustment.pk, file.pk])
    sent: Any = finance.get(download)
    assert b"".join(sent.streaming_content) == erasing.BYTES
    asked = support.post(asks("erase", office.member), {"ticket": "P-7", "reason": "Article 17."})
    row = Erasure.objects.get()
    assert (asked.status_code, asked["Location"]) == (302, page_of(row))
    assert "asked for this erasure" in text(support, page_of(row))
    shown = text(finance, page_of(row))
    assert "P-7" in shown
    assert "Only where it stands whole" in shown
    assert f"⌫ {row.pk}" in text(finance, reverse("admin:ledger_app_erasure_changelist"))
    assert "Approve and erase" in text(finance, step_of(row, "approve"))
    assert support.post(step_of(row, "approve"), {"version": 1}).status_code == 403
    assert finance.post(step_of(row, "approve"), {"version": 1}).status_code == 302
    row.refresh_from_db()
    assert row.state == "done"
    shown = text(support, page_of(office.member))
    assert "erased by request" in shown
    assert NAME not in shown
    adjustment = text(finance, page_of(office.adjustment))
    assert "erased by request" in adjustment
    assert bytes(file.sha256).hex()[:8] in adjustment
    assert "yamada" not in adjustment
    assert finance.get(download).status_code == 404
    history = text(finance, reverse("admin:ledger_app_holder_history", args=[office.member.pk]))
    assert NAME not in history
    assert support.post(asks("erase", office.member), {"ticket": "P-8", "reason": "Again."}).status_code == 409
    auditor = User.objects.create(username="auditor-5", is_staff=True)
    assert client_of(auditor).get(page_of(row)).status_code == 403
