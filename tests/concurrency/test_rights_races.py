"""Two at once at somebody's rights: one decision stands, and somebody is left who decides."""

from datetime import UTC, datetime

import pytest

from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import SettingChange, User
from ledger_app.people.operations import people
from ledger_app.rights.operations import granting
from ledger_app.rights.queries import granting as queries
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries as change_queries
from tests.concurrency.test_ledger_races import Meeting, at_once, code_of

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


@pytest.fixture(name="roots")
def _roots(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[Caller]:
    # No second try may cover a collision up.
    monkeypatch.setattr(transactions, "TRIES", 1)
    return [Caller(User.objects.create(username=f"root-{number}", is_superuser=True), AT, "admin") for number in range(4)]


def test_of_two_deciders_at_once_one_decides(roots: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    row = people.keep_user(username="sora", groups=["support"], reason="Joins.", caller=roots[0]).proposed
    assert row is not None
    monkeypatch.setattr(change_queries, "facts", Meeting().after(change_queries.facts))
    outcomes = at_once(*(lambda who=who: setting_changes.approve(change_id=row.pk, caller=who) for who in roots[1:3]))
    assert sorted(code_of(each) for each in outcomes) == ["SettingChange", "wrong_state"]
    assert SettingChange.objects.get().state == "applied"


def ended_by_each_other(roots: list[Caller]) -> list[str]:
    """Leave two, and have each take the right from the other at once."""
    User.objects.filter(username__in=["root-2", "root-3"]).update(is_superuser=False)
    outcomes = at_once(
        *(
            lambda by=by, other=other: people.keep_user(username=other, groups=[], caller=by, flags={"is_superuser": False})
            for by, other in ((roots[0], "root-1"), (roots[1], "root-0"))
        )
    )
    return sorted(code_of(each) for each in outcomes)


def test_two_who_end_each_other_leave_one(roots: list[Caller]) -> None:
    assert ended_by_each_other(roots) == ["Kept", "not_permitted"]
    assert len(queries.deciders()) == 1


@pytest.mark.mariadb
def test_without_the_lock_both_begin_and_wait_for_each_other(roots: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granting, "hold", lambda: None)
    monkeypatch.setattr(queries, "deciders", Meeting().after(queries.deciders))
    # Each has found the other there; what each writes names the other's row, so that the database undoes one of them.
    assert ended_by_each_other(roots) == ["Kept", "try_again"]
