"""A user sees where they are signed in and ends the others; an administrator ends all of a user, by page and by command."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config.doors.admin import own_sessions
from ledger_app import errors
from ledger_app.models import AuditRow, User
from ledger_app.people.operations import sessions
from tests.conftest import CallerMaker, UserMaker, issue_token
from tests.support.page_clocks import Clock

pytestmark = pytest.mark.django_db
PAGE = "/admin/sessions/"


@pytest.fixture
def fumiko(make_user: UserMaker) -> User:
    user = make_user("fumiko", "finance")
    user.is_staff = True
    user.save()
    return user


def client_of(user: User) -> Client:
    made = Client()
    made.force_login(User.objects.get(pk=user.pk))
    return made


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_those_that_are_open_are_shown_and_no_other(fumiko: User, root: User, clock: Clock) -> None:
    first = client_of(fumiko)
    client_of(root)
    clock.pass_by(minutes=5)
    second = client_of(fumiko)
    there = own_sessions.of(fumiko)
    assert [each.seen_at - each.began_at for each in there] == [timedelta(0)] * 2
    assert there[0].began_at - there[1].began_at == timedelta(minutes=5)
    page = second.get(PAGE).content.decode()
    assert page.count("this one") == 1
    assert page.count("<td>another</td>") == 1
    # One that nobody used for too long, that has ended or was signed out of is open no more.
    clock.pass_by(minutes=11)
    assert is_in(second)
    (left,) = own_sessions.of(fumiko)
    assert left.key == second.session.session_key
    assert left.seen_at - left.began_at == timedelta(minutes=11)
    assert "You are signed in nowhere else." in second.get(PAGE).content.decode()
    assert not is_in(first)
    second.post("/admin/logout/")
    assert own_sessions.of(fumiko) == []


def test_a_session_is_open_under_the_key_of_before(fumiko: User, settings: Any) -> None:
    client_of(fumiko)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert len(own_sessions.of(fumiko)) == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert own_sessions.of(fumiko) == []


def test_the_others_are_ended_and_this_one_goes_on(fumiko: User, root: User) -> None:
    mine, others, stranger = client_of(fumiko), [client_of(fumiko) for _turn in range(3)], client_of(root)
    assert mine.get(f"{PAGE}end/").status_code == 302
    assert len(own_sessions.of(fumiko)) == 4
    told = mine.post(f"{PAGE}end/", follow=True).content.decode()
    assert "You are signed in nowhere else any more." in told
    assert [is_in(each) for each in (mine, *others, stranger)] == [True, False, False, False, True]
    assert "your sessions were ended" in others[0].get("/admin/login/").content.decode()
    fumiko.refresh_from_db()
    assert len(own_sessions.of(fumiko)) == 1
    row = AuditRow.objects.get(action="end_own_sessions")
    assert (row.actor, row.subject, row.outcome) == (fumiko, "fumiko", "done")


def test_who_ends_them_shows_first_who_they_are(fumiko: User, clock: Clock) -> None:
    mine, other = client_of(fumiko), client_of(fumiko)
    clock.pass_by(minutes=11)
    asked = mine.post(f"{PAGE}end/")["Location"]
    assert asked.startswith("/admin/again/?next=")
    assert is_in(other)
    # Looking is free, and coming back ends nothing by itself.
    assert mine.get(PAGE).status_code == 200
    assert mine.get(f"{PAGE}end/")["Location"].startswith("/admin/again/")


def test_an_administrator_ends_them_all_with_a_reason(fumiko: User, root: User) -> None:
    client, token = client_of(fumiko), issue_token(fumiko)
    office = client_of(root)
    address = reverse("admin:ledger_app_user_end_sessions", args=[fumiko.pk])
    assert address in office.get(reverse("admin:ledger_app_user_change", args=[fumiko.pk])).content.decode()
    assert "wherever they are signed in" in office.get(address).content.decode()
    assert office.post(address, {"reason": ""}).status_code == 200
    assert is_in(client)
    told = office.post(address, {"reason": "Her bag was stolen."}, follow=True).content.decode()
    assert "fumiko is signed out everywhere." in told
    assert (is_in(client), is_in(office)) == (False, True)
    row = AuditRow.objects.get(action="end_sessions")
    assert (row.actor, row.subject, row.reason) == (root, "fumiko", "Her bag was stolen.")
    # A token is ended by itself, and she may come again.
    assert Client().get("/api/v1/books/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert is_in(client_of(fumiko))
    # Nobody without the right, and of nobody who is none.
    assert client_of(fumiko).post(address, {"reason": "x"}).status_code == 403
    system = User.objects.get(username=User.SYSTEM)
    for key in (system.pk, 999_999):
        nowhere = office.post(reverse("admin:ledger_app_user_end_sessions", args=[key]), {"reason": "x"}, follow=True)
        assert "There is no such user." in nowhere.content.decode()


def test_the_command_does_the_same(fumiko: User, root: User) -> None:
    for user in ((), ("--user", "root-1")):
        client, out = client_of(fumiko), StringIO()
        call_command("end_sessions", "Fumiko", "--reason", "Left the building.", "--json", *user, stdout=out)
        assert json.loads(out.getvalue()) == {"user": "Fumiko", "ended": True}
        assert not is_in(client)
    told = AuditRow.objects.filter(action="end_sessions").order_by("id").values_list("actor__username", "reason")
    assert list(told) == [(User.SYSTEM, "Left the building."), ("root-1", "Left the building.")]
    with pytest.raises(SystemExit):
        call_command("end_sessions", "nobody", "--reason", "x", stdout=StringIO(), stderr=StringIO())


def test_the_operation_asks_for_the_right(fumiko: User, root: User, caller_of: CallerMaker) -> None:
    with pytest.raises(errors.Refused, match="not_permitted"):
        sessions.end(username="root-1", reason="x", caller=caller_of(fumiko))
    with pytest.raises(errors.Refused, match="not_found"):
        sessions.end(username=User.SYSTEM, reason="x", caller=caller_of(root))


def test_what_cannot_be_read_is_nobodys(fumiko: User) -> None:
    client_of(fumiko)
    Session.objects.update(session_data="not-signed")
    assert own_sessions.of(fumiko) == []
