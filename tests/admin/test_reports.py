"""The reports of a book on a page: from the book and from the period, for finance and auditors, and as files."""

from datetime import date

import pytest
from django.urls import reverse

from ledger_app.admin.report_words import CELLS, COLUMNS
from ledger_app.admin.reports import LEFT_OUT
from ledger_app.explain import rules
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.models import Account, Book
from ledger_app.reports import book_reports
from ledger_app.reports.book_reports import Asked
from tests.admin.conftest import ClientOf, RoleOf, bring_to, page_of
from tests.support.every_page import points_that_expire
from tests.support.world import World


@pytest.fixture
def month(world: World) -> World:
    """January of CARD is frozen; that of POINTS is not."""
    bring_to(world, "frozen", 1)
    world.freeze_period(world.opened[0])
    return world


def of_book(code: str) -> str:
    return reverse("admin:ledger_app_book_reports", args=[Book.objects.get(code=code).pk])


def test_the_book_and_the_period_lead_to_their_reports(month: World, client_of: ClientOf, somebody: RoleOf) -> None:
    address = of_book("CARD")
    for role, is_led in (("finance", True), ("auditor", True), ("support", False), ("engineer", False)):
        client = client_of(somebody(role))
        pages = [client.get(page_of(row)).content.decode() for row in (month.card, month.opened[0])]
        assert [address in page for page in pages] == [is_led, is_led], role
        assert client.get(address).status_code == (200 if is_led else 403)


def test_without_a_question_it_is_the_trial_balance_of_what_was_frozen_last(month: World, client_of: ClientOf) -> None:
    page = client_of(month.finance).get(of_book("CARD")).content.decode()
    assert "Trial balance 2017-01-01 – 2017-01-31" in page
    assert "Final: it agrees with seal 1 " in page
    # Nothing is frozen in the other: nothing is shown before somebody asks.
    assert "As a file:" not in client_of(month.finance).get(of_book("POINTS")).content.decode()


def test_what_is_not_frozen_is_told_to_auditors_alone(month: World, client_of: ClientOf, somebody: RoleOf) -> None:
    asked = {"kind": "trial-balance", "period": "2017-01"}
    page = client_of(month.finance).get(of_book("POINTS"), asked).content.decode()
    assert "you may freeze it" in page
    assert "As a file:" not in page
    assert "Not final" in client_of(somebody("auditor")).get(of_book("POINTS"), asked).content.decode()


@pytest.mark.parametrize("encoding", ["utf-8-mark", "cp932", "nothing"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_it_is_taken_away_as_a_file(month: World, client_of: ClientOf, form: str, encoding: str) -> None:
    asked = {"kind": "general-ledger", "period": "2017-01", "role": "settlement", "format": form, "encoding": encoding}
    answer = client_of(month.finance).get(of_book("CARD"), asked)
    assert answer["Content-Disposition"] == f'attachment; filename="CARD-general-ledger-2017-01-01-2017-01-31.{form}"'
    assert answer["Cache-Control"].startswith("private, no-store")
    assert answer.getvalue()  # type: ignore[attr-defined]  # of a file
    answer.close()


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "trial-balance"},
        {"kind": "trial-balance", "period": "2017-01", "first_on": "2017-01-01"},
        {"kind": "trial-balance", "first_on": "2017-01-31", "last_on": "2017-01-01"},
        {"kind": "general-ledger", "period": "2017-01"},
        {"kind": "general-ledger", "period": "2017-01", "account": "nobody"},
        {"kind": "points", "period": "2017-01"},
        {"kind": "nothing", "period": "2017-01"},
        {"kind": "trial-balance", "period": "2017-01", "known_at": "9998-01-01T00:00"},
    ],
)
def test_what_is_no_report_says_why(month: World, client_of: ClientOf, asked: dict[str, str]) -> None:
    answer = client_of(month.finance).get(of_book("CARD"), asked)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "As a file:" not in page
    assert 'role="alert"' in page or "errorlist" in page


def test_every_column_and_every_word_of_a_cell_is_called_something(month: World) -> None:
    points_that_expire()
    gifts = Book.objects.get(code="GIFTS")
    account = Account.objects.get(book=gifts, code="M1")
    span = BookSpan(gifts, date(2017, 1, 1), date(2017, 3, 31))
    questions = [
        *(Asked(span, rules.TRIAL_BALANCE, by, rules.COMPARED) for by in rules.PARTS),
        Asked(span, rules.GENERAL_LEDGER, account=account),
        Asked(span, rules.POINTS),
    ]
    for question in questions:
        report = book_reports.of(question)
        assert {column.name for column in report.columns} - LEFT_OUT <= COLUMNS.keys()
        for row in report.rows:
            assert row.keys() == {column.name for column in report.columns}, question.kind
            for name in CELLS.keys() & row.keys():
                assert not row[name] or row[name] in CELLS[name], (name, row[name])
