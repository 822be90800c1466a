"""January is frozen: the balance that stands under its seal still opens into what it was made of, down to the bytes that came in."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from ledger_app.admin import explanations
from ledger_app.close.operations import periods
from ledger_app.close.queries.closing import control_totals
from ledger_app.models import Account, Entry, Period
from tests.commands.conftest import Run, run
from tests.conftest import UserMaker
from tests.support import kept
from tests.support import world as worlds
from tests.support.world import World, card_file

__all__ = ["run"]
FIRST = card_file().split(b"\n")[1].decode()


@kept.fixture
def world(folder: Path) -> World:
    made = worlds.build(folder)
    batch = made.applied()
    call_command("freeze_batch", str(batch.pk), "--user", "fumiko", "--json")
    period = Period.objects.get(book=made.card, name="2017-01")
    periods.freeze(
        period_id=period.pk,
        controls={"debits": control_totals(period)["debits"]},
        caller=made.caller(made.finance),
        code_version="test",
    )
    return made


def test_the_page_the_api_and_the_command_open_it(world: World, run: Run, make_user: UserMaker, client: Client) -> None:
    account = Account.objects.get(book=world.card, code="receivable.1001")
    client.force_login(make_user("auditor-7", "auditor"))
    page = client.get(f"/admin/ledger_app/account/{account.pk}/explain/")
    assert page.context["rows"] == []
    assert [row["reference"] for row in page.context["sealed_rows"]] == ["till:s3", "till:s1"]
    assert page.context["sealed_rows"][-1]["raw"] == FIRST
    assert page.context["sealed_rows"][0]["balance"] == page.context["sums"][0].amount == 249
    assert FIRST in page.content.decode()

    api = APIClient()
    api.force_authenticate(make_user("auditor-8", "auditor"))
    data = api.get(f"/api/v1/accounts/{account.pk}/explanation/").json()
    assert (data["lines"], data["sealed_balance"], data["sealed_older"]) == ([], 249, None)
    assert [line["origin"]["raw"] for line in data["sealed_lines"]][-1] == FIRST
    first = api.get(f"/api/v1/accounts/{account.pk}/explanation/", {"lines": "1"}).json()
    second = api.get(f"/api/v1/accounts/{account.pk}/explanation/", {"lines": "1", "sealed_before": first["sealed_older"]}).json()
    assert first["sealed_lines"] + second["sealed_lines"] == data["sealed_lines"]
    assert data["sealed_lines"][0]["running"] == 249

    ended = run("explain", "CARD/receivable.1001", "--json")
    assert [line["reference"] for line in ended.data["sealed_lines"]] == ["till:s3", "till:s1"]
    said = run("explain", "CARD/receivable.1001").out
    assert "till:s1" in said
    assert "line 2 of" in said


def test_it_opens_page_by_page_and_says_which_entry_is_not_what_it_was(
    world: World, make_user: UserMaker, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account.objects.get(book=world.card, code="settlement.31")
    whole = Entry.objects.filter(lines__account=account).count()
    client.force_login(make_user("auditor-7", "auditor"))
    monkeypatch.setattr(explanations, "LINES_A_PAGE", 2)
    address, seen = f"/admin/ledger_app/account/{account.pk}/explain/", []
    query = ""
    while True:
        page = client.get(address + query)
        assert page.context["complaints"] == []
        seen += [row["reference"] for row in page.context["sealed_rows"]]
        query = page.context["sealed_older"]
        if not query:
            break
    assert len(seen) == len(set(seen)) == whole
