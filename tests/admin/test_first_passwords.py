"""A password that somebody else set, made or typed, by whichever door, is good for choosing another, and for nothing else."""

import html
import io
import json
import re
import secrets
from typing import Any

import pytest
from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.password_validation import validate_password
from django.core.management import call_command
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from config.doors.signing import sessions
from ledger_app.models import AuditRow, User
from ledger_app.people.operations import people
from tests.conftest import UserMaker, issue_token

pytestmark = pytest.mark.django_db
TYPED, OWN = "seven-green-otters", "eight-blue-herons"
SHOWN = re.compile(r'<code class="key">([^<]+)</code>')
PAGE = "/admin/password_change/"


@pytest.fixture
def office(root: User) -> Client:
    made = Client()
    made.force_login(root)
    return made


def signed_in(username: str, password: str) -> Client:
    client = Client()
    answer = client.post("/admin/login/", {"username": username, "password": password, "next": "/admin/"})
    assert answer.status_code == 302, answer.content
    return client


def staff(username: str) -> None:
    User.objects.filter(username=username).update(is_staff=True)


def by_form(office: Client, password: str) -> str:
    said = {"username": "sora", "usable_password": "true", "password1": password, "password2": password}
    answer = office.post(reverse("admin:ledger_app_user_add"), said)
    return password or html.unescape(SHOWN.findall(answer.content.decode())[0])


def by_page(office: Client, password: str) -> str:
    User.objects.create_user("sora", password=OWN)
    address = reverse("admin:auth_user_password_change", args=[User.objects.get(username="sora").pk])
    answer = office.post(address, {"usable_password": "true", "password1": password, "password2": password, "set-password": "1"})
    return password or html.unescape(SHOWN.findall(answer.content.decode())[0])


def by_command(password: str, monkeypatch: pytest.MonkeyPatch, *user: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    out = io.StringIO()
    how = "--password-stdin" if password else "--make-password"
    call_command("keep_user", "sora", how, "--group", "support", "--json", *user, stdout=out)
    return password or str(json.loads(out.getvalue())["password"])


def by_shell(password: str, monkeypatch: pytest.MonkeyPatch) -> str:
    User.objects.create_user("sora", password=OWN)
    typed = password or OWN
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda _self, _prompt="": typed)
    call_command("changepassword", "sora", stdout=io.StringIO())
    return typed


WAYS = {
    "the form of a new user": lambda office, password, _patch: by_form(office, password),
    "the page of a password": lambda office, password, _patch: by_page(office, password),
    "the command": lambda _office, password, patch: by_command(password, patch, "--user", "root-1", "--reason", "Joins."),
    "the command, of an operator": lambda _office, password, patch: by_command(password, patch),
    "the shell": lambda _office, password, patch: by_shell(password, patch),
}


@pytest.mark.parametrize("typed", [TYPED, ""], ids=["typed", "made"])
@pytest.mark.parametrize("way", WAYS)
def test_it_has_to_be_changed_first_and_then_all_opens(
    office: Client, monkeypatch: pytest.MonkeyPatch, way: str, typed: str
) -> None:
    password = WAYS[way](office, typed, monkeypatch)
    staff("sora")
    client = signed_in("sora", password)
    assert client.get("/admin/")["Location"] == PAGE
    assert "Choose your own password" in client.get(PAGE).content.decode()
    refused = client.get("/api/v1/books/")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_to_choose")
    # The one that another knows is no choice.
    same = client.post(PAGE, {"old_password": password, "new_password1": password, "new_password2": password})
    assert str(people.KNOWN) in html.unescape(same.content.decode())
    assert client.get("/admin/")["Location"] == PAGE
    other = f"{OWN}-8"
    assert client.post(PAGE, {"old_password": password, "new_password1": other, "new_password2": other}).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert "Choose your own password" not in client.get(PAGE).content.decode()
    assert User.objects.get(username="sora").secret_known_to_id is None
    # Nor can it be taken again by somebody who still knows it.
    assert Client().post("/admin/login/", {"username": "sora", "password": password}).status_code == 200


def names(resolver: URLResolver, space: str = "") -> list[str]:
    """Return the names of the pages of the admin that need nothing in their address."""
    found = []
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            found += names(each, f"{each.namespace}:" if each.namespace else space)
        elif each.name and space == "admin:" and not (each.pattern.converters or each.pattern.regex.groups):
            found.append(f"{space}{each.name}")
    return found


def test_no_page_but_those_opens(office: Client) -> None:
    password = by_form(office, TYPED)
    staff("sora")
    client = signed_in("sora", password)
    asked = [name for name in names(get_resolver()) if name not in sessions.OF_PASSWORD]
    assert len(asked) > 30
    opened = [name for name in asked if client.get(reverse(name)).headers.get("Location") != PAGE]
    assert opened == []
    # No token either: anyone who set the password would have it.
    issue = client.post(reverse("admin:tokens_issue"), {"name": "mine", "days": 1})
    assert issue["Location"] == PAGE
    assert client.post("/admin/logout/").status_code == 200


def test_a_token_that_was_issued_to_a_program_opens_what_it_opens(office: Client, make_user: UserMaker) -> None:
    program = make_user("machine-4", "auditor")
    User.objects.filter(pk=program.pk).update(secret_known_to=User.objects.get(username="root-1"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(program)}")
    assert client.get("/api/v1/books/").status_code == 200


def test_what_is_made_is_random_shown_once_and_kept_nowhere(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {people.made_password("sora") for _turn in range(200)}
    assert len(made) == 200
    for each in made:
        validate_password(each, User(username="sora"))
        assert len(each) == 23
    password = by_form(office, "")
    page = office.get(reverse("admin:ledger_app_user_change", args=[User.objects.get(username="sora").pk]))
    assert password not in page.content.decode()
    kept = json.dumps([*AuditRow.objects.values("facts", "reason", "subject"), *office.session.values()], default=str)
    assert password not in kept
    assert User.objects.get(username="sora").check_password(password)


def test_one_that_the_rules_do_not_take_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("2345678923456789234567892345abcdefghjkmnpqrstuvw" * 3)
    monkeypatch.setattr(secrets, "choice", lambda _of: next(letters))
    validate_password(people.made_password("sora"), User(username="sora"))


def test_whoever_came_by_the_provider_used_no_password(office: Client) -> None:
    by_form(office, TYPED)
    staff("sora")
    client = Client()
    client.force_login(User.objects.get(username="sora"))
    assert client.get("/admin/")["Location"] == PAGE
    session: Any = client.session
    session[sessions.BY_PROVIDER] = True
    session.save()
    assert client.get("/admin/").status_code == 200


def test_the_operation_refuses_the_known_one_as_well(office: Client, caller_of: Any) -> None:
    by_form(office, TYPED)
    sora = User.objects.get(username="sora")
    with pytest.raises(Exception, match="knows it"):
        people.set_password(username="sora", password=TYPED, caller=caller_of(sora))
    people.set_password(username="sora", password=OWN, caller=caller_of(sora))
    assert User.objects.get(username="sora").secret_known_to_id is None
