"""What nobody sees comes in through no door: every address of the pages, every command. The API's fields are walked in tests/api/test_strict_fields.py."""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.management import CommandError, get_commands
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.doors.commands import base as commands
from tests.support.unseen import ON_ANY_LINE, ON_ONE_LINE, SEEN

OURS = ("config", "ingestion_app", "ledger_app")


def pages(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Yield an address of every page that is not the API's."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        where = before + _filled(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from pages(each.url_patterns, where)
        elif isinstance(each, URLPattern) and not where.startswith("/api") and "<" not in where:
            yield where


def _filled(pattern: str) -> str:
    plain = re.sub(r"<[^>]*>", "1", pattern) if "(?P" not in pattern else re.sub(r"\(\?P<\w+>.*\)", "ledger_app", pattern)
    return plain.strip("^$").replace("\\Z", "")


PAGES = sorted(set(pages()))


@pytest.mark.anywhere
def test_no_page_takes_what_nobody_sees_in_whatever_field(db: None, make_user: Any) -> None:
    assert len(PAGES) >= 150
    client = Client()
    client.force_login(make_user("root-1", "auditor", is_superuser=True))
    for place, where in enumerate(PAGES):
        character = ON_ANY_LINE[place % len(ON_ANY_LINE)]
        for answer in (
            client.post(where, {"reason": f"a{character}b"}),
            client.post(where, {f"na{character}me": "x"}),
            client.get(where, {"q": f"a{character}b"}),
        ):
            assert answer.status_code in {400, 404}, (where, character)
        assert client.post(where, {"reason": f"a{character}b"}).status_code == 400, where


@pytest.mark.anywhere
def test_whoever_typed_it_is_told_where_it_stands(db: None) -> None:
    said = {"username": "4111 1111 1111 1111 an\u00adna", "password": "x"}
    told = Client().post("/admin/login/", said, headers={"Accept-Language": "en"})
    assert told.status_code == 400
    assert "“username”" in told.text
    assert "U+00AD, behind “**** **** **** 1111 an”" in told.text
    assert Client().post("/admin/login/", {"username": SEEN, "password": "\u200bx"}).status_code == 200


def texts() -> Iterator[tuple[str, str]]:
    """Yield each command of ours with each of its options that takes text."""
    for name, home in sorted(get_commands().items()):
        if home in OURS and name not in OF_DJANGO:
            made = import_module(f"{home}.management.commands.{name}").Command()
            assert isinstance(made, commands.Command), name
            for action in made.create_parser("manage.py", name)._actions:
                if action.type is None and action.nargs != 0 and action.choices is None and action.dest not in KNOWN:
                    yield name, action.dest


# Django's own, which ask something before they do it; the first takes no text of a person, the others names of users, which have rules of their own.
OF_DJANGO = {"runserver", "createsuperuser", "changepassword"}
KNOWN = {"settings", "pythonpath", "verbosity"}
TEXTS = list(texts())


@pytest.mark.parametrize(("name", "option"), TEXTS)
def test_no_command_takes_what_nobody_sees(name: str, option: str) -> None:
    home = get_commands()[name]
    made = import_module(f"{home}.management.commands.{name}").Command()
    for given in (f"a{ON_ONE_LINE[len(name) % len(ON_ANY_LINE)]}b", ["x", "a\u200bb"]):
        with pytest.raises(CommandError, match=f"{option} holds a character that cannot be seen: U") as refused:
            made.handle(json=True, **{option: given})
        assert refused.value.returncode == commands.USAGE


def test_there_are_as_many_commands_as_there_were() -> None:
    assert len({name for name, _ in TEXTS}) >= 25


@pytest.mark.parametrize("name", ["a" * 65, "a\u200bb"])
def test_what_a_request_is_called_is_plain_or_made_anew(db: None, name: str) -> None:
    assert Client().get("/admin/login/", HTTP_X_REQUEST_ID=name)["X-Request-Id"] != name
