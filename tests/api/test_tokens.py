"""What a token opens at the API: what its user may do, what it is for, and the books that it reaches. And nothing where it is none, or over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.doors import callers as doorways
from ingestion_app.api import urls as files
from ledger_app.api import urls as ledger
from ledger_app.models import AuditRow, Token, User
from ledger_app.values import tokens as rules
from tests.api.conftest import ClientOf, is_problem
from tests.api.test_points import body, points
from tests.api.test_tills import PARAMETER, sample
from tests.conftest import UserMaker, issue_token
from tests.support import world as worlds

__all__ = ["points"]
API = "/api/v1/"


def with_key(key: str) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return made


def test_what_is_no_token_or_is_over_opens_nothing(engineer: User) -> None:
    key = issue_token(engineer)
    assert with_key(key).get(f"{API}books/").status_code == 200
    with CaptureQueriesContext(connection) as asked:
        for wrong in ("", "x", key[:-1], key.upper(), f"{key} x", "é" * 40):
            assert is_problem(with_key(wrong).get(f"{API}books/"), 401, "authentication_failed")
    assert [each["sql"] for each in asked if "ledger_app_token" in each["sql"]] == []
    assert is_problem(with_key(rules.new_key().text).get(f"{API}books/"), 401, "authentication_failed")
    User.objects.filter(pk=engineer.pk).update(is_superuser=True)
    assert is_problem(with_key(key).get(f"{API}books/"), 401, "authentication_failed")
    User.objects.filter(pk=engineer.pk).update(is_superuser=False)
    Token.objects.update(ends_at=datetime.now(UTC), issued_at=datetime.now(UTC) - timedelta(days=1))
    refused = with_key(key).get(f"{API}books/")
    assert is_problem(refused, 401, "authentication_failed")
    assert refused["WWW-Authenticate"] == "Token"
    # Nor does one open the pages.
    assert Client(headers={"Authorization": f"Token {issue_token(engineer)}"}).get("/admin/").status_code == 302


def test_a_read_writes_down_that_the_token_was_used_once_a_minute(engineer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = with_key(issue_token(engineer))
    Token.objects.update(last_used_at=None)
    now = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    Token.objects.update(issued_at=now, ends_at=now + timedelta(days=1))
    written = []
    for seconds in (0, 1, 59, 61):
        monkeypatch.setattr(doorways, "now", lambda at=now + timedelta(seconds=seconds): at)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"{API}books/").status_code == 200
        written.append(len([each for each in asked if each["sql"].startswith("UPDATE")]))
    assert written == [1, 0, 0, 1]
    assert Token.objects.get().last_used_at == now + timedelta(seconds=61)


def test_a_token_does_what_it_is_for_and_reads_what_its_user_reads(points: Any, make_user: UserMaker) -> None:
    till = make_user("till-1", "till")
    client = with_key(issue_token(till, operations=["ledger_app.place_hold"]))
    made = client.post(f"{API}holds/", body(), format="json")
    assert made.status_code == 201
    assert AuditRow.objects.get(subject_type="hold").facts["token"] == Token.objects.get(user=till).prefix
    address = f"{API}holds/{made.json()['id']}/"
    assert client.get(address).status_code == 200
    refused = client.post(f"{address}transitions/release/", {"reason": "x"}, format="json")
    assert is_problem(refused, 403, "not_permitted")
    (release,) = [each for each in client.get(address).json()["offers"] if each["name"] == "release"]
    assert [each["code"] for each in release["reasons"]] == ["not_permitted"]
    reader = with_key(issue_token(till, operations=[]))
    assert reader.get(address).status_code == 200
    assert is_problem(reader.post(f"{API}holds/", body(reference="other"), format="json"), 403, "not_permitted")
    assert with_key(issue_token(till)).post(f"{address}transitions/release/", {"reason": "x"}, format="json").status_code == 200


def test_a_token_reaches_its_books_and_nothing_beside(world: worlds.World, finance: User) -> None:
    finance.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_group"]))
    batch = world.applied()
    client = with_key(issue_token(finance, books=["CARD"]))
    everything = with_key(issue_token(finance))
    for name in ("accounts", "entries", "periods"):
        rows = client.get(f"{API}{name}/?page_size=1000").json()["results"]
        of_all = everything.get(f"{API}{name}/?page_size=1000").json()["results"]
        assert {row["book"] for row in rows} == {"CARD"}
        assert len({row["book"] for row in of_all}) > 1
        other = next(row for row in of_all if row["book"] != "CARD")
        assert is_problem(client.get(f"{API}{name}/{other['id']}/"), 404, "not_found")
        assert client.get(f"{API}{name}/{rows[0]['id']}/").status_code == 200
    assert [each["code"] for each in client.get(f"{API}books/").json()["results"]] == ["CARD"]
    assert is_problem(client.get(f"{API}books/POINTS/"), 404, "not_found")
    # What is of no one book is not reached at all, by whatever way.
    beside = (
        "members/",
        "users/",
        "batches/",
        f"batches/{batch.pk}/",
        "events/",
        "webhooks/",
        "reason-codes/",
        "limits/",
        "setting-changes/",
        "merges/",
    )
    for address in beside:
        assert is_problem(client.get(f"{API}{address}"), 403, "token_bound")
    other = next(row for row in everything.get(f"{API}periods/").json()["results"] if row["book"] != "CARD")
    step = f"{API}periods/{other['id']}/transitions/provisional/"
    assert is_problem(client.post(step, {"version": other["version"]}, format="json"), 404, "not_found")
    assert is_problem(client.post(f"{API}books/", {}, format="json"), 403, "token_bound")


def test_every_item_of_a_request_names_a_book_of_the_token(points: Any, make_user: UserMaker) -> None:
    till = make_user("till-1", "till")
    within = with_key(issue_token(till, books=["POINTS"]))
    outside = with_key(issue_token(till, books=["CARD"]))
    assert is_problem(outside.post(f"{API}holds/", body(), format="json"), 403, "token_bound")
    many = {"mode": "each", "holds": [body(), body(reference="two", book="CARD")]}
    for client in (within, outside):
        assert is_problem(client.post(f"{API}bulk/holds/", many, format="json"), 403, "token_bound")
    assert is_problem(within.post(f"{API}bulk/holds/", {"mode": "each", "holds": []}, format="json"), 403, "token_bound")
    assert within.post(f"{API}bulk/holds/", {"mode": "each", "holds": [body()]}, format="json").json()["created"] == 1
    (row,) = within.get(f"{API}accounts/?book=POINTS&code=M1").json()["results"]
    assert outside.get(f"{API}accounts/?book=POINTS&code=M1").json()["results"] == []
    assert is_problem(outside.get(f"{API}accounts/{row['id']}/"), 404, "not_found")
    hold = within.get(f"{API}holds/").json()["results"][0]
    release = f"{API}holds/{hold['id']}/transitions/release/"
    assert is_problem(outside.post(release, {"reason": "x"}, format="json"), 404, "not_found")
    assert within.post(release, {"reason": "x"}, format="json").status_code == 200


def test_every_view_says_how_far_a_token_of_some_books_reaches(client_of: ClientOf, finance: User) -> None:
    """Whatever comes new is refused to it, until somebody has said by which path its rows have a book."""
    finance.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_group"]))
    client = with_key(issue_token(finance, books=["NONE"]))
    routes: list[Any] = [*ledger.urlpatterns, *files.urlpatterns]
    statuses = {}
    for each in routes:
        answer = client.get(f"{API}{PARAMETER.sub(sample, str(each.pattern).strip('^$'))}")
        if answer.status_code == 200:
            assert answer.json()["results"] == [], each.name
        statuses[each.name] = (answer.status_code, answer.json().get("code", ""))
    reached = {name for name, (status, code) in statuses.items() if status in {200, 404} or code == "shape_invalid"}
    assert {name.partition("-")[0] for name in reached} == {
        "account",
        "adjustment",
        "book",
        "entry",
        "hold",
        "period",
        "reversal",
    }
    assert {code for name, (_status, code) in statuses.items() if name not in reached} <= {"token_bound", "method_not_allowed"}
