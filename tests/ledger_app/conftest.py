"""What tests of the ledger have: one small ledger, and the callers who act on it."""

from pathlib import Path

import pytest

from ledger_app.base.operations.audit import Caller
from ledger_app.models import Account, Book, User
from tests.conftest import CallerMaker
from tests.support import kept, samples
from tests.support.samples import SmallLedger
from tests.support.tampering import tamper as tamper  # noqa: PLC0414 - a fixture


@kept.fixture
def ledger(_folder: Path) -> SmallLedger:
    """One book, January to March 2017 open, nothing posted."""
    return samples.open_ledger(samples.machine_caller())


@pytest.fixture
def book(ledger: SmallLedger) -> Book:
    """The book of the small ledger."""
    return ledger.book


@pytest.fixture
def accounts(ledger: SmallLedger) -> dict[str, Account]:
    """The accounts of the small ledger by code."""
    return ledger.accounts


@pytest.fixture
def checker(finance: User, caller_of: CallerMaker) -> Caller:
    """Finance, on the first of February."""
    return caller_of(finance, at=samples.AFTER_JANUARY)


@pytest.fixture
def maker(engineer: User, caller_of: CallerMaker) -> Caller:
    """An engineer, on the first of February."""
    return caller_of(engineer, at=samples.AFTER_JANUARY)
