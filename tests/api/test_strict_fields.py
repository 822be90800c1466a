"""Every field and filter of the API is of the one strict kind there is for it, and takes nothing but what it says. Walked from the addresses."""

import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient

from config.doors.api import fields as api_fields
from config.doors.api.fields import STRICT
from config.doors.api.input import Input, StrictJSONParser
from tests.api.conftest import is_problem
from tests.support.api_doors import Door, doors, fields_of
from tests.support.unseen import ON_ANY_LINE, ON_ONE_LINE, SEEN
from tests.support.world import World

HALF = "\ud800"
UNSEEN = [*(f"a{each}b" for each in ON_ONE_LINE), "\ufeffa", HALF]
NO_TEXT = [1, 0, 1.10, True, [], {}, ["x"]]
NO_KEY = [*NO_TEXT, *UNSEEN, "", " ", " x", "x ", "x\u3000", "\u00a0x"]
NO_NUMBER = [1.0, "1", "", "x", True, False, [], {}, 2**63, -(2**63), 10**400, 1e300]
NO_NUMBER_TEXT = ["", "x", "-1", "+1", "1.0", "01", " 1", "1 ", "1_0", "１", "٣", "9" * 19, "9" * 400, "1e3", "0x1"]
NO_DAY = [
    "",
    "2017-1-1",
    "20170131",
    "2017-W05-2",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2017-02-30",
    " 2017-01-31",
]
NO_DAY += ["2017-01-31T00:00:00Z", "2017-01-31+09:00", "２０１７-01-31", HALF]
NO_INSTANT = [
    "",
    "2017-01-31",
    "2017-01-31T00:00:00",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "10000-01-01T00:00:00Z",
]
NO_INSTANT += ["2017-W05-2T00:00:00Z", "20170131T000000Z", "2017-01-31T24:00:01Z", "2017-01-31T00:00:00+25:00", HALF]
BAD: dict[type[Any], list[Any]] = {
    api_fields.DigestField: [*NO_KEY, "0" * 63, "F" * 64, "0" * 65, "x" * 64, " " + "0" * 64, "0" * 64 + "\n"],
    api_fields.TextField: [*NO_TEXT, *(f"a{each}b" for each in ON_ANY_LINE), HALF, "x" * 2001],
    api_fields.KeyField: [*NO_KEY, "x" * 2001],
    api_fields.OneOfField: [*NO_TEXT, "", "nothing-of-the-kind", " open", HALF],
    api_fields.SwitchField: ["yes", "true", "false", "", 1, 0, 1.0, "1", [], {}, HALF],
    api_fields.SwitchTextField: ["yes", "True", "1", "0", "", "on", " true"],
    api_fields.WholeNumberField: NO_NUMBER,
    api_fields.NumberTextField: NO_NUMBER_TEXT,
    api_fields.DayField: [*NO_DAY, 20170131, True, 1.5, [], {}],
    api_fields.InstantField: [*NO_INSTANT, 0, True, [], {}],
    api_fields.ListOfField: ["x", "", {}, {"0": "x"}, 1, True],
    api_fields.ByNameField: ["x", "", [], 1, True],
    api_fields.UploadedFileField: ["x", "", 1, [], {}],
}
DOORS = doors()
BODIES = [door for door in DOORS if door.body is not None]
FILTERS = [door for door in DOORS if door.query is not Input]
FORMS = ("api/v1/batches/", "api/v1/adjustments/attachments/")


def bad_for(field: Any) -> list[Any]:
    """Return the values that a field of this kind must not take."""
    kind = next(each for each in type(field).__mro__ if each in BAD)
    found = list(BAD[kind])
    if getattr(field, "allow_blank", False):
        found = [each for each in found if each != ""]
    # What is too long for most fields may be what a field of whole documents is for.
    most = getattr(field, "max_length", None) or 0
    found = [
        "x" * (most + 1) if isinstance(each, str) and set(each) == {"x"} and 1 < len(each) <= most else each for each in found
    ]
    return found if field.allow_null else [*found, None]


def taken(field: Any) -> list[Any]:
    """Return the values that the field takes and must not."""
    found = []
    for bad in bad_for(field):
        with suppress(serializers.ValidationError):
            field.run_validation(bad)
            found.append(bad)
    return found


def test_every_strict_kind_has_values_that_it_must_not_take() -> None:
    declared = {
        each
        for each in vars(api_fields).values()
        if isinstance(each, type) and issubclass(each, serializers.Field) and each.__module__ == api_fields.__name__
    }
    assert {next(known for known in each.__mro__ if known in BAD) for each in declared} == set(BAD)
    assert all(issubclass(each, STRICT) for each in declared)


def test_there_are_as_many_doors_as_there_were() -> None:
    assert len(DOORS) >= 90
    assert len(FILTERS) >= 18
    assert len(BODIES) >= 45


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_every_field_is_of_the_one_strict_kind(door: Door) -> None:
    for shape in filter(None, (door.query, door.body)):
        bare = [name for name, field in fields_of(shape) if not isinstance(field, STRICT)]
        assert bare == [], f"{shape.__name__} has fields of a framework's own kind"


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_every_field_takes_only_what_it_says(door: Door) -> None:
    for shape in filter(None, (door.query, door.body)):
        assert {name: taken(field) for name, field in fields_of(shape) if taken(field)} == {}


