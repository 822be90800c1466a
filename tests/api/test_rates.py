"""How many requests a user may send in a minute: at every address of the API by token and by session, and at every page."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from config.doors.requests import rates
from ledger_app.models import Book, User
from tests.conftest import UserMaker, issue_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """A minute that goes on only when it is told to, and three requests in it."""
    at = [60_000_040.5]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    settings.KAKUTEI_REQUESTS_A_MINUTE = 3
    cache.clear()
    return at


@pytest.fixture
def auditor(make_user: UserMaker) -> User:
    return make_user("auditor-1", "auditor")


def by_token(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(user)}")
    return client


def asked(client: Any, address: str = "/api/v1/books/") -> Any:
    return client.get(address)


def test_more_than_may_be_are_told_when_to_come_again(clock: Any, auditor: User, make_user: UserMaker) -> None:
    client = by_token(auditor)
    assert [asked(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = asked(client)
    assert (answer["Content-Type"], answer["Retry-After"]) == ("application/problem+json", "20")
    assert answer.json()["code"] == "throttled"
    # One user is not held up by another, and nobody longer than the minute.
    assert asked(by_token(make_user("auditor-2", "auditor"))).status_code == 200
    clock[0] += 19
    assert asked(client).status_code == 429
    clock[0] += 1
    assert asked(client).status_code == 200


def test_another_token_and_another_address_are_no_other_user(clock: Any, auditor: User) -> None:
    tokens = [by_token(auditor), by_token(auditor)]
    addresses = ("/api/v1/books/", "/api/v1/accounts/", "/api/v1/schema/?format=json", "/api/v1/periods/")
    found = [asked(tokens[number % 2], address).status_code for number, address in enumerate(addresses)]
    assert found == [200, 200, 200, 429]


def test_what_comes_beyond_does_nothing(clock: Any, make_user: UserMaker) -> None:
    client = by_token(make_user("finance-1", "finance"))
    for _ in range(3):
        asked(client)
    before = Book.objects.count()
    answer = client.post("/api/v1/books/", {"code": "B", "name": "B", "unit": "points", "exponent": 0, "time_zone": "UTC"})
    assert (answer.status_code, Book.objects.count()) == (429, before)


@pytest.mark.parametrize(
    ("method", "address", "refused"),
    [
        ("get", "/api/v1/users/", 403),
        ("post", "/api/v1/users/", 403),
        ("get", "/api/v1/nothing/", 404),
        ("get", "/api/v1/accounts/999999/", 404),
        ("delete", "/api/v1/books/", 405),
        ("get", "/api/v1/books/?x=1", 400),
        ("options", "/api/v1/books/", 204),
        ("head", "/api/v1/books/", 200),
    ],
)
def test_what_is_refused_is_counted_as_well(clock: Any, make_user: UserMaker, method: str, address: str, refused: int) -> None:
    """A refusal costs as much as an answer, and one of what would have written leaves a row."""
    client = by_token(make_user("support-1", "support"))
    found = [getattr(client, method)(address).status_code for _ in range(5)]
    assert found == [refused] * 3 + [429] * 2


def test_pages_and_the_api_by_a_session_are_counted_together(clock: Any, auditor: User) -> None:
    client = Client()
    client.force_login(auditor)
    assert [asked(client, place).status_code for place in ("/admin/", "/api/v1/books/", "/admin/ledger_app/book/")] == [200] * 3
    page, api = asked(client, "/admin/"), asked(client)
    assert [(each.status_code, each["Retry-After"]) for each in (page, api)] == [(429, "20")] * 2
    assert (page["Content-Type"].split(";")[0], api["Content-Type"]) == ("text/html", "application/problem+json")
    assert str(rates.TOLD) in page.content.decode()


def test_strangers_are_not_counted_but_not_let_in(clock: Any) -> None:
    assert {asked(APIClient()).status_code for _ in range(5)} == {401}
    assert {asked(Client(), "/admin/login/").status_code for _ in range(5)} == {200}


def test_a_count_that_was_forgotten_lets_in(clock: Any, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "add", lambda *_said, **_more: False)
    assert asked(by_token(auditor)).status_code == 200


def test_every_operation_says_that_it_may_be_too_much(auditor: User) -> None:
    described = asked(by_token(auditor), "/api/v1/schema/?format=json").json()
    operations = [each for path in described["paths"].values() for each in path.values() if "responses" in each]
    assert len(operations) > 90
    assert [each["operationId"] for each in operations if "429" not in each["responses"]] == []
    assert all("application/problem+json" in each["responses"]["429"]["content"] for each in operations)
