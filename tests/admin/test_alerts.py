"""The batch page tells what looks wrong, asks finance to acknowledge it, and says afterwards who did and why."""

import pytest

from tests.admin.conftest import ClientOf, RoleOf, hidden, page_of, step_of
from tests.ingestion_app.operations.alerted import alerted
from tests.ingestion_app.operations.world import World

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
