"""January as the project takes it in, held against January as a script adds it up that shares no code with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from ingestion_app.demo import purchases, seeding
from ingestion_app.models import Batch, Record
from ingestion_app.operations import applying, deciding, receiving, validating
from ingestion_app.queries import batches
from ledger_app.models import Balance, Book, Entry, User
from ledger_app.operations.audit import Caller
from ledger_app.queries import proofs
from tests.ingestion_app.operations.world import NOW, clock

SCRIPT = Path(__file__).parent / "january.py"


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.django_db
def test_january_comes_to_the_same_for_every_member(files_dir: Path, tmp_path: Path) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("make demo does the same on SQLite")
    said = subprocess.run([sys.executable, SCRIPT, "--months", "1", "--json"], capture_output=True, check=True, timeout=120)
    expected = json.loads(said.stdout)["2017-01"]
    system = Caller(user=User.objects.get(username=User.SYSTEM), at=NOW, door="test")
    seeding.seed(months=1, caller=system)
    path = purchases.write_month(1, tmp_path)

    with path.open("rb") as stream:
        receipt = receiving.receive(stream=stream, name=path.name, source_code="card-usage", directory=files_dir, caller=system)
    batch = validating.validate(batch_id=receipt.batch.pk, directory=files_dir, caller=system, now=clock)
    finance = Caller(user=User.objects.get(username="finance-1"), at=NOW, door="test")
    deciding.approve(batch_id=batch.pk, digest_shown=batches.hexadecimal(batch.plan_digest), caller=finance)
    batch = applying.apply(batch_id=batch.pk, caller=system, now=clock).batch

    assert batch.state == Batch.State.APPLIED
    assert (batch.record_count, batch.record_sum) == (expected["records"], expected["sum"])
    assert (batch.trailer_count, batch.trailer_sum) == (expected["records"], expected["sum"])
    assert batch.finding_counts == {"record.zero_amount": expected["zero"]}
    assert Record.objects.filter(batch=batch, status="no_effect").count() == expected["zero"]
    assert Entry.objects.filter(book__code="CARD").count() == expected["records"] - expected["zero"]

    receivable, points = by_member("receivable"), by_member("points")
    assert receivable == {member: cents for member, (cents, _) in expected["members"].items() if cents}
    assert {member: -amount for member, amount in points.items()} == {
        member: given for member, (_, given) in expected["members"].items() if given
    }
    assert sum(by_account("settlement").values()) == -expected["sum"]
    assert sum(by_account("programme").values()) == sum(given for _, given in expected["members"].values())
    books = [*Book.objects.all()]
    assert [breach for statement in proofs.statements() for breach in statement.breaches(proofs.Scope(books))] == []


def by_account(role: str) -> dict[str, int]:
    """Return the balance of each account in a role that is not zero, by the account's code."""
    rows = Balance.objects.filter(account__role=role).values("account__code").annotate(total=Sum("amount"))
    return {row["account__code"]: int(row["total"]) for row in rows if row["total"]}


def by_member(role: str) -> dict[str, int]:
    return {code.split(".", 1)[1]: amount for code, amount in by_account(role).items()}
