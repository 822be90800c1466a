"""close BOOK, as a scheduler sees it: 0 nothing is due, 1 somebody has to act, 75 again later."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from config.doors import callers as doorways
from ledger_app import errors
from ledger_app.books.rules.periods import ended_at
from ledger_app.close.operations import closing
from ledger_app.errors.lots import ExpiryFrozen, ExpiryLeft
from ledger_app.models import AuditRow, Period
from ledger_app.points.operations.expiry import Expired
from tests.commands.conftest import Run
from tests.support.world import World


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the doors tell a time so many hours after the end of January."""

    def at(hours: int, book: Any) -> None:
        now = ended_at(Period.objects.get(book=book, name="2017-01").ends_on, book.time_zone) + timedelta(hours=hours)
        monkeypatch.setattr(doorways, "now", lambda: now)

    return at


def test_what_is_due_and_who_may_is_told_and_nothing_is_decided(world: World, run: Run, clock: Any) -> None:
    world.applied()
    clock(80, world.card)
    rows = AuditRow.objects.count()
    ended = run("close", "CARD", "--json")
    assert ended.status == 1
    (january,) = ended.data["periods"]
    assert (january["period"], january["state"], january["due"], january["ready"]) == ("2017-01", "open", "freeze", False)
    assert [(line["what"], line["count"], line["who"]) for line in january["lines"] if not line["comes_with_freeze"]] == [
        ("Batch: Applied", 1, "Finance")
    ]
    lines = run("close", "CARD").out.splitlines()
    assert lines[0].startswith("CARD 2017-01 is to be frozen since 2017-02-04 ")
    assert lines[1] == "  Batch: Applied: 1 · Freeze the batch. (Finance)"
    assert AuditRow.objects.count() == rows
    assert set(Period.objects.values_list("state", flat=True)) == {"open"}


@pytest.mark.parametrize(("hours", "status", "due"), [(-1, 0, []), (1, 0, [None]), (61, 1, ["provisional"]), (72, 1, ["freeze"])])
def test_the_exit_status_asks_for_somebody_when_something_is_due(
    world: World, run: Run, clock: Any, hours: int, status: int, due: list[str | None]
) -> None:
    clock(hours, world.card)
    ended = run("close", "CARD", "--json")
    assert (ended.status, [each["due"] for each in ended.data["periods"]]) == (status, due)


def test_when_all_is_frozen_there_is_nothing_to_do(world: World, run: Run, clock: Any) -> None:
    world.freeze(world.applied())
    world.freeze_period(world.opened[0])
    clock(80, world.card)
    assert run("close", "CARD") == (0, "CARD: every period that has ended is frozen.\n", "")
    assert run("close", "NONE").complaints.startswith("not_found: ")
    assert run("close").status == 2


LEFT = ExpiryLeft(book="CARD", date="2017-01-31", accounts=1, amount=5, account="M1")
FROZEN = ExpiryFrozen(book="CARD", date="2017-01-31", period="2017-01")


@pytest.mark.parametrize(("reasons", "status"), [([LEFT], 75), ([FROZEN], 1), ([LEFT, FROZEN], 1)])
def test_what_the_next_run_does_is_75_and_what_a_rule_refuses_is_1(
    world: World, run: Run, clock: Any, monkeypatch: pytest.MonkeyPatch, reasons: list[Any], status: int
) -> None:
    clock(1, world.card)
    monkeypatch.setattr(closing, "close", lambda **_given: closing.Closed(expired=Expired(refused=reasons)))
    ended = run("close", "CARD", "--json")
    assert ended.status == status
    assert [each["code"] for each in ended.data["left_out"]] == [reason.code for reason in reasons]


def test_a_database_that_is_busy_is_75(world: World, run: Run, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock(80, world.card)

    def busy(**_given: Any) -> Any:
        raise errors.TryAgain(cause="a lock")

    monkeypatch.setattr(closing, "close", busy)
    assert run("close", "CARD").status == 75


def test_it_is_told_in_japanese(world: World, run: Run, clock: Any) -> None:
    clock(80, world.card)
    with translation.override("ja"):
        said = run("close", "CARD").out
    assert "以降、確定すべき状態です" in said