@pytest.mark.parametrize("door", FILTERS, ids=lambda door: door.name)
def test_no_filter_is_text_without_a_length_or_a_switch_of_words(door: Door) -> None:
    for name, field in fields_of(door.query):
        assert not isinstance(field, api_fields.SwitchField | api_fields.WholeNumberField), f"{name} is read from text"
        assert getattr(field, "max_length", 1) is not None, name


@pytest.fixture
def client(world: World) -> APIClient:
    made = APIClient()
    made.force_authenticate(world.superuser)
    return made


def address(door: Door) -> str:
    """Return an address of the pattern, of what is there."""
    text = door.pattern
    for name, value in (("code", "CARD"), ("pk", "1"), ("step", "validate"), ("number", "1"), ("kind", "trial-balance")):
        start = text.find(f"(?P<{name}>")
        if start >= 0:
            text = text[:start] + value + text[text.index(")", start) + 1 :]
    return f"/{text}"


def faults(response: Any) -> dict[str, str]:
    """Return the codes of what was refused, by field; what was refused is answered with 400 and by name."""
    assert is_problem(response, 400, "shape_invalid")
    return {fault["field"]: fault["code"] for fault in response.json().get("faults", ())}


def test_an_empty_a_repeated_and_an_unknown_filter_are_refused_and_so_is_every_bad_value(client: APIClient) -> None:
    for door in FILTERS:
        where = address(door)
        for name, field in fields_of(door.query):
            assert name in faults(client.get(f"{where}?{name}=")), f"{name} was empty"
            assert faults(client.get(f"{where}?{name}=1&{name}=1"))[name] == "repeated"
            bad = [each for each in bad_for(field) if isinstance(each, str) and each and HALF not in each]
            for each in (bad[0], bad[-1]):
                query = QueryDict(mutable=True)
                query[name] = each
                assert name in faults(client.get(f"{where}?{query.urlencode()}")), (where, name, each)


def test_what_no_address_knows_is_refused_by_its_name_whatever_the_name_is(client: APIClient) -> None:
    for door in DOORS:
        for name, shown in (
            ("nothing", "nothing"),
            ("%ED%A0%80", "\ufffd" * 3),
            ("a%00%0A", "a\\x00\\n"),
            ("x" * 300, "x" * 100),
        ):
            assert faults(client.generic(door.method, f"{address(door)}?{name}=1"))[shown] == "unknown", door.name


def test_a_body_is_refused_by_the_name_of_what_is_wrong_with_it(client: APIClient) -> None:
    for door in BODIES:
        if door.pattern in FORMS or door.body is None:
            continue
        assert faults(_sent(client, door, {"nothing": 1}))["nothing"] == "unknown"
        for name, field in fields_of(door.body):
            first = name.split(".")[0]
            for bad in bad_for(field)[:2]:
                found = faults(_sent(client, door, _body(name, bad)))
                assert any(each == first or each.startswith(f"{first}.") for each in found), (door.name, name, bad)


NO_BODY = ['{"\\ud800": 1}', '{"version": "\\ud800"}', '{"a": {"b": ["\\udfff"]}}', "[]", "1", '"x"', "null", "{", "\x00"]


def test_a_body_of_halves_of_characters_or_of_no_names_is_refused(client: APIClient) -> None:
    for door in BODIES:
        for text in NO_BODY if door.pattern not in FORMS else ():
            response = client.generic(door.method, address(door), text, content_type="application/json")
            assert is_problem(response, 400, "shape_invalid"), (door.name, text)


@pytest.mark.parametrize("where", FORMS)
def test_a_form_is_read_as_strictly(client: APIClient, where: str) -> None:
    assert faults(client.post(f"/{where}", {"nothing": "1"}, format="multipart"))["nothing"] == "unknown"
    assert "file" in faults(client.post(f"/{where}", {"file": "text"}, format="multipart"))
    if where == "api/v1/batches/":
        for name, bad in (("sequence", ""), ("sequence", "01"), ("business_date", ""), ("source", " till"), ("source", "")):
            assert name in faults(client.post(f"/{where}", {name: bad}, format="multipart"))


def test_a_half_of_a_character_is_found_however_deep_it_stands() -> None:
    deep = "[" * 400 + '"\\ud800"' + "]" * 400
    with pytest.raises(ParseError, match="half a character"):
        StrictJSONParser().parse(io.BytesIO(deep.encode()))
    assert StrictJSONParser().parse(io.BytesIO(b'"\\ud83d\\ude00"')) == "\U0001f600"


def test_what_is_right_is_taken_as_it_is() -> None:
    assert api_fields.KeyField().run_validation(SEEN) == SEEN
    assert api_fields.TextField().run_validation(" two\nlines\t") == " two\nlines\t"
    assert api_fields.DayField().run_validation("1000-01-01").year == 1000
    assert api_fields.InstantField().run_validation("2017-02-01T09:00:00+09:00") == datetime(2017, 2, 1, tzinfo=UTC)
    assert api_fields.WholeNumberField().run_validation(2**63 - 1) == 2**63 - 1
    assert api_fields.NumberTextField().run_validation("0") == 0
    assert api_fields.SwitchTextField().run_validation("false") is False


def _sent(client: APIClient, door: Door, body: Any) -> Any:
    return client.generic(door.method, address(door), json.dumps(body), content_type="application/json")


def _body(name: str, bad: Any) -> dict[str, Any]:
    """Return a body that has a value at a dotted name; what stands within a list stands in its first row."""
    first, _, rest = name.partition(".")
    if not rest:
        return {first: bad}
    if rest == "*":
        return {first: {"n": bad} if first in ("controls", "contra_accounts") else [bad]}
    return {first: [_body(rest, bad)]}
