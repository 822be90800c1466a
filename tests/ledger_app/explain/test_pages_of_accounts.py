"""Pages of an account of any length: what is read for one does not grow with the account."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from config.doors.api.reading import KeysetByDay
from ledger_app.base.proofs import Scope
from ledger_app.close import proofs as date_proofs
from ledger_app.explain.queries import explain, statements
from ledger_app.explain.queries.statements import Position, Span
from ledger_app.models import Book, Line
from ledger_app.posting.queries import along
from tests.support import ledger_clocks as clocks
from tests.support import samples

FIRST = date(2017, 1, 1)


def post(ledger, numbers):
    """Post one sale a number, on the days of January one after the other and back again."""
    drafts = [
        ledger.draft(f"r-{number}", ("cash", number), ("settlement", -number), on=FIRST + timedelta(days=number * 7 % 31))
        for number in numbers
    ]
    for lane in range(4):
        ledger.post(*drafts[lane::4], lane=lane)


def rows_read(work):
    """Return how many rows the server read by any way, of MariaDB and MySQL."""

    def handlers():
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _name, value in cursor.fetchall())

    with connection.cursor() as cursor:
        # The server reckons with rows that it has counted, and counts small tables when it finds the time.
        cursor.execute("ANALYZE TABLE ledger_app_line, ledger_app_entry, ledger_app_balance")
        cursor.fetchall()
    before = handlers()
    work()
    return handlers() - before


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_the_last_page_of_an_account_reads_no_more_rows_of_a_longer_account(ledger):
    account = ledger.accounts["settlement"]
    post(ledger, range(1, 301))
    short = rows_read(lambda: statements.latest(account, limit=20))
    post(ledger, range(301, 2001))
    assert rows_read(lambda: statements.latest(account, limit=20)) <= short + 20


def test_no_page_sorts_the_lines_of_its_account(ledger):
    if connection.vendor != "sqlite":
        pytest.skip("the plans of SQLite")
    post(ledger, range(1, 50))
    account = ledger.accounts["settlement"]
    with CaptureQueriesContext(connection) as asked:
        statements.latest(account, limit=5)
        statements.page(Span(account), after=Position(date(2017, 1, 5), 1), limit=5)
        explain.account(account, last=5, lines_most=1)
    of_lines = [each["sql"] for each in asked if "ledger_app_line" in each["sql"] and "json_each" not in each["sql"]]
    assert len(of_lines) > 4
    with connection.cursor() as cursor:
        for statement in of_lines:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = " / ".join(row[-1] for row in cursor.fetchall())
            assert "USING INDEX line_date" in plan or "USING COVERING INDEX line_date" in plan, plan
            assert "TEMP B-TREE" not in plan, plan


def test_the_latest_lines_run_back_from_the_stored_balance_whatever_the_stripe(ledger):
    post(ledger, range(1, 90))
    account = ledger.accounts["settlement"]
    whole = list(statements.movements(Span(account), 0))
    pages: list[statements.Movement] = []
    place: Position | None = None
    while page := statements.latest(account, before=place, limit=7):
        pages, place = page + pages, page[0].position
    assert pages == whole
    assert [each.effective_on for each in whole] == sorted(each.effective_on for each in whole)


def test_of_a_long_account_the_opening_is_what_the_stored_balance_leaves(ledger):
    post(ledger, range(1, 90))
    span = Span(ledger.accounts["settlement"], date(2017, 1, 10), date(2017, 1, 20))
    assert statements.sums(span, by_claim=True) == statements.sums(span)
    known = span._replace(known_at=samples.AFTER_JANUARY - timedelta(seconds=1))
    assert statements.sums(known, by_claim=True) == statements.sums(known)


def test_a_page_adds_up_no_more_than_its_bound_and_says_what_it_did_not(ledger, monkeypatch):
    post(ledger, range(1, 90))
    account = ledger.accounts["settlement"]
    whole = statements.figures(Span(account))
    spans = [Span(account), Span(account, date(2017, 1, 30)), Span(account, last_on=date(2017, 1, 2))]
    spans += [Span(account, date(2017, 1, 10), date(2017, 1, 20)), Span(account, date(2017, 1, 3), date(2017, 1, 30))]
    exact = [
        (statements.figures(span), statements.page(span, limit=5), statements.page(span, before=statements.END, limit=5))
        for span in spans
    ]
    assert None not in {part for told, *_pages in exact for part in told}
    monkeypatch.setattr(statements, "ADDED_MOST", 10)
    unknown = 0
    for span, (told, first, last) in zip(spans, exact, strict=True):
        now = statements.figures(span)
        # What is said is true, and what is not said is not said.
        assert all(part in {None, known} for part, known in zip(now, told, strict=True)), (now, told)
        assert (now.total, now.total_count) == (whole.total, whole.total_count)
        for movements, known in (
            (statements.page(span, limit=5), first),
            (statements.page(span, before=statements.END, limit=5), last),
        ):
            assert [each.known_running in {None, was.running} for each, was in zip(movements, known, strict=True)] == [True] * 5
        unknown += sum(part is None for part in now)
    assert unknown > 0
    # Of all lines there are, beginning and end are known by themselves.
    ends = statements.figures(Span(account))
    assert (ends.opening, ends.closing, ends.moved, ends.line_count, ends.debit) == (0, whole.total, whole.total, 89, None)


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_page_in_the_middle_reads_no_more_rows_of_a_longer_account(ledger, monkeypatch):
    monkeypatch.setattr(statements, "ADDED_MOST", 50)
    account = ledger.accounts["settlement"]

    def look():
        span = Span(account, date(2017, 1, 8), date(2017, 1, 24))
        statements.page(span, after=Position(date(2017, 1, 15), 1), limit=20)
        explain.account(account, last=20, lines_most=1, sealed=20, at=date(2017, 1, 20))
        statements.latest(account, before=Position(date(2017, 1, 15), 1), limit=20)

    post(ledger, range(1, 301))
    short = rows_read(look)
    post(ledger, range(301, 2001))
    assert rows_read(look) <= short + 100


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_page_of_the_lines_in_the_api_reads_no_more_rows_of_a_longer_account(ledger):
    account = ledger.accounts["settlement"]

    def look():
        request = Request(APIRequestFactory().get("/", {"page_size": 20}))
        pages = KeysetByDay()
        first = pages.paginate_queryset(Line.objects.filter(account=account).select_related("entry"), request)
        assert len(first) == 20
        address = pages.get_next_link() or ""
        pages.paginate_queryset(Line.objects.filter(account=account), Request(APIRequestFactory().get(address)))

    post(ledger, range(1, 301))
    short = rows_read(look)
    post(ledger, range(301, 2001))
    assert rows_read(look) <= short + 20


def known_before(ledger, earlier, later):
    """Post lines of which the later are not known at the instant that is returned."""
    instant = datetime(2017, 3, 1, tzinfo=UTC)
    with clocks.stands_at(instant):
        post(ledger, earlier)
    with clocks.stands_at(instant + timedelta(hours=1)):
        post(ledger, later)
    return instant


def test_a_page_as_known_looks_through_so_many_lines_and_goes_on_from_there(ledger, monkeypatch):
    instant = known_before(ledger, [1, 20], range(100, 180))
    span = Span(ledger.accounts["settlement"], known_at=instant)
    whole = list(statements.movements(span, 0))
    assert [each.reference for each in whole] == ["r-1", "r-20"]
    monkeypatch.setattr(along, "LOOKED_A_READ", 7)
    assert statements.page(span, limit=20) == whole, "an account within the bound is shown whole"
    monkeypatch.setattr(statements, "ADDED_MOST", 10)
    for is_back in (False, True):
        found: list[statements.Movement] = []
        pages, place = 0, statements.END if is_back else None
        while place is not None or pages == 0:
            page = statements.page(span, limit=20, before=place if is_back else None, after=None if is_back else place)
            found, pages, place = (page + found if is_back else found + page), pages + 1, page.goes_on
        assert [each.line_id for each in found] == [each.line_id for each in whole]
        assert pages > 4, "82 lines are looked through, at most ten of a day and ten of the rest a page"
        assert {each.known_running for each in found} == {None}


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_page_as_known_reads_no_more_rows_of_a_longer_account(ledger, monkeypatch):
    monkeypatch.setattr(statements, "ADDED_MOST", 50)
    account = ledger.accounts["settlement"]
    instant = known_before(ledger, range(1, 11), range(100, 400))

    def look():
        statements.page(Span(account, date(2017, 1, 8), date(2017, 1, 24), instant), limit=20)
        explain.account(account, last=20, lines_most=1, sealed=20, known_at=instant)

    short = rows_read(look)
    post(ledger, range(401, 2001))
    assert rows_read(look) <= short + 100


def test_a_line_of_another_date_than_its_entry_is_named(ledger, tamper):
    post(ledger, range(1, 4))
    books = Scope(Book.objects.all())
    assert list(date_proofs.lines_bear_dates(books)) == []
    line = Line.objects.order_by("id").first()
    assert line is not None
    for value in ("'2017-01-31'", "NULL"):
        tamper("line", f"UPDATE ledger_app_line SET effective_on = {value} WHERE id = {line.pk}")
        (said,) = date_proofs.lines_bear_dates(books)
        assert line.entry.reference in said
        account = explain.find_account("CARD", line.account.code)
        assert account is not None
        assert "entry_differs" in {each.code for each in explain.account(account, last=5).complaints}
