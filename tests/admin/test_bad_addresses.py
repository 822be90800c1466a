"""No address of the admin and nothing that one may say ends in a fault of the program, or in the whole list in the place of what was asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from config.doors.admin import list_addresses
from config.doors.admin.model_admin import HistoryShown
from tests.support import kept
from tests.support import world as worlds
from tests.support.world import World

HUGE = ["9" * 18, "9" * 19, str(2**63), str(2**64), "9" * 400]
NO_KEY = ["abc", "-1", "1.0", " 1", "0x1", "１", "%00", "%ED%A0%80", "_5F", "1/change/change", *HUGE]
NO_VALUE: Final = [
    "",
    "x",
    "-1",
    "1,",
    ",",
    "1,x",
    "\x00",
    "a\nb",
    "\ufffd",
    "\u202e",
    "0000-01-01",
    "10000-01-01",
    "9999-12-31T23:59:59-12:00",
    *HUGE[1:],
]
LOOKUPS = [
    "range",
    "gt",
    "gte",
    "lt",
    "regex",
    "iregex",
    "contains",
    "year",
    "date",
    "week",
    "hour",
    "quarter",
    "nothing",
    "id__id__exact",
]
KINDS = sorted(admin.site._registry.values(), key=lambda each: each.opts.label)


@kept.fixture
def applied(folder: Path) -> World:
    made = worlds.build(folder)
    made.applied()
    return made


@pytest.fixture
def client(applied: World) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(applied.superuser)
    return made


def names_of(kind: Any) -> Iterator[str]:
    for field in kind.opts.get_fields():
        if isinstance(field, models.Field):
            yield field.name
            if field.is_relation and field.related_model is not None:
                yield f"{field.name}__id"


def asked_of(kind: Any) -> Iterator[tuple[str, str]]:
    """Yield what the address of a list must not say."""
    yield from (
        ("e", "1"),
        ("all", ""),
        ("_to_field", "password"),
        ("_to_field", "id"),
        ("_popup", "1"),
        ("nothing", "1"),
        ("pk", "1"),
    )
    for name, values in (
        ("p", ["0", "x", "-1", "1.0", *HUGE]),
        ("o", ["x", "99", "1.x", "-", "", "9" * 30]),
        ("q", ["\x00", "a\x00b", "\u202e", "x" * 999]),
    ):
        yield from ((name, value) for value in values)
    for name in names_of(kind):
        yield from ((f"{name}__{lookup}", "1") for lookup in LOOKUPS)
        yield from ((f"{name}__isnull", value) for value in ("x", "", "2"))
        yield from ((f"{name}__in", value) for value in ("", ",", "1,,2", "\x00"))
        yield from ((name + end, value) for end in ("", "__exact") for value in ("", "\x00", "\ufffd"))
    for name, is_text in filters_of(kind):
        yield from (
            (name, value) for value in NO_VALUE if not is_text or not value or not value.isprintable() or value == "\ufffd"
        )


def filters_of(kind: Any) -> Iterator[tuple[str, bool]]:
    """Yield the names by which the filters of a list narrow it, and whether any text could stand there."""
    for each in kind.get_list_filter(None):
        # A filter of a field may come with a class that words its choices.
        each = each[0] if isinstance(each, tuple) else each  # noqa: PLW2901 - the same filter
        if not isinstance(each, str):
            yield each.parameter_name, "__" not in each.parameter_name
            continue
        field = kind.opts.get_field(each)
        is_text = isinstance(field, models.CharField) and not field.choices
        yield from ((each + end, is_text and not end.startswith("__id")) for end in ("", "__exact", "__id__exact"))


def test_there_are_as_many_lists_as_there_were() -> None:
    assert len(KINDS) >= 26
    assert len([kind for kind in KINDS if isinstance(kind, HistoryShown)]) >= 14


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.opts.label)
def test_a_list_takes_nothing_that_it_does_not_know(world: World, kind: Any) -> None:
    taken = []
    for name, value in asked_of(kind):
        request = RequestFactory().get(f"/?{urlencode({name: value})}")
        request.user = world.superuser
        if not list_addresses.fault(request, kind):
            taken.append((name, value[:40]))
    assert taken == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.opts.label)
def test_a_list_is_not_shown_where_its_address_says_what_it_does_not_take(client: Client, kind: Any) -> None:
    where = reverse(f"admin:{kind.opts.app_label}_{kind.opts.model_name}_changelist")
    assert client.get(where).status_code == 200
    for said in (
        "id__range=1",
        "e=1",
        "nothing=1",
        "p=x",
        "p=1&p=1",
        "q=%00",
        "%ED%A0%80=1",
        "%00=1",
        "id=%ED%A0%80",
        "_to_field=id",
    ):
        assert client.get(f"{where}?{said}").status_code == 400, said
    for name, is_text in filters_of(kind):
        if not (is_text and name.endswith("__exact")):
            assert client.get(f"{where}?{name}=x").status_code == 400, name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.opts.label)
def test_a_row_that_is_not_there_is_not_found(client: Client, kind: Any) -> None:
    where = reverse(f"admin:{kind.opts.app_label}_{kind.opts.model_name}_changelist")
    parts = [
        "change/",
        "",
        *(["history/", "history/1/", f"history/{'9' * 30}/", "history/x/"] if isinstance(kind, HistoryShown) else []),
    ]
    found = {
        f"{key[:20]}/{part}": client.get(f"{where}{key}/{part}", follow=True).status_code for key in NO_KEY for part in parts
    }
    assert {address: status for address, status in found.items() if status != 404} == {}


def patterns(found: list[Any], before: str = "") -> Iterator[str]:
    for each in found:
        text = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, text)
        elif isinstance(each, URLPattern) and text.startswith("admin/"):
            yield text


def filled(pattern: str, key: str) -> str:
    """Return an address of ``pattern`` with ``key`` wherever one is named."""
    while "<" in pattern:
        start, end = pattern.index("<"), pattern.index(">")
        part = pattern[start + 1 : end]
        value = "suspend" if part.startswith("slug:") else key
        pattern = pattern[:start] + value + pattern[end + 1 :]
    return "/" + pattern


ADDRESSES = sorted(
    {pattern for pattern in patterns(get_resolver().url_patterns) if "(?" not in pattern and "logout" not in pattern}
)


def test_no_key_in_an_address_is_a_fault_of_the_program(client: Client) -> None:
    for pattern in ADDRESSES:
        for key in ("abc", "%00", "１", *HUGE[1:]) if "<" in pattern else ():
            for method in (client.get, client.post):
                status = method(filled(pattern, key)).status_code
                assert status < 500, (pattern, key[:20], status)
                assert status != 200, (pattern, key[:20], status)


QUERIES: tuple[str, ...] = (
    "at",
    "known_at",
    "before",
    "after",
    "by",
    "from",
    "to",
    "effective_from",
    "effective_to",
    "lines",
    "format",
    "q",
    "typed",
    "account",
    "next",
    "page",
    "p",
)
QUERIES += (
    "entry",
    "term",
    "app_label",
    "model_name",
    "field_name",
    "_changelist_filters",
    "_to_field",
    "of",
    "batch",
    "version",
)


VALUES = ("\x00", "\ufffd", "-1", "9" * 30, "0000-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "9999-12-31.1")


def test_nothing_that_an_address_says_is_a_fault_of_the_program(client: Client) -> None:
    for pattern in ADDRESSES:
        for value in VALUES:
            status = client.get(f"{filled(pattern, '1')}?{urlencode(dict.fromkeys(QUERIES, value))}").status_code
            assert status < 500, (pattern, value)
