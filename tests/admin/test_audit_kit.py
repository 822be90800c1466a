"""The audit kit from the page of a frozen period: for finance and auditors, and kept in the audit."""

import io
import zipfile

import pytest
from django.urls import reverse
from django.utils import translation

from ledger_app.models import AuditRow, Period
from ledger_app.reports import audit_kits
from tests.admin.conftest import ROLES, ClientOf, RoleOf, bring_to, page_of
from tests.support.world import World


@pytest.fixture
def january(world: World) -> Period:
    """January of the book CARD, frozen."""
    bring_to(world, "frozen")
    world.freeze_period(world.opened[0])
    return Period.objects.get(book=world.card, name="2017-01")


def address(period: Period) -> str:
    return reverse("admin:ledger_app_period_kit", args=[period.pk])


@pytest.mark.parametrize("role", ROLES)
def test_who_may_takes_it_and_others_are_told_who_may(january: Period, client_of: ClientOf, somebody: RoleOf, role: str) -> None:
    user = somebody(role)
    client = client_of(user)
    shown = client.get(page_of(january)).content.decode()
    asked = client.get(address(january)).content.decode()
    may = role in {"finance", "auditor"}
    assert (address(january) in shown) == may
    assert ("Finance and auditors may do this." in shown) == ("Finance and auditors may do this." in asked) == (not may)
    assert not AuditRow.objects.filter(action="take_kit").exists()
    answer = client.post(address(january))
    row = AuditRow.objects.get(action="take_kit")
    assert (row.actor, row.outcome, row.door) == (user, "done" if may else "refused", "admin")
    assert answer.status_code == (200 if may else 403)
    if may:
        assert answer["Content-Disposition"] == 'attachment; filename="CARD-2017-01-audit-kit.zip"'
        assert "no-store" in answer["Cache-Control"]
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:  # type: ignore[attr-defined]
            assert "CARD-2017-01/verify.py" in packed.namelist()
        assert "took the audit kit" in client.get(page_of(january)).content.decode()


def test_an_open_period_has_none(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    client = client_of(somebody("finance"))
    assert client.get(address(world.opened[0])).status_code == 404
    assert client.post(address(world.opened[0])).status_code == 404
    assert address(world.opened[0]) not in client.get(page_of(world.opened[0])).content.decode()


def test_one_that_is_too_large_is_left_to_the_command(
    january: Period, client_of: ClientOf, somebody: RoleOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_kits, "ROWS_MOST", 13)
    client = client_of(somebody("auditor"))
    assert "An engineer writes it to a folder with audit_kit." in client.get(page_of(january)).content.decode()
    assert client.post(address(january)).status_code == 409


def test_it_is_there_in_japanese(january: Period, client_of: ClientOf, somebody: RoleOf) -> None:
    client = client_of(somebody("auditor"))
    with translation.override("ja"):
        client.cookies["django_language"] = "ja"
        shown = client.get(address(january)).content.decode()
    assert "監査キットを取り出す" in shown
    assert "一つのファイルにしてブラウザーに送ります" in shown
