"""A card number, and the code beside it, through every door in every writing: refused where a person types it, and never repeated or kept."""

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import serializers
from rest_framework.test import APIClient

from config.doors.api.fields import KeyField
from config.doors.commands import base as doors_of_commands
from config.doors.requests.card_doors import MAY_BE_CARD
from ledger_app.models import User
from tests.canary.conftest import BESIDE, CARD, DASHED, WRITINGS, Canary, found_in
from tests.conftest import UserMaker, issue_token, with_every_right
from tests.support.api_doors import Door, doors, fields_of
from tests.support.world import World

OURS = ("config", "ledger_app", "ingestion_app")


@pytest.fixture
def everybody(make_user: UserMaker) -> User:
    """Return somebody who may do everything, so that nothing is refused for a right."""
    return with_every_right(make_user("everything-9", "auditor"))


def body_with(name: str, text: str) -> dict[str, Any]:
    """Return a body with a text at a dotted name, in which ``*`` is an item of a list or a value by name."""
    value: Any = text
    for part in reversed(name.split(".")):
        value = [value] if part == "*" else {part: value}
    found: dict[str, Any] = value
    return found


def address(pattern: str, text: str = "1") -> str:
    return "/" + re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]*>", text, pattern).replace("\\.", ".").replace("\\Z", "").rstrip("$")


def texts_of(door: Door) -> Iterator[tuple[str, Any]]:
    """Yield each field of a body that is a text, or a list or an object of texts."""
    for name, field in fields_of(door.body) if door.body is not None else ():
        if isinstance(field, KeyField):
            yield name, field


@pytest.mark.anywhere
def test_every_text_of_the_api_is_refused_and_not_repeated(world: World, everybody: User, canary: Canary) -> None:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(everybody)}")
    writings, asked = cycle(WRITINGS), 0
    for door in doors():
        for name, field in texts_of(door):
            if getattr(field, "_may_be_card", False):
                continue
            text, asked = next(writings), asked + 1
            said = body_with(name, text)
            is_form = any(isinstance(each, serializers.FileField) for each in door.body().fields.values())  # type: ignore[misc]  # it has one
            answer = client.post(address(door.pattern), said, format="multipart" if is_form else "json")
            told = answer.content.decode()
            assert (answer.status_code, "card" in told or "field" in told) == (400, True), (door.name, name, told)
            assert not found_in(told), (door.name, name)
        for name, _field in fields_of(door.query):
            answer = client.get(address(door.pattern), {name: next(writings)})
            assert (answer.status_code, found_in(answer.content.decode())) == (400, False), (door.name, name)
        if "<" in door.pattern:
            answer = getattr(client, door.method.lower())(address(door.pattern, next(writings)))
            assert (answer.status_code, found_in(answer.content.decode())) == (400, False), door.name
    assert asked > 60
    # What takes one by itself, with all else that comes along, keeps a hash of it at most.
    client.post("/api/v1/members/find/", {"text": CARD})
    for kind in ("card_token", "member_number", "card_number"):
        client.post("/api/v1/members/1/identifiers/", {"kind": kind, "value": CARD, "reason": "New card."})
    client.post("/api/v1/members/", {"members": [{"member_number": "9001", "card_numbers": [CARD], "name": BESIDE}]})
    assert canary.hits() == []


HEADERS = (
    "Idempotency-Key",
    "X-Request-Id",
    "X-Correlation-Id",
    "User-Agent",
    "Referer",
    "Accept-Language",
    "X-Forwarded-For",
    "If-Match",
    "If-None-Match",
    "Cookie",
    "Host",
    "X-Anything",
)


@pytest.mark.anywhere
def test_no_header_is_repeated_kept_or_logged(world: World, everybody: User, canary: Canary) -> None:
    token = issue_token(everybody)
    client = Client(raise_request_exception=False)
    client.force_login(everybody)
    writings = cycle([CARD, DASHED, f"{CARD} {BESIDE}", BESIDE, f"a={CARD}"])
    for name in HEADERS:
        for _ in range(2):
            text = next(writings)
            for path in ("/api/v1/members/find/", "/admin/"):
                headers = {"Authorization": f"Token {token}", name: text}
                answer = client.post(path, '{"text": "1001"}', "application/json", headers=headers)
                said = answer.content.decode() + repr(answer.headers)
                assert not found_in(said), (name, path)
                assert answer.status_code != 500, (name, path)
    assert canary.hits() == []


