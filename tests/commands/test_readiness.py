"""readiness BOOK PERIOD: the command, the API and the page of a period say the same of what stands in the way."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from rest_framework.test import APIClient

from ingestion_app.states import BATCH
from ingestion_app.status.queries.closing import ENDED, ONWARD
from ledger_app.base.rules.transitions import Machine
from ledger_app.models import Entry
from tests.admin.conftest import bring_to
from tests.commands.conftest import Run
from tests.support.world import World

STEPS = {
    "received": ("Batch: Received", "Engineers"),
    "validated": ("Batch: Validated", "Finance"),
    "approved": ("Batch: Approved", "Engineers"),
    "half": ("Batch: Applying", "Engineers"),
    "applied": ("Batch: Applied", "Finance"),
}


@pytest.mark.parametrize("state", STEPS)
def test_all_three_say_the_same(world: World, run: Run, state: str) -> None:
    bring_to(world, state)
    bring_to(world, state, 2)
    what, who = STEPS[state]
    ended = run("readiness", "CARD", "2017-01", "--json")
    assert ended.status == 1
    assert (ended.data["ready"], ended.data["state"]) == (False, "open")
    line, totals = ended.data["lines"]
    assert (line["code"], line["what"], line["count"], line["who"]) == ("work_unfinished", what, 2, who)
    assert [row["model"] for row in line["rows"]] == ["ingestion_app.batch"] * 2
    assert (totals["code"], totals["comes_with_freeze"]) == ("control_missing", True)
    lines = run("readiness", "CARD", "2017-01").out.splitlines()
    assert lines[0] == "CARD 2017-01 cannot be frozen yet."
    assert lines[1] == f"{what}: 2 · {line['clears']} ({who})"
    api = APIClient()
    api.force_authenticate(world.finance)
    assert api.get(f"/api/v1/periods/{world.opened[0].pk}/readiness/").json() == ended.data
    page = Client()
    page.force_login(world.finance)
    shown = page.get(reverse("admin:ledger_app_period_change", args=[world.opened[0].pk]))
    (own,) = [each for check in shown.context["checks"] for each in check["lines"] if check["verdict"] == "differs"]
    assert (str(own["what"]), own["count"], str(own["clears"]), str(own["who"])) == (what, "2", line["clears"], who)
    listed = page.get(own["url"])
    assert listed.status_code == 200
    assert len(listed.context["cl"].result_list) == 2


def test_one_thing_leads_to_itself(world: World) -> None:
    batch = bring_to(world, "validated")
    page = Client()
    page.force_login(world.finance)
    shown = page.get(reverse("admin:ledger_app_period_change", args=[world.opened[0].pk]))
    address = reverse("admin:ingestion_app_batch_change", args=[batch.pk])
    assert f'<a href="{address}">Batch: Validated: 1</a>' in shown.content.decode()


def test_a_period_that_is_ready_and_one_that_is_frozen_end_with_0(world: World, run: Run) -> None:
    world.freeze(world.applied())
    ended = run("readiness", "CARD", "2017-01")
    assert (ended.status, ended.out.splitlines()[0]) == (0, "Nothing stands in the way of freezing CARD 2017-01.")
    assert run("readiness", "CARD", "2017-01", "--json").data["ready"] is True
    world.freeze_period(world.opened[0])
    ended = run("readiness", "CARD", "2017-01")
    assert (ended.status, ended.out) == (0, "CARD 2017-01 is frozen.\n")
    assert run("readiness", "CARD", "2017-13").status == 1
    assert run("readiness", "CARD").status == 2


def test_every_state_of_a_batch_that_has_not_ended_says_what_is_next() -> None:
    machine: Machine = BATCH
    assert set(ONWARD) | set(ENDED) == set(machine.states)


def test_it_is_told_in_japanese(world: World, run: Run) -> None:
    bring_to(world, "validated")
    with translation.override("ja"):
        said = run("readiness", "CARD", "2017-01").out
    assert "CARD 2017-01 はまだ確定できません。" in said
    assert "承認するか、取り下げてもらいます。" in said
    assert Entry.objects.count() == 0


def test_it_changes_nothing(world: World, run: Run, django_assert_num_queries: Any) -> None:
    bring_to(world, "applied")
    before = Entry.objects.count(), world.opened[0].version
    for _time in range(2):
        run("readiness", "CARD", "2017-01")
    world.opened[0].refresh_from_db()
    assert (Entry.objects.count(), world.opened[0].version) == before
