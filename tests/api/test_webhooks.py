"""Webhooks by the API: kept by engineers, with a secret that is told once, whatever is repeated."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from config.doors import webhooks as sending
from config.doors.commands import base as commands
from ledger_app.base.operations import feed
from ledger_app.models import DeadLetter, IdempotencyKey, User, Webhook
from ledger_app.programs import rules
from ledger_app.programs.operations import deliveries
from tests.api.conftest import is_problem
from tests.conftest import issue_token
from tests.support.world import NOW, World

HOOKS, LETTERS = "/api/v1/webhooks/", "/api/v1/dead-letters/"
SHOP = {"name": "shop", "url": "https://receiver.example/hook", "kinds": ["batch"]}


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.KAKUTEI_WEBHOOK_HOSTS = ["receiver.example"]


def client_of(user: User) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(user)}")
    return made


def deliver(number: int, reply: deliveries.Reply) -> None:
    deliveries.turn(webhook_id=number, send=lambda _each: reply, now=lambda: NOW, caller=commands.caller(None))


@pytest.fixture
def engineer(world: World) -> APIClient:
    return client_of(world.engineer)


def test_a_webhook_is_added_and_its_secret_told_once(engineer: APIClient) -> None:
    made = engineer.post(HOOKS, SHOP)
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    row = made.json()
    assert made["Location"].endswith(f"{HOOKS}{row['id']}/")
    assert row["secret"] == sending.secret(row["id"], 1)
    again = engineer.post(HOOKS, SHOP)
    assert (again.status_code, again.json()["secret"]) == (200, None)
    assert is_problem(engineer.post(HOOKS, SHOP | {"kinds": []}), 409, "stale")
    shown = engineer.get(f"{HOOKS}{row['id']}/").json()
    assert "secret" not in shown
    assert (shown["kinds"], shown["is_active"], shown["version"]) == (["batch"], True, 1)


def test_no_key_of_a_request_keeps_a_secret(engineer: APIClient) -> None:
    for path, said in ((HOOKS, SHOP), (f"{HOOKS}{{}}/rotate/", {"version": 1})):
        at = path.format(Webhook.objects.values_list("pk", flat=True).first())
        first = engineer.post(at, said, headers={"Idempotency-Key": f"key-{len(at)}"})
        again = engineer.post(at, said, headers={"Idempotency-Key": f"key-{len(at)}"})
        assert (first.status_code, again["Idempotent-Replayed"]) == (again.status_code, "true")
        assert first.json()["secret"].startswith("whsec_")
        assert again.json() == first.json() | {"secret": None}
    assert not IdempotencyKey.objects.filter(body__contains="whsec_").exists()


def test_a_webhook_is_changed_rotated_and_replayed_at_the_version_that_was_shown(engineer: APIClient) -> None:
    at = f"{HOOKS}{engineer.post(HOOKS, SHOP).json()['id']}/"
    changed = {"url": SHOP["url"], "kinds": ["batch", "period.freeze"], "is_active": False}
    assert is_problem(engineer.post(f"{at}keep/", changed), 400, "shape_invalid")
    assert engineer.post(f"{at}keep/", changed | {"version": 1}).json()["version"] == 2
    assert is_problem(engineer.post(f"{at}keep/", SHOP | {"version": 1}), 400, "shape_invalid")
    assert is_problem(engineer.post(f"{at}rotate/", {"version": 1}), 409, "stale")
    rotated = engineer.post(f"{at}rotate/", {"version": 2, "overlap_hours": 5}).json()
    assert (rotated["generation"], rotated["version"]) == (2, 3)
    assert rotated["overlap_until"]
    assert engineer.post(f"{at}replay/", {"version": 3, "after": 0}).json()["cursor"] == 0
    assert is_problem(engineer.post(f"{at}replay/", {"version": 4, "after": 10**9}), 409, "replay_beyond")


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"url": "https://elsewhere.example/"}, 409, "webhook_address_refused"),
        ({"url": "http://receiver.example/"}, 409, "webhook_address_refused"),
        ({"kinds": ["Batch"]}, 409, "webhook_kinds_invalid"),
        ({"kinds": "batch"}, 400, "shape_invalid"),
        ({"name": " shop"}, 400, "shape_invalid"),
        ({"secret": "mine"}, 400, "shape_invalid"),
    ],
)
def test_what_is_wrong_is_refused(engineer: APIClient, said: dict[str, Any], status: int, code: str) -> None:
    assert is_problem(engineer.post(HOOKS, SHOP | said), status, code)
    assert not Webhook.objects.exists()


def test_others_look_and_keep_none(world: World, engineer: APIClient) -> None:
    at = f"{HOOKS}{engineer.post(HOOKS, SHOP).json()['id']}/"
    for user in (world.finance, world.support):
        client = client_of(user)
        assert client.get(at).status_code == 200
        assert is_problem(client.post(HOOKS, SHOP | {"name": "mine"}), 403, "not_permitted")
        assert is_problem(client.post(f"{at}rotate/", {"version": 1}), 403, "not_permitted")
        assert is_problem(client.post(f"{at}replay/", {"version": 1, "after": 0}), 403, "not_permitted")


def test_dead_letters_are_listed_and_sent_again(world: World, engineer: APIClient) -> None:
    number = engineer.post(HOOKS, SHOP).json()["id"]
    world.receive()
    last = feed.number()
    Webhook.objects.update(failures=rules.TRIES_MOST - 1, cursor=last - 1)
    deliver(number, deliveries.Reply(is_taken=False, why="timeout"))
    (letter,) = engineer.get(LETTERS, {"webhook": number, "state": "dead"}).json()["results"]
    assert (letter["event"], letter["kind"], letter["why"]) == (last, "batch.receive", "timeout")
    at = f"{LETTERS}{letter['id']}/"
    assert is_problem(client_of(world.finance).post(f"{at}send-again/"), 403, "not_permitted")
    assert is_problem(engineer.post(f"{at}send-again/", {"now": True}), 400, "shape_invalid")
    for _time in range(2):
        assert engineer.post(f"{at}send-again/").json()["state"] == "again"
    deliver(number, deliveries.Reply(is_taken=True))
    assert engineer.get(at).json()["state"] == DeadLetter.State.SENT
    assert is_problem(engineer.get(LETTERS, {"state": "lost"}), 400, "shape_invalid")


def test_a_webhook_whose_receiver_is_gone_says_so_and_is_put_into_use_again(world: World, engineer: APIClient) -> None:
    number = engineer.post(HOOKS, SHOP).json()["id"]
    at = f"{HOOKS}{number}/"
    world.receive()
    feed.number()
    assert engineer.get(at).json()["is_gone"] is False
    deliver(number, deliveries.Reply(is_taken=False, why="status 410", is_gone=True))
    shown = engineer.get(at).json()
    assert (shown["is_active"], shown["is_gone"], shown["why"], shown["kept_by"]) == (False, True, "status 410", User.SYSTEM)
    again = {"url": SHOP["url"], "kinds": SHOP["kinds"], "version": shown["version"]}
    assert engineer.post(f"{at}keep/", again).json()["is_gone"] is False
    assert deliveries.due(NOW) == [number]