def admin_addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        text = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            yield from admin_addresses(each.url_patterns, text)
        elif isinstance(each, URLPattern) and text.startswith("admin/"):
            yield address(text)


def form_fields() -> set[str]:
    """Return the name of each text of each form, of the framework's own too."""
    found, left = set(), [forms.BaseForm]
    while left:
        each = left.pop()
        left += each.__subclasses__()
        fields: dict[str, forms.Field] = getattr(each, "base_fields", {})
        found |= {name for name, field in fields.items() if isinstance(field, forms.CharField)}
    return {name for name in found if "password" not in name}


@pytest.mark.anywhere
def test_every_text_of_every_form_is_refused_and_not_repeated(world: World, everybody: User, canary: Canary) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(everybody)
    names = form_fields() | {"note", "step", "shown", "ticket", "reason", "_selected_action", "action"}
    assert len(names) > 30
    # What is looked at by nothing here has a door of its own, which keeps a hash at most, or is no text of anybody's.
    assert {"q", "value", "survivor", "csrfmiddlewaretoken", "sealed", "answer"} == MAY_BE_CARD
    addresses = sorted(set(admin_addresses(get_resolver().url_patterns)))
    assert len(addresses) > 150
    writings = cycle(WRITINGS)
    for place in addresses:
        said = {name: next(writings) for name in names - MAY_BE_CARD}
        answer = client.post(place, said)
        assert (answer.status_code, found_in(answer.content.decode())) == (400, False), place
    one = addresses[-1]
    for name in sorted(names - MAY_BE_CARD):
        answer = client.post(one, {name: next(writings)})
        assert answer.status_code == 400, name
        assert name in answer.content.decode()
    for name in ("q", "o", "p", "state__exact", next(writings)):
        answer = client.get("/admin/ledger_app/entry/", {name: next(writings)})
        assert (answer.status_code, found_in(answer.content.decode())) == (400, False), name
    # What takes one by itself.
    page = "/admin/ledger_app/holder/1/"
    for kind in ("card_token", "card_number"):
        answer = client.post(f"{page}identify/", {"kind": kind, "value": CARD, "reason": "New card."})
        assert not found_in(answer.content.decode())
    for path, said in ((f"{page}merge/", {"survivor": CARD, "reason": "x"}), ("/admin/search/", {"q": CARD})):
        assert not found_in(client.post(path, said).content.decode())
    assert canary.hits() == []


@pytest.mark.anywhere
def test_every_argument_of_every_command_is_refused_and_not_repeated(
    world: World, canary: Canary, capsys: pytest.CaptureFixture[str]
) -> None:
    writings, asked = cycle(WRITINGS), 0
    for name, application in get_commands().items():
        if application not in OURS:
            continue
        command = load_command_class(application, name)
        if not isinstance(command, doors_of_commands.Command):
            continue
        parser = command.create_parser("manage.py", name)
        for action in parser._actions:
            if action.dest in {"help", "settings", "pythonpath", "version"} or action.nargs == 0:
                continue
            text, asked = next(writings), asked + 1
            if action.type is None and not action.choices:
                with pytest.raises(SystemExit) as ended:
                    command.handle(**{action.dest: text, "json": False})
                assert ended.value.code == 1, (name, action.dest)
            else:
                with pytest.raises((SystemExit, CommandError)) as refused:
                    call_command(name, *(action.option_strings[:1]), text)
                assert not found_in(str(refused.value)), (name, action.dest)
    assert asked > 80
    printed = capsys.readouterr()
    assert [line for line in (printed.out + printed.err).splitlines() if found_in(line)] == []
    assert canary.hits() == []
