"""Webhooks in the admin: a secret that is shown once, and dead letters that a person sends again."""

import re
from typing import Any

import pytest
from django.urls import reverse

from config.doors import webhooks as sending
from config.doors.commands import base as commands
from ledger_app.base.operations import feed
from ledger_app.models import AuditRow, DeadLetter, Webhook
from ledger_app.programs import rules
from ledger_app.programs.operations import deliveries
from tests.admin.conftest import ClientOf, page_of
from tests.support.world import NOW, World

LIST = "/admin/ledger_app/webhook/"
SHOP = {"name": "shop", "url": "https://receiver.example/hook", "kinds": "batch period.freeze", "is_active": "on"}


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.KAKUTEI_WEBHOOK_HOSTS = ["receiver.example"]


def deliver(row: Webhook, reply: deliveries.Reply) -> None:
    deliveries.turn(webhook_id=row.pk, send=lambda _each: reply, now=lambda: NOW, caller=commands.caller(None))


def of(name: str, *args: int) -> str:
    return reverse(f"admin:ledger_app_{name}", args=args)


def test_a_webhook_is_added_on_a_page_that_shows_its_secret_once(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    assert of("webhook_keep") in client.get(LIST).content.decode()
    made = client.post(of("webhook_keep"), SHOP)
    row = Webhook.objects.get()
    assert row.kinds == ["batch", "period.freeze"]
    assert sending.secret_of(row) in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert not re.search("whsec_", client.get(page_of(row)).content.decode())
    assert "whsec_" not in str(client.session.items()) + str(made.cookies)


def test_it_is_changed_rotated_and_replayed(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    client.post(of("webhook_keep"), SHOP)
    row = Webhook.objects.get()
    page = client.get(page_of(row)).content.decode()
    for name in ("keep_one", "rotate", "replay"):
        assert of(f"webhook_{name}", row.pk) in page
        assert client.get(of(f"webhook_{name}", row.pk)).status_code == 200
    assert client.post(of("webhook_keep_one", row.pk), SHOP | {"kinds": "", "version": 1}).status_code == 302
    rotated = client.post(of("webhook_rotate", row.pk), {"version": 2, "overlap_hours": 3})
    row.refresh_from_db()
    assert (row.kinds, row.generation) == ([], 2)
    assert sending.secret_of(row) in rotated.content.decode()
    assert client.post(of("webhook_replay", row.pk), {"version": 3, "after": 0}).status_code == 302
    stale = client.post(of("webhook_replay", row.pk), {"version": 3, "after": 0})
    assert stale.status_code == 409
    assert [each.action for each in AuditRow.objects.filter(subject_type="webhook", outcome="done").order_by("id")] == [
        *("keep", "keep", "rotate", "replay"),
    ]


def test_what_is_refused_says_why_on_the_page(world: World, client_of: ClientOf) -> None:
    refused = client_of(world.engineer).post(of("webhook_keep"), SHOP | {"url": "https://elsewhere.example/"})
    assert refused.status_code == 409
    assert "KAKUTEI_WEBHOOK_HOSTS" in refused.content.decode()
    assert not Webhook.objects.exists()


def test_others_look_and_keep_none(world: World, client_of: ClientOf) -> None:
    client_of(world.engineer).post(of("webhook_keep"), SHOP)
    row = Webhook.objects.get()
    client = client_of(world.finance)
    assert "/keep/" not in client.get(LIST).content.decode() + client.get(page_of(row)).content.decode()
    for name in ("keep_one", "rotate", "replay"):
        assert client.post(of(f"webhook_{name}", row.pk), {"version": 1}).status_code == 403


def test_a_dead_letter_is_shown_and_sent_again(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    client.post(of("webhook_keep"), SHOP)
    world.receive()
    row = Webhook.objects.get()
    Webhook.objects.update(failures=rules.TRIES_MOST - 1, cursor=feed.number() - 1)
    deliver(row, deliveries.Reply(is_taken=False, why="status 404"))
    letter = DeadLetter.objects.get()
    assert "status 404" in client.get("/admin/ledger_app/deadletter/").content.decode()
    assert "status 404" in client.get(page_of(row)).content.decode()
    address = of("deadletter_send_again", letter.pk)
    assert address in client.get(page_of(letter)).content.decode()
    assert client_of(world.finance).post(address).status_code == 403
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 302
    letter.refresh_from_db()
    assert letter.state == "again"
    assert address not in client.get(page_of(letter)).content.decode()


def test_a_receiver_that_is_gone_is_shown_and_its_deliveries_begin_again_where_somebody_says_so(
    world: World, client_of: ClientOf
) -> None:
    client = client_of(world.engineer)
    client.post(of("webhook_keep"), SHOP)
    world.receive()
    feed.number()
    row = Webhook.objects.get()
    deliver(row, deliveries.Reply(is_taken=False, why="status 410", is_gone=True))
    shown = "no: the receiver is there no more"
    assert shown in client.get(LIST).content.decode()
    assert shown in client.get(page_of(row)).content.decode()
    assert "ended the deliveries" in client.get("/admin/ledger_app/auditrow/?subject_type=webhook").content.decode()
    # Nobody has them begin again with a page that was opened before.
    assert client.post(of("webhook_keep_one", row.pk), SHOP | {"version": 1}).status_code == 409
    assert client.post(of("webhook_keep_one", row.pk), SHOP | {"version": 2}).status_code == 302
    assert shown not in client.get(page_of(row)).content.decode()
    assert deliveries.due(NOW) == [row.pk]
