"""Two at once at one setting: with the locks one decision stands; with them stubbed out, the race that they prevent appears."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from ledger_app import locks
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.models import AdjustmentLimit, SettingChange, User
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries
from tests.concurrency.test_ledger_races import Meeting, at_once, code_of, unlocked_row

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


@pytest.fixture(name="people")
def _people(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    system = Caller(User.objects.get(username=User.SYSTEM), AT, "command")
    books.open_book(code="PTS", name="Points", unit="points", exponent=0, time_zone="UTC", caller=system)
    # No second try may cover a collision up.
    monkeypatch.setattr(transactions, "TRIES", 1)
    return [
        Caller(User.objects.create(username=f"administrator-{number}", is_superuser=True), AT, "admin") for number in range(3)
    ]


def proposed(caller: Caller, most: int) -> SettingChange:
    said = {"group": "finance", "book": "PTS", "amount_most": most, "two_deciders_above": 0}
    return setting_changes.propose(kind="limit", arguments=said, reason="As agreed.", caller=caller)


def approve_at_once(rows: list[SettingChange], people: list[Caller], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have two approve at once, each having gathered the facts before the other has written."""
    monkeypatch.setattr(queries, "facts", Meeting().after(queries.facts))
    works: list[Callable[[], Any]] = [
        lambda row=row, who=who: setting_changes.approve(change_id=row.pk, caller=who)  # type: ignore[misc]
        for row, who in zip(rows, people[1:], strict=True)
    ]
    return sorted(code_of(outcome) for outcome in at_once(*works))


def test_of_two_approvals_of_one_change_one_stands(people: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    row = proposed(people[0], 9)
    assert approve_at_once([row, row], people, monkeypatch) == ["SettingChange", "wrong_state"]
    assert AdjustmentLimit.objects.get().history.count() == 1


@pytest.mark.mariadb
def test_without_the_lock_both_believe_it_undecided(people: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    row = proposed(people[0], 9)
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    outcomes = approve_at_once([row, row], people, monkeypatch)
    # The unique key, the history or the comparison of the state still lets only one of them through.
    assert outcomes[0] == "SettingChange"
    assert outcomes[1] != "wrong_state"
    assert AdjustmentLimit.objects.get().history.count() == 1


@pytest.mark.parametrize("is_there", [False, True])
def test_of_two_changes_of_one_setting_the_second_finds_it_moved(
    people: list[Caller], monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    if is_there:
        reason_codes.set_limit(group="finance", book="PTS", amount_most=5, two_deciders_above=0, caller=people[0])
    rows = [proposed(people[0], 8), proposed(people[0], 9)]
    outcomes = approve_at_once(rows, people, monkeypatch)
    assert "SettingChange" in outcomes
    (other,) = set(outcomes) - {"SettingChange"}
    # One whose lock was not free is told to try again, and finds it moved then.
    assert other in {"setting_moved", "try_again"}
    applied = SettingChange.objects.get(state="applied")
    limit = AdjustmentLimit.objects.get()
    assert limit.amount_most == applied.after["amount_most"]
    assert limit.history.count() == 1 + is_there


def test_who_sets_it_directly_meanwhile_is_not_written_over(people: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    row = proposed(people[0], 9)
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    gathered, is_set = Meeting(), Meeting()
    monkeypatch.setattr(queries, "facts", is_set.after(gathered.after(queries.facts)))

    def set_directly() -> AdjustmentLimit:
        gathered.wait()
        limit = reason_codes.set_limit(group="finance", book="PTS", amount_most=5, two_deciders_above=0, caller=people[2]).row
        is_set.wait()
        return limit

    outcomes = at_once(lambda: setting_changes.approve(change_id=row.pk, caller=people[1]), set_directly)
    assert [code_of(outcome) for outcome in outcomes] == ["setting_moved", "AdjustmentLimit"]
    assert AdjustmentLimit.objects.get().amount_most == 5
