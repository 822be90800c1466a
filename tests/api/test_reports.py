"""Reports of a book through the API."""

from datetime import date

import pytest
from rest_framework.test import APIClient

from ingestion_app.models import Batch
from ledger_app.base.operations import transactions
from ledger_app.models import Account
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.api.conftest import ClientOf, is_problem
from tests.conftest import UserMaker
from tests.support.origins import of_request
from tests.support.world import World

TRIAL = "/api/v1/books/CARD/reports/trial-balance/"
JANUARY = {"period": "2017-01"}


@pytest.fixture
def auditing(world: World, make_user: UserMaker, client_of: ClientOf) -> APIClient:
    """An auditor, after a file came in."""
    world.applied()
    return client_of(make_user("auditor-9", "auditor"))


def test_a_report_is_told_in_minor_units(auditing: APIClient) -> None:
    told = auditing.get(TRIAL, JANUARY).json()
    assert (told["book"], told["exponent"], told["from"], told["to"], told["final"], told["seal"], told["more"]) == (
        *("CARD", 2, "2017-01-01", "2017-01-31"),
        *(False, "not final", False),
    )
    assert [(row["role"], row["debit"], row["closing"]) for row in told["rows"]] == [
        ("receivable", 14644, 14644),
        ("settlement", 0, -14644),
        ("", 14644, 0),
    ]
    days = {"effective_from": "2017-01-05", "effective_to": "2017-01-05", "compare": "both"}
    (row, *_others) = auditing.get(TRIAL, days).json()["rows"]
    assert (row["previous_change"], row["last_year_change"]) == (0, None)
    ledger = auditing.get("/api/v1/books/CARD/reports/general-ledger/", {**JANUARY, "role": "settlement", "rows": "2"}).json()
    assert (len(ledger["rows"]), ledger["more"]) == (2, True)


@pytest.mark.parametrize(("form", "begins"), [("csv", b"\xef\xbb\xbfcategory,"), ("xlsx", b"PK"), ("json", b"{")])
def test_a_report_is_a_file_to_be_taken_away(auditing: APIClient, form: str, begins: bytes) -> None:
    answer = auditing.get(f"{TRIAL}file/", {**JANUARY, "form": form})
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="draft-CARD-trial-balance-2017-01-01-2017-01-31.{form}"'
    content = answer.getvalue()
    answer.close()
    assert content.startswith(begins)


def test_who_may_freeze_is_not_told_what_to_hold_against(auditing: APIClient, world: World, client_of: ClientOf) -> None:
    finance = client_of(world.finance)
    refused = finance.get(TRIAL, JANUARY)
    assert is_problem(refused, 409, "report_of_open_days")
    assert "14644" not in refused.content.decode()
    assert is_problem(client_of(world.support).get(TRIAL, JANUARY), 403, "not_permitted")
    world.freeze(Batch.objects.get())
    world.freeze_period(world.opened[0])
    assert finance.get(TRIAL, JANUARY).json()["final"] is True


def test_what_is_no_report_is_refused(auditing: APIClient) -> None:
    for wrong in ({}, {**JANUARY, "effective_to": "2017-01-31"}, {"effective_from": "2017-01-01"}):
        answer = auditing.get(TRIAL, wrong)
        assert is_problem(answer, 400, "shape_invalid")
        assert [each["field"] for each in answer.json()["faults"]] == ["period"]
    assert is_problem(auditing.get("/api/v1/books/CARD/reports/profit/", JANUARY), 404, "not_found")
    assert is_problem(auditing.get("/api/v1/books/POINTS/reports/points/", JANUARY), 409, "no_lots_kept")


def test_a_report_costs_as_many_statements_for_many_lines_as_for_few(auditing: APIClient, world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(path: str, **asked: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert auditing.get(path, {**JANUARY, **asked}).status_code == 200
        return len(captured)

    questions = [(TRIAL, {}), (TRIAL, {"by": "source"}), (TRIAL, {"by": "store"}), (TRIAL, {"compare": "both"})]
    before = [cost(path, **asked) for path, asked in questions]
    keys = dict(Account.objects.filter(book=world.card).values_list("code", "id"))
    drafts = [
        Draft(world.card.pk, date(2017, 1, 9), f"more-{number}", "", ((keys["receivable.1001"], 5), (keys["settlement.31"], -5)))
        for number in range(50)
    ]
    caller = world.caller(world.system)
    transactions.run(lambda: entries.post(drafts=drafts, origin=of_request(caller), caller=caller))
    assert [cost(path, **asked) for path, asked in questions] == before
