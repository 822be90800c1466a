"""The real purchases as the project takes them in, held against what a script adds up that shares no code with it.

January in every run of the tests, the year by ``make year``: then the months come in the wrong order.
"""

import json
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from ingestion_app.applying.operations import applying
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.demo import purchases, seeding
from ingestion_app.models import Batch, Receipt, Record
from ingestion_app.receiving.operations import receiving
from ingestion_app.validating.operations import validating
from ledger_app.base import proofs
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Account, Balance, Book, Entry, User
from tests.support.world import NOW, clock, environment

SCRIPT = Path(__file__).parent / "totals.py"
MONTHS = int(os.environ.get("MONTHS", "1"))
TIMES_SENT = 3


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_the_purchases_come_to_the_same_for_every_member_however_they_are_sent(
    files_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("make demo does the same on SQLite")
    # The workers are processes of their own, and meet the test's database by this.
    monkeypatch.setenv("DATABASE_URL", environment(files_dir)["DATABASE_URL"])
    said = subprocess.run(
        [sys.executable, SCRIPT, "--months", str(MONTHS), "--json"], capture_output=True, check=True, timeout=600
    )
    expected: dict[str, Any] = json.loads(said.stdout)
    assert len(expected) == MONTHS
    system = Caller(user=User.objects.get(username=User.SYSTEM), at=NOW, door="test")
    seeding.seed(months=MONTHS, caller=system)
    order = list(range(1, MONTHS + 1))
    random.Random(MONTHS).shuffle(order)
    for month in order:
        took_in(month, expected[f"2017-{month:02}"], files_dir, tmp_path, system)
    # All of them again, in another order and under other names: nothing comes of it.
    before = counts()
    for month in sorted(order, reverse=True):
        receipt = send(month, f"again-{month}.dat", files_dir, tmp_path, system)
        assert receipt.outcome == Receipt.Outcome.DUPLICATE
        again = applying.apply(batch_id=receipt.first.batch.pk, caller=system, now=clock, workers=2)  # type: ignore[union-attr]
        assert (again.applied, again.batch.state) == (0, Batch.State.APPLIED)
    assert counts() == before

    months = expected.values()
    assert by_member("receivable") == added_up(months, 0)
    assert {member: -amount for member, amount in by_member("points").items()} == added_up(months, 1)
    assert sum(by_account("settlement").values()) == -sum(month["sum"] for month in months)
    assert sum(by_account("programme").values()) == sum(given for month in months for _, given in month["members"].values())
    books = [*Book.objects.all()]
    assert [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope(books))] == []


def took_in(month: int, expected: dict[str, Any], files_dir: Path, folder: Path, system: Caller) -> None:
    """Take a month in that is sent three times, each under another name, and hold it against what was expected."""
    receipts = [
        send(month, name, files_dir, folder, system)
        for name in (f"first-{month}.bin", purchases.write_month(month, folder).name, f"copy of {month}.csv")[:TIMES_SENT]
    ]
    assert [receipt.outcome for receipt in receipts] == ["accepted", "duplicate", "duplicate"]
    batch = validating.validate(batch_id=receipts[0].batch.pk, directory=files_dir, caller=system, now=clock)
    finance = Caller(user=User.objects.get(username="finance-1"), at=NOW, door="test")
    deciding.approve(batch_id=batch.pk, digest_shown=batches.hexadecimal(batch.plan_digest), caller=finance)
    batch = applying.apply(batch_id=batch.pk, caller=system, now=clock, workers=2).batch
    assert batch.state == Batch.State.APPLIED
    assert (batch.record_count, batch.record_sum) == (expected["records"], expected["sum"])
    assert (batch.trailer_count, batch.trailer_sum) == (expected["records"], expected["sum"])
    assert batch.finding_counts == {"record.zero_amount": expected["zero"]}
    assert Record.objects.filter(batch=batch, status="no_effect").count() == expected["zero"]
    assert batches.posted(batch)["CARD"][0] == expected["records"] - expected["zero"]
    print(f"2017-{month:02}: {batch.record_count} records, sum {batch.record_sum}")


def send(month: int, name: str, files_dir: Path, folder: Path, system: Caller) -> Receipt:
    path = purchases.write_month(month, folder)
    with path.open("rb") as stream:
        return receiving.receive(
            stream=stream,
            name=name,
            source_code="card-usage",
            directory=files_dir,
            caller=system,
            business_date=date.fromisoformat(purchases.LAST_DAYS[month - 1]),
            sequence=1,
        )


def counts() -> tuple[int, int, int]:
    """Return how much there is that a file sent again must not add to."""
    return Entry.objects.count(), Record.objects.count(), Batch.objects.count()


def added_up(months: Any, place: int) -> dict[str, int]:
    """Return by member the sum over the months of their cents (0) or points (1), zeros left out."""
    totals: dict[str, int] = {}
    for month in months:
        for member, amounts in month["members"].items():
            totals[member] = totals.get(member, 0) + amounts[place]
    return {member: total for member, total in totals.items() if total}


def by_account(role: str) -> dict[str, int]:
    """Return the balance of each account in a role that is not zero, by the account's code."""
    assert Account.objects.filter(role=role).exists()
    rows = Balance.objects.filter(account__role=role).values("account__code").annotate(total=Sum("amount"))
    return {row["account__code"]: int(row["total"]) for row in rows if row["total"]}


def by_member(role: str) -> dict[str, int]:
    return {code.split(".", 1)[1]: amount for code, amount in by_account(role).items()}
