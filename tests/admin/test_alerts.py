"""The batch page tells what looks wrong, asks finance to acknowledge it, and says afterwards who did and why."""

import html
import re

import pytest

from ingestion_app.admin import batch_page
from tests.admin.conftest import ClientOf, RoleOf, hidden, page_of, step_of
from tests.support.alerted import alerted
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_the_page_tells_alerts_and_who_acknowledged_them(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    batch = alerted(world)
    client = client_of(somebody("finance"))
    page = client.get(page_of(batch)).content.decode()
    assert "The file holds 36 records; comparable files held 12 to 12." in page
    assert "2 alerts" in page
    assert "held against 2 comparable ones" in page
    asked = client.get(step_of(batch, "acknowledge")).content.decode()
    assert "The file holds 36 records; comparable files held 12 to 12." in asked
    answer = client.post(step_of(batch, "acknowledge"), hidden(batch, reason="A sale."), follow=True)
    page = answer.content.decode()
    assert "by finance-9: A sale." in page
    assert client.post(step_of(batch, "approve"), hidden(batch), follow=True).context["batch"].state == "approved"


def test_the_page_says_that_a_file_was_held_against_none(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    page = client_of(somebody("finance")).get(page_of(world.validated())).content.decode()
    assert "held against none: there are fewer than 4 comparable ones" in page


def test_whoever_decides_is_shown_what_the_file_was_held_against(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    batch = alerted(world)
    client = client_of(somebody("finance"))
    for step in ("acknowledge", "approve"):
        assert "held against 2 comparable ones" in client.get(step_of(batch, step)).content.decode(), step


def test_alerts_beyond_those_that_are_shown_are_counted_and_can_be_looked_at(
    world: World, client_of: ClientOf, somebody: RoleOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = alerted(world)
    client = client_of(somebody("finance"))
    assert "Further alerts" not in client.get(step_of(batch, "acknowledge")).content.decode()
    monkeypatch.setattr(batch_page, "ALERTS_SHOWN", 1)
    told = dict(batch_page.effects("acknowledge", batch))
    address = re.search('href="([^"]+)"[^>]*>1<', str(told["Further alerts"]))
    assert address is not None
    listed = client.get(html.unescape(address[1])).content.decode()
    assert listed.count("shape.count_outside") == listed.count("shape.sum_outside") > 0


def test_acknowledging_moves_nothing_in_the_line_of_states(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    batch = alerted(world)
    before = batch_page.steps(batch)
    client_of(somebody("finance")).post(step_of(batch, "acknowledge"), hidden(batch, reason="A sale."))
    assert batch_page.steps(batch) == before


def test_only_what_leads_elsewhere_enters_a_state() -> None:
    assert {"acknowledge", "pause", "resume", "reverse", "trip"} == batch_page.ENTER_NOTHING
