"""The pages and the commands of tokens: issued, followed and ended; told once, audited, and offered to users who may."""

import json
import re
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from config.doors.signing import step_up
from ledger_app.models import AuditRow, Token, User
from ledger_app.templatetags import look
from ledger_app.values import instants
from ledger_app.values import tokens as rules
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker

KEY = re.compile(rules.KEY.pattern)
OWN = reverse("admin:tokens")
ADD = reverse("admin:ledger_app_token_add")


@pytest.fixture
def client(make_user: UserMaker, client_of: ClientOf) -> Client:
    return client_of(make_user("root-1", "auditor", is_superuser=True))


@pytest.fixture
def till(make_user: UserMaker) -> User:
    return make_user("till-1", "till")


def key_of(page: Any) -> str:
    assert page.status_code == 200, page
    assert "no-store" in page["Cache-Control"]
    (key,) = KEY.findall(page.content.decode())
    return str(key)


def is_good(key: str) -> bool:
    return Client(headers={"Authorization": f"Token {key}"}).get("/api/v1/accounts/?book=NONE&code=x").status_code != 401


def test_an_administrator_issues_replaces_and_ends_a_programs_token(
    client: Client, till: User, finance: User, auditor: User, client_of: ClientOf
) -> None:
    said = {"user": till.pk, "name": "till 4", "days": 30, "operations": ["ledger_app.place_hold"]}
    key = key_of(client.post(ADD, said))
    row = Token.objects.get()
    assert (row.user, row.operations, row.books, row.prefix) == (till, ["ledger_app.place_hold"], None, key[: rules.PREFIX_MOST])
    assert is_good(key)
    # What is there is told with its end, which may be another than was asked for now.
    assert f"already, good until {look.instant_text(row.ends_at)}" in client.post(ADD, {**said, "days": 9}).content.decode()
    # A person issues their own, and nobody is offered whom a token would let act as another.
    assert "finance-1" not in client.get(ADD).content.decode()
    assert "Select a valid choice" in client.post(ADD, {**said, "user": finance.pk}).content.decode()
    replace = reverse("admin:ledger_app_token_replace", args=[row.pk])
    assert client.get(replace).status_code == 200
    second = key_of(client.post(replace, {"days": 30, "overlap": 2}))
    assert is_good(key)
    assert is_good(second)
    pages = {
        "list": reverse("admin:ledger_app_token_changelist"),
        "one": reverse("admin:ledger_app_token_change", args=[row.pk]),
        "narrowed": reverse("admin:ledger_app_token_changelist") + "?good=yes",
        "home": reverse("admin:index"),
    }
    for who in (client, client_of(auditor)):
        for name, address in pages.items():
            shown = who.get(address)
            assert shown.status_code == 200
            assert not KEY.search(shown.content.decode())
            assert name == "home" or row.prefix in shown.content.decode()
    end = reverse("admin:ledger_app_token_end", args=[row.pk])
    assert client.get(end).status_code == 200
    assert client.post(end).status_code == 302
    assert not is_good(key)
    assert is_good(second)
    told = AuditRow.objects.filter(subject_type="token").order_by("id").values_list("action", "actor__username")
    assert list(told) == [("issue", "root-1"), ("replace", "root-1"), ("end", "root-1")]
    assert not LogEntry.objects.exists()
    for who in (client_of(auditor), client_of(finance)):
        for address in (ADD, replace, end):
            assert who.post(address, {"days": 1}).status_code == 403


