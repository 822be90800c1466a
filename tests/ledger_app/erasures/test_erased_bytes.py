"""The bytes of what was erased go once the erasure is committed, and not those that somebody stores meanwhile."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger_app.base.operations import filing, transactions
from ledger_app.erasures.operations import erasures
from ledger_app.models import Erasure, Holder
from tests.support import erasing
from tests.support.erasing import NAME, Office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(files_dir: Path) -> Office:
    """Return the office, with its folder of attachments."""
    return erasing.build(files_dir / "attachments")


def bytes_of(office: Office) -> Path:
    return filing.path_of(office.directory, bytes(erasing.attached(office).sha256))


def test_an_erasure_that_is_undone_with_the_request_around_it_leaves_the_bytes(office: Office) -> None:
    """As under an Idempotency-Key: the operation is a part, and what follows it may fail."""
    row = office.ask()
    given: dict[str, Any] = {"erasure_id": row.pk, "caller": office.desk.decider, "directory": office.directory}
    path = bytes_of(office)

    def fails() -> None:
        erasures.approve(**given)
        raise RuntimeError("the answer could not be kept")

    with pytest.raises(RuntimeError):
        transactions.whole(fails)
    assert Erasure.objects.get(pk=row.pk).state == "proposed"
    assert Holder.objects.get(pk=office.member.pk).name == NAME
    assert path.exists()
    assert erasing.breaches() == []

    def holds() -> bool:
        erasures.approve(**given)
        return path.exists()

    assert transactions.whole(holds)
    assert not path.exists()
    assert erasing.breaches() == []


def test_bytes_that_were_just_stored_again_stay(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who stored them is about to propose: also where they were stored between the look and the removal."""
    path, before = bytes_of(office), datetime.now(tz=UTC) - filing.YOUNG
    filing.store(io.BytesIO(erasing.BYTES), office.directory)
    office.erase()
    assert path.exists()
    assert erasing.breaches() == []
    assert erasures.remove_bytes(directory=office.directory, before=before) == 0
    assert path.exists()
    erasing.age(path)
    assert any("its bytes are there" in each for each in erasing.breaches())
    put_aside = filing.put_aside

    def stored_meanwhile(found: Path) -> Path:
        filing.store(io.BytesIO(erasing.BYTES), office.directory)
        return put_aside(found)

    with monkeypatch.context() as patched:
        patched.setattr(filing, "put_aside", stored_meanwhile)
        assert erasures.remove_bytes(directory=office.directory, before=before) == 0
    assert path.exists()
    # Killed while they were aside: named there, and removed by the next.
    erasing.age(path)
    filing.put_aside(path)
    assert any("its bytes are there" in each for each in erasing.breaches())
    assert erasures.remove_bytes(directory=office.directory, before=before) == 1
    assert not filing.aside_of(path).exists()
    assert erasing.breaches() == []
