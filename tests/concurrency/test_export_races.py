"""Two who hand one period over at once: it leaves once; with the locks stubbed out, both believe that they are the first."""

import tempfile
from typing import Any

import pytest
from django.db import connection

from ledger_app import locks
from ledger_app.accounting.operations import handing_over, profiles
from ledger_app.accounting.queries import exporting
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, Export, Profile, User
from ledger_app.reports import accounting
from tests.concurrency.test_ledger_races import Meeting, at_once, code_of, unlocked_row
from tests.conftest import CallerMaker
from tests.ledger_app.reports.test_accounting import freeze
from tests.support import samples
from tests.support.profile_samples import small
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(name="ledger")
def _ledger() -> SmallLedger:
    return samples.open_ledger(samples.machine_caller())


@pytest.fixture(name="checker")
def _checker(finance: User, caller_of: CallerMaker) -> Caller:
    return caller_of(finance, at=samples.AFTER_JANUARY)


@pytest.fixture(name="profile")
def _profile(ledger: SmallLedger, checker: Caller, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A profile of a book of which January and February are frozen."""
    ledger.sell("s-1", 10)
    for period in ("2017-01", "2017-02"):
        freeze(ledger, checker, period)
    # No second try may cover a collision up.
    monkeypatch.setattr(transactions, "TRIES", 1)
    return profiles.load(text=small("yayoi"), caller=checker).row.profile


def made(ledger: SmallLedger, profile: Profile, *names: str) -> list[handing_over.Made]:
    """Return what is to be written down of the files of these periods, each made before any was handed over."""
    found = []
    for name in names:
        with tempfile.TemporaryFile() as file:
            content = accounting.write(period=ledger.periods[name], profile=profile, file=file)
            found.append(accounting._made(*content))
    return found


def handed_over(files: list[handing_over.Made], caller: Caller, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Hand files over at once, each having looked what is there before the other has written."""
    monkeypatch.setattr(exporting, "of_period", Meeting().after(exporting.of_period))
    return at_once(*(lambda each=each: handing_over.record(made=each, caller=caller) for each in files))


def test_a_period_that_two_hand_over_leaves_once(
    ledger: SmallLedger, checker: Caller, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = made(ledger, profile, "2017-01") * 2
    kept = handed_over(files, checker, monkeypatch)
    assert sorted(each.is_new for each in kept) == [False, True]
    assert kept[0].row == kept[1].row == Export.objects.get()
    assert AuditRow.objects.filter(subject_type="export").count() == 1


def test_two_periods_take_no_number_of_a_slip_twice(
    ledger: SmallLedger, checker: Caller, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.sell("s-3", 10, on=ledger.periods["2017-03"].starts_on)
    freeze(ledger, checker, "2017-03")
    outcomes = handed_over(made(ledger, profile, "2017-01", "2017-03"), checker, monkeypatch)
    assert sorted(map(code_of, outcomes)) == ["Kept", "try_again"]
    assert Export.objects.count() == 1


@pytest.mark.mariadb
def test_without_the_lock_both_believe_that_they_are_the_first(
    ledger: SmallLedger, checker: Caller, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.sell("s-3", 10, on=ledger.periods["2017-03"].starts_on)
    freeze(ledger, checker, "2017-03")
    files = made(ledger, profile, "2017-01", "2017-03")
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    outcomes = sorted(map(code_of, handed_over(files, checker, monkeypatch)))
    if outcomes == ["Kept", "try_again"] and not getattr(connection, "mysql_is_mariadb", False):
        return  # MySQL had one of the two wait for the other's key until it gave up: they met, and no lock of ours kept them apart
    assert outcomes == ["Kept", "Kept"]
    first = Export.objects.order_by("id").values_list("first_slip", flat=True)
    assert list(first) == [1, 1], "the same number twice: what the lock keeps from happening"