def test_one_issues_replaces_and_ends_ones_own(finance: User, support: User, client: Client, client_of: ClientOf) -> None:
    own = client_of(finance)
    assert "You have none yet" in own.get(OWN).content.decode()
    issue = reverse("admin:tokens_issue")
    offered = own.get(issue).content.decode()
    assert "ledger_app.decide_adjustment" in offered
    assert "ledger_app.propose_adjustment" not in offered
    said = {"name": "close", "days": 10}
    assert (
        "Choose everything, or some"
        in own.post(issue, {**said, "is_all": "on", "operations": ["ledger_app.decide_adjustment"]}).content.decode()
    )
    assert "less than or equal to" in own.post(issue, {**said, "days": 366}).content.decode()
    key = key_of(own.post(issue, said))
    row = Token.objects.get()
    assert (row.user, row.operations, row.books, row.issued_by) == (finance, [], None, finance)
    assert "only reads" in own.get(OWN).content.decode()
    replace, end = (reverse(f"admin:tokens_{name}", args=[row.pk]) for name in ("replace", "end"))
    for address in (replace, end):
        assert client_of(support).get(address).status_code == 404
        assert own.get(address).status_code == 200
    second = key_of(own.post(replace, {"days": 10, "overlap": 0}))
    assert (is_good(key), is_good(second)) == (False, True)
    assert own.post(reverse("admin:tokens_end", args=[Token.objects.get(replaces=row).pk])).status_code == 302
    assert not is_good(second)
    page = own.get(OWN).content.decode()
    assert "Revoked" in page
    assert not KEY.search(page)
    # Who may do everything has none, and is not offered one.
    assert issue not in client.get(OWN).content.decode()
    assert client.post(issue, {**said, "is_all": "on"}).status_code == 409


@pytest.mark.anywhere
def test_issuing_asks_again_who_one_is() -> None:
    assert {"admin:tokens_issue", "admin:tokens_replace"} <= step_up.OF_OWN
    of_others = {f"admin:ledger_app_token_{name}" for name in ("add", "replace", "end")}
    assert {step_up.OF_RIGHTS[name] for name in of_others} == {"ledger_app.give_token"}


def said(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_commands_issue_list_replace_and_end(till: User, finance: User, client: Client) -> None:
    first = said("issue_token", "till-1", "--called", "till 4", "--operation", "ledger_app.place_hold", "--days", "3")
    assert (first["new"], is_good(first["key"])) == (True, True)
    again = said("issue_token", "till-1", "--called", "till 4", "--operation", "ledger_app.place_hold")
    assert (again["new"], again["key"], again["prefix"]) == (False, None, first["prefix"])
    second = said("issue_token", "till-1", "--replaces", first["prefix"], "--old-days", "0", "--user", "root-1")
    assert [is_good(each["key"]) for each in (first, second)] == [False, True]
    reads = said("issue_token", finance.username, "--reads-only")
    (one, other) = said("list_tokens")["tokens"]
    assert (one["user"], one["operations"], one["good"]) == (finance.username, [], True)
    assert (other["prefix"], other["issued_by"]) == (second["prefix"], "root-1")
    assert (other["last_used_at"] is None, one["last_used_at"]) == (False, None)
    assert len(said("list_tokens", "till-1", "--all")["tokens"]) == 2
    plain = StringIO()
    call_command("issue_token", "till-1", "--called", "till 4", "--operation", "ledger_app.place_hold", stdout=plain)
    assert f"already, good until {instants.text(datetime.fromisoformat(second['ends_at']))}" in plain.getvalue()
    call_command("list_tokens", stdout=plain)
    assert not KEY.search(plain.getvalue())
    assert said("end_token", second["prefix"])["ended"] is True
    assert said("end_token", second["prefix"])["ended"] is False
    assert said("end_token", reads["prefix"], "--user", finance.username)["ended"] is True
    shell = AuditRow.objects.filter(subject_type="token", action="issue").values_list("actor__username", "os_user")
    assert {(actor, bool(account)) for actor, account in shell} == {("system", True)}
    for wrong in (
        ("issue_token", "root-1"),
        ("issue_token", finance.username, "--user", "root-1"),
        ("issue_token", "till-1", "--called", "x", "--user", finance.username),
        ("issue_token", "till-1", "--reads-only", "--operation", "ledger_app.place_hold"),
        ("issue_token", "till-1", "--replaces", first["prefix"], "--book", "B"),
        ("end_token", "kakutei_none"),
    ):
        with pytest.raises((SystemExit, CommandError)):
            call_command(*wrong, stdout=StringIO(), stderr=StringIO())
