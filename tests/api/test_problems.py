"""Every error of the API is problem+json with a stable code, whatever it comes from."""

import json
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError
from django.test import RequestFactory
from rest_framework import exceptions
from rest_framework.test import APIClient

from config.doors.api import problems
from ledger_app import errors
from ledger_app.books.queries import books
from tests.api.conftest import act, is_problem
from tests.support.world import World


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "books/NONE/", 404, "not_found"),
        ("GET", "batches/999999/", 404, "not_found"),
        ("GET", "batches/999999/progress/", 404, "not_found"),
        ("GET", "batches/999999999999999999/", 404, "not_found"),
        ("GET", "batches/9999999999999999999999/", 404, "not_found"),
        ("GET", "batches/one/", 404, "not_found"),
        ("GET", "batches", 404, "not_found"),
        ("POST", "batches/1/transitions/reject/", 404, "not_found"),
        ("GET", "nowhere/", 404, "not_found"),
        ("PUT", "books/CARD/", 405, "method_not_allowed"),
        ("DELETE", "batches/1/", 405, "method_not_allowed"),
        ("PATCH", "entries/1/", 405, "method_not_allowed"),
        ("POST", "entries/", 405, "method_not_allowed"),
        ("GET", "batches/1/transitions/validate/", 405, "method_not_allowed"),
    ],
)
def test_an_address_that_does_not_do_this_says_so(
    world: World, engineer_client: APIClient, method: str, address: str, status: int, code: str
) -> None:
    assert is_problem(engineer_client.generic(method, f"/api/v1/{address}"), status, code)


def test_every_address_says_which_methods_it_takes(world: World, engineer_client: APIClient) -> None:
    for address, methods in {
        "books/": {"GET", "HEAD", "OPTIONS", "POST"},
        "books/CARD/": {"GET", "HEAD", "OPTIONS"},
        "batches/1/transitions/apply/": {"OPTIONS", "POST"},
    }.items():
        answer = engineer_client.options(f"/api/v1/{address}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert set(answer["Allow"].split(", ")) == methods
    assert is_problem(engineer_client.options("/api/v1/nowhere/"), 404, "not_found")


def test_what_is_asked_too_often_is_told_when_to_ask_again() -> None:
    answer = problems.problem(exceptions.Throttled(wait=7), {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (429, "throttled", "7")


def test_a_body_of_another_kind_is_not_read(world: World, engineer_client: APIClient) -> None:
    batch = world.receive()
    validate = f"/api/v1/batches/{batch.pk}/transitions/validate/"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert is_problem(
            engineer_client.generic("POST", validate, "version=1", content_type=kind), 415, "unsupported_media_type"
        )
    sent = engineer_client.generic("POST", "/api/v1/batches/", '{"source": "till"}', content_type="application/json")
    assert is_problem(sent, 415, "unsupported_media_type")
    broken = engineer_client.generic("POST", "/api/v1/batches/", "?", content_type="multipart/form-data")
    assert is_problem(broken, 400, "shape_invalid")


def test_an_answer_in_another_form_is_not_given(world: World, engineer_client: APIClient) -> None:
    assert is_problem(engineer_client.get("/api/v1/books/", headers={"Accept": "text/html"}), 406, "not_acceptable")


@pytest.mark.parametrize(
    "query",
    [
        "cursor=?",
        "cursor=%C3%A9",
        "cursor=bz01",
        "cursor=cD1hYmM=",
        "cursor=cD0tMQ==",
        "page_size=0",
        "page_size=1001",
        "page_size=ten",
        "page_size=-1",
        "page=2",
    ],
)
def test_a_page_that_cannot_be_is_refused(world: World, engineer_client: APIClient, query: str) -> None:
    assert is_problem(engineer_client.get(f"/api/v1/books/?{query}"), 400, "shape_invalid")


def test_the_gravest_reason_gives_status_and_code_and_all_are_listed() -> None:
    conflict, missing = errors.Stale(shown=1, now=2), errors.NotFound(what="book", name="X")
    right = errors.NotPermitted(user="u", right="r", who="w")
    cases: list[tuple[list[errors.LedgerError], int, str]] = [
        ([conflict], 409, "stale"),
        ([conflict, missing], 404, "not_found"),
        ([conflict, right, missing], 403, "not_permitted"),
        ([right, errors.TryAgain(cause="busy")], 503, "try_again"),
    ]
    for reasons, status, code in cases:
        answer = problems.problem(errors.Refused(reasons), {})
        assert answer is not None
        assert (answer.status_code, answer.data["code"]) == (status, code)
        assert [reason["code"] for reason in answer.data["reasons"]] == [reason.code for reason in reasons]


def test_a_missing_row_is_not_found() -> None:
    answer = problems.problem(ObjectDoesNotExist("gone"), {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (404, "not_found")


def test_a_database_that_is_away_is_told_as_try_again(world: World, engineer_client: APIClient) -> None:
    with mock.patch.object(books, "find", side_effect=OperationalError(2006, "server has gone away")):
        response = engineer_client.get("/api/v1/accounts/", {"book": "CARD"})
    assert is_problem(response, 503, "try_again")
    assert response["Retry-After"] == "5"
    assert "gone away" not in response.content.decode()


def test_a_fault_of_the_program_is_a_problem_too(world: World, engineer_client: APIClient) -> None:
    engineer_client.raise_request_exception = False
    with mock.patch.object(books, "find", side_effect=ZeroDivisionError("secret")):
        response = engineer_client.get("/api/v1/accounts/", {"book": "CARD"})
    assert is_problem(response, 500, "server_error")
    assert "secret" not in response.content.decode()


def test_a_fault_elsewhere_is_a_page(db: None) -> None:
    assert problems.server_error(RequestFactory().get("/admin/"))["Content-Type"].startswith("text/html")


def test_sentences_are_in_the_language_asked_for_and_codes_are_not(world: World, engineer_client: APIClient) -> None:
    batch = world.receive()
    answers: list[Any] = [
        act(engineer_client, batch.pk, "apply").json(),
        engineer_client.post(f"/api/v1/batches/{batch.pk}/transitions/apply/", {}, headers={"Accept-Language": "ja"}).json(),
    ]
    assert [answer["code"] for answer in answers] == ["wrong_state", "wrong_state"]
    assert [set(answer) for answer in answers] == [{"type", "title", "status", "detail", "code", "reasons"}] * 2
    assert json.dumps(answers)
