"""Every instant that a command prints or the API answers with bears its zone."""

import json
import re
from collections.abc import Iterator
from typing import Any

from rest_framework.test import APIClient

from ledger_app.models import Account, Entry
from tests.admin.every_page import INSTANT
from tests.commands.conftest import Run
from tests.conftest import UserMaker
from tests.ingestion_app.operations.world import World

ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
WITH_ZONE = re.compile(r".*(Z|[+-][0-9]{2}:[0-9]{2})")


def texts(found: Any) -> Iterator[str]:
    """Yield every text within what JSON gave."""
    if isinstance(found, dict):
        for value in found.values():
            yield from texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from texts(value)
    elif isinstance(found, str):
        yield found


def test_what_commands_print_of_instants_bears_the_zone(world: World, run: Run) -> None:
    batch = world.applied()
    entry = Entry.objects.earliest("id")
    asked = (
        ("explain", "CARD/receivable.1001", "--known-at", "2030-01-01T00:00:00Z"),
        ("explain", entry.pk),
        ("explain", f"{batch.pk}:2"),
        ("status", batch.pk),
        ("find-member", "1001"),
        ("statement", "CARD/receivable.1001"),
        ("verify", "CARD"),
    )
    for arguments in asked:
        said = run(*arguments)
        # ISO 8601 with Z stands in files for programs; it bears its zone too.
        assert INSTANT.findall(re.sub(r"T[0-9:.]+(Z|[+-][0-9:]+)", "", said.out + said.complaints)) == [], arguments
        if arguments[0] != "statement":
            data = json.loads(run(*arguments, "--json").out)
            assert [text for text in texts(data) if ISO.fullmatch(text) and not WITH_ZONE.fullmatch(text)] == []


def test_what_the_api_answers_of_instants_bears_the_zone(world: World, make_user: UserMaker) -> None:
    batch = world.applied()
    api = APIClient()
    api.force_authenticate(make_user("auditor-8", "auditor"))
    account, entry = Account.objects.get(code="receivable.1001"), Entry.objects.earliest("id")
    for address in (
        *(f"accounts/{account.pk}/", f"accounts/{account.pk}/explanation/", f"accounts/{account.pk}/statement/"),
        *(f"entries/{entry.pk}/", f"batches/{batch.pk}/", f"members/{account.holder_id}/", "periods/", "batches/"),
    ):
        data = api.get(f"/api/v1/{address}").json()
        found = [text for text in texts(data) if ISO.fullmatch(text)]
        assert [text for text in found if not WITH_ZONE.fullmatch(text)] == [], address
