"""A session ends when nobody does anything, after a day of work, and with the right to it; and who decides shows again who they are."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, get_resolver

from config.doors import telling
from config.doors.signing import sessions, step_up
from ledger_app.models import Adjustment, User
from tests.conftest import UserMaker
from tests.support.page_clocks import Clock

GOOD = "seven-green-otters"
pytestmark = pytest.mark.django_db


@pytest.fixture
def fumiko(make_user: UserMaker) -> User:
    user = make_user("fumiko", "finance")
    user.is_staff = True
    user.set_password(GOOD)
    user.save()
    return user


@pytest.fixture
def client(fumiko: User, clock: Clock) -> Client:
    made = Client()
    made.force_login(fumiko)
    return made


def is_in(client: Client, **headers: Any) -> bool:
    return client.get("/admin/", **headers).status_code == 200


@pytest.mark.anywhere
def test_it_ends_when_nobody_does_anything_and_a_page_that_asks_by_itself_is_nobody(client: Client, clock: Clock) -> None:
    for _turn in range(4):
        clock.pass_by(minutes=14)
        assert is_in(client)
    answered = []
    for _turn in range(3):
        clock.pass_by(minutes=7)
        answered.append(is_in(client, HTTP_X_REQUESTED_WITH="XMLHttpRequest"))
    assert answered == [True, True, False]
    page = client.get("/admin/login/").content.decode()
    assert "nobody did anything here" in page
    assert "nobody did anything here" not in client.get("/admin/login/").content.decode()
    # What is kept of the session is not who it was.
    assert all("_auth_user_id" not in each.get_decoded() for each in Session.objects.all())


@pytest.mark.anywhere
def test_it_ends_after_a_day_of_work_whatever_is_done(client: Client, clock: Clock, settings: Any) -> None:
    for _turn in range(settings.KAKUTEI_SESSION_HOURS * 6 - 1):
        clock.pass_by(minutes=10)
        assert is_in(client)
    clock.pass_by(minutes=10)
    assert not is_in(client)
    assert "after a day of work" in client.get("/admin/login/").content.decode()


@pytest.mark.anywhere
def test_it_ends_when_the_user_is_disabled_and_does_not_come_back(fumiko: User, client: Client) -> None:
    unasked = Client()
    unasked.force_login(fumiko)
    fumiko.refresh_from_db()
    fumiko.is_active = False
    fumiko.save()
    assert not is_in(client)
    assert client.get("/api/v1/books/").status_code in {401, 403}
    fumiko.is_active = True
    fumiko.save()
    assert not is_in(client)
    assert not is_in(unasked)


@pytest.mark.anywhere
def test_it_ends_elsewhere_when_the_password_is_changed(fumiko: User, client: Client) -> None:
    other = Client()
    other.force_login(fumiko)
    said = {"old_password": GOOD, "new_password1": "eight-blue-herons", "new_password2": "eight-blue-herons"}
    assert client.post("/admin/password_change/", said).status_code == 302
    assert is_in(client)
    assert not is_in(other)


@pytest.mark.anywhere
def test_a_session_from_before_this_was_counted_begins_now(client: Client, clock: Clock) -> None:
    kept = client.session
    del kept[sessions.BEGAN]
    kept.save()
    assert is_in(client)
    clock.pass_by(minutes=16)
    assert not is_in(client)


@pytest.mark.anywhere
def test_a_decision_asks_again_and_the_page_comes_back(client: Client, clock: Clock, settings: Any) -> None:
    settings.KAKUTEI_STEP_UP_MINUTES = 10
    address = "/admin/ledger_app/adjustment/1/do/approve/"
    assert client.get(address).status_code == 404
    clock.pass_by(minutes=11)
    asking = f"/admin/again/?next={quote(address, safe='')}"
    assert client.get(address)["Location"] == asking
    onward = client.post(address, {"reason": "Seen.", "version": 1})["Location"]
    assert onward.startswith(f"{asking}%3Ftyped%3D")
    assert client.get(onward).status_code == 200
    wrong = client.post("/admin/again/", {"password": "wrong", "next": address})
    assert "The password is not right." in wrong.content.decode()
    assert client.get(address).status_code == 302
    assert client.post("/admin/again/", {"password": GOOD, "next": "https://elsewhere.example/"})["Location"] == "/admin/"
    assert client.post("/admin/again/", {"password": GOOD, "next": address})["Location"] == address
    assert client.get(address).status_code == 404
    assert not Adjustment.objects.exists()


@pytest.mark.anywhere
def test_a_session_in_the_api_is_asked_too_and_a_token_is_not(fumiko: User, client: Client, clock: Clock, settings: Any) -> None:
    settings.KAKUTEI_STEP_UP_MINUTES = 10
    clock.pass_by(minutes=11)
    address = "/api/v1/adjustments/1/transitions/approve/"
    for headers in ({}, {"HTTP_AUTHORIZATION": "Basic x"}):
        refused = client.post(address, {}, content_type="application/json", **headers)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    token = client.post(address, {}, content_type="application/json", HTTP_AUTHORIZATION="Token x")
    assert token.status_code == 401
    assert client.get("/api/v1/books/").status_code == 200


@pytest.mark.anywhere
@pytest.mark.parametrize("sent", ["Token x", "token", "TOKEN x y", "Basic x", "Bearer x", ""])
@pytest.mark.parametrize(
    "holds", ["a password to choose", "a second factor to set up", "showing again who they are", "too many requests"]
)
def test_whatever_a_page_is_sent_a_session_is_held_as_without_it(
    fumiko: User, client: Client, clock: Clock, settings: Any, holds: str, sent: str
) -> None:
    """No page asks for a token: one that is none must not open what the session does not."""
    address, status, place = "/admin/", 302, ""
    if holds == "a password to choose":
        User.objects.filter(pk=fumiko.pk).update(secret_known_to=User.objects.get(username=User.SYSTEM))
        place = "/admin/password_change/"
    elif holds == "a second factor to set up":
        settings.KAKUTEI_SECOND_FACTOR, place = "everyone", "/admin/factors/"
    elif holds == "showing again who they are":
        clock.pass_by(minutes=11)
        address, place = "/admin/sessions/end/", "/admin/again/?next=%2Fadmin%2Fsessions%2Fend%2F"
    else:
        settings.KAKUTEI_REQUESTS_A_MINUTE, status = 0, 429
    answer = client.get(address, HTTP_AUTHORIZATION=sent)
    assert (answer.status_code, answer.headers.get("Location", "")) == (status, place)


@pytest.mark.anywhere
def test_who_registers_a_user_in_the_api_is_asked_and_who_looks_is_not(
    fumiko: User, client: Client, clock: Clock, settings: Any
) -> None:
    User.objects.filter(pk=fumiko.pk).update(is_superuser=True)
    settings.KAKUTEI_STEP_UP_MINUTES = 10
    clock.pass_by(minutes=11)
    refused = client.post("/api/v1/users/", {"username": "sora", "groups": []}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert client.get("/api/v1/users/").status_code == 200
    assert not User.objects.filter(username="sora").exists()


@pytest.mark.anywhere
def test_nobody_is_asked_where_it_is_off(client: Client, clock: Clock, settings: Any) -> None:
    assert settings.KAKUTEI_STEP_UP_MINUTES == 0
    clock.pass_by(minutes=14)
    assert client.get("/admin/ledger_app/adjustment/1/do/approve/").status_code == 404


def patterns(resolver: Any, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield prefix + str(each.pattern), f"{space}{each.name}"
        else:
            yield from patterns(each, prefix + str(each.pattern), space + (f"{each.namespace}:" if each.namespace else ""))


@pytest.mark.anywhere
def test_every_address_that_decides_or_gives_rights_is_in_the_table() -> None:
    there = list(patterns(get_resolver()))
    names = {name for _address, name in there}
    assert set(step_up.OF_RIGHTS) | step_up.OF_OWN | sessions.FREE <= names
    pages = [name for address, name in there if "/do/<slug:name>/" in address]
    assert len(pages) > 5
    assert all(step_up.IN_PAGES.fullmatch(name) for name in pages)
    decided = {found[1] for address, _name in there if (found := step_up.IN_API.search(address.rstrip("$")))}
    assert {"approve", "freeze", "reject"} <= decided & step_up.deciding()
    # What decides in the API is called as it is in the machine, so that one word finds it.
    known = {each.name for machine in telling.MACHINES.values() for each in machine.transitions}
    assert decided <= known
    # Anyone who changes users or lets somebody in does so by an address that is known here.
    doing = [
        name
        for address, name in there
        if address.startswith(("admin/ledger_app/user/", "admin/ledger_app/token/", "admin/ledger_app/failedtry/"))
        and not name.endswith(("_changelist", "_history", "_simple_history", ":", ":None", "_user_delete"))
    ]
    looking = {"admin:ledger_app_token_change", "admin:ledger_app_failedtry_change"}
    closed = {"admin:ledger_app_failedtry_add", "admin:ledger_app_failedtry_delete", "admin:ledger_app_token_delete"}
    assert set(doing) - looking - closed <= set(step_up.OF_RIGHTS)
