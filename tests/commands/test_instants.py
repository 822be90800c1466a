"""Every instant that a command prints or the API answers with bears its zone."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from rest_framework.test import APIClient

from ledger_app.models import Account, Entry, FailedTry, Identifier
from tests.commands.conftest import STAMP, Run, strays, texts
from tests.conftest import UserMaker
from tests.support.every_page import INSTANT
from tests.support.world import World

# What of these tells no instant in JSON: it says what is so, and not since when.
WITHOUT = {"find_member", "status", "verify"}


def test_what_commands_print_of_instants_bears_the_zone(world: World, run: Run) -> None:
    batch = world.applied()
    FailedTry.objects.create(
        username="nobody",
        ip_address="127.0.0.1",
        attempt_time=datetime.now(UTC),
        failures_since_start=settings.KAKUTEI_LOGIN_FAILURES,
    )
    entry = Entry.objects.earliest("id")
    asked = (
        ("explain", "CARD/receivable.1001", "--known-at", "2030-01-01T00:00:00Z"),
        ("explain", entry.pk),
        ("explain", f"{batch.pk}:2"),
        ("status", batch.pk),
        ("find_member", "1001"),
        ("statement", "CARD/receivable.1001"),
        ("verify", "CARD"),
        ("issue_token", world.engineer.username),
        ("list_tokens",),
        ("lockouts",),
    )
    for arguments in asked:
        said = run(*arguments)
        # ISO 8601 with Z stands in files for programs; it bears its zone too.
        assert INSTANT.findall(re.sub(r"T[0-9:.]+(Z|[+-][0-9:]+)", "", said.out + said.complaints)) == [], arguments
        # In JSON all are in the one form, which ``run`` asks of every command in every test; these have some.
        found = [text for text in texts(json.loads(run(*arguments, "--json").out)) if STAMP.fullmatch(text)]
        assert found or arguments[0] in WITHOUT, arguments


def test_what_commands_write_for_a_member_is_in_the_same_form(world: World, run: Run, tmp_path: Path) -> None:
    world.applied()
    member = Identifier.objects.get(value="1001").holder_id
    path = tmp_path / "member.json"
    run("member_data", member, "--ticket", "P-1", "--output", path, "--user", world.support.username)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert [text for text in texts(data) if STAMP.fullmatch(text)]
    assert strays(data) == []


def test_what_is_not_in_the_form_is_found() -> None:
    wrong = ["2026-12-30 06:34:23+00:00", "2026-12-30T06:34:23+00:00", "2026-12-30T06:34:23+09:00", "2026-12-30T06:34"]
    assert strays({"a": [*wrong, "2026-12-30T06:34:23Z", "2026-12-30T06:34:23.5Z", "2026-12-30", "at 2026-12-30 06:34"]}) == wrong


def test_what_the_api_answers_of_instants_bears_the_zone(world: World, make_user: UserMaker) -> None:
    batch = world.applied()
    api = APIClient()
    api.force_authenticate(make_user("auditor-8", "auditor"))
    account, entry = Account.objects.get(code="receivable.1001"), Entry.objects.earliest("id")
    for address in (
        *(f"accounts/{account.pk}/", f"accounts/{account.pk}/explanation/", f"accounts/{account.pk}/statement/"),
        *(f"entries/{entry.pk}/", f"batches/{batch.pk}/", f"members/{account.holder_id}/", "periods/", "batches/"),
        f"batches/{batch.pk}/records/",
    ):
        data = api.get(f"/api/v1/{address}").json()
        assert strays(data) == [], address
