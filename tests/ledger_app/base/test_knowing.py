"""When a posting was written, and what can be told of an instant."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from ledger_app import errors
from ledger_app.base.operations import knowing, transactions
from ledger_app.base.queries import clock
from ledger_app.models import Posting
from tests.support import ledger_clocks as clocks

pytestmark = pytest.mark.django_db


def written():
    return list(Posting.objects.order_by("id").values_list("posted_at", flat=True))


def test_a_posting_is_dated_when_it_is_written_and_not_when_it_was_asked_for(ledger):
    before = clock.now()
    ledger.sell("s-1", 5)  # by somebody who asked in 2017
    after = clock.now()
    assert before <= written()[0] <= after


def test_the_database_tells_the_time_in_utc():
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_clock_that_is_set_back_dates_nothing_before_what_is_written(ledger):
    late = datetime(2999, 1, 1, 9, tzinfo=UTC)
    ledger.post(ledger.draft("s-1", ("cash", 5), ("sales", -5)), at=late)
    ledger.sell("s-2", 5)
    assert written() == [late, late]


def test_an_instant_that_has_not_passed_is_refused(book):
    with pytest.raises(errors.Refused) as refused:
        knowing.settle(book=book, known_at=datetime.now(UTC) + timedelta(minutes=1))
    assert [reason.code for reason in refused.value.reasons] == ["known_at_ahead"]


def test_the_present_instant_has_not_passed(book):
    now = clock.now()
    with clocks.stands_at(now), pytest.raises(errors.Refused):
        knowing.settle(book=book, known_at=now)


def test_what_passed_long_ago_is_told_without_waiting(book, monkeypatch):
    monkeypatch.setattr(transactions, "run", lambda _work: pytest.fail("it waited"))
    knowing.settle(book=book, known_at=datetime.now(UTC) - timedelta(hours=2))
    knowing.settle(book=book, known_at=None)


def doors_that_ask():
    """Yield (file, its source) of each door and report that hands an instant to a reader of what was known."""
    root = Path(settings.BASE_DIR)
    for path in sorted([*root.glob("ledger_app/**/*.py"), *root.glob("ingestion_app/**/*.py")]):
        if {"admin", "api", "management", "reports"} & set(path.relative_to(root).parts):
            source = path.read_text(encoding="utf-8")
            calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
            readers = {"account", "csv_lines", "json_lines", "total", "of_book", "Span"}
            if any(
                getattr(call.func, "attr", getattr(call.func, "id", "")) in readers and "known_at" in ast.unparse(call)
                for call in calls
            ):
                yield str(path.relative_to(root)), source


def test_every_door_that_tells_of_an_instant_settles_it_first():
    found = dict(doors_that_ask())
    assert len(found) >= 5
    # ``statements.check`` settles, and so do the two reports.
    missing = [name for name, source in found.items() if "knowing.settle(" not in source and "statements.check(" not in source]
    assert missing == []
