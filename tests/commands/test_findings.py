"""The findings of a batch, as its sender is told them: every one that is kept, and how many there are beyond."""

import csv
import io

import pytest

from ingestion_app.batches.queries.record_proofs import FINDINGS_KEPT
from tests.commands.conftest import Run
from tests.support.world import PURCHASES, Purchase, World, card_file

pytestmark = pytest.mark.django_db


def test_each_finding_is_told_with_its_bytes_code_and_remedy(world: World, run: Run) -> None:
    bad = b"D,1001,31,=1+2,,2017-01-05T10:00:00Z\n"
    batch = world.validate(world.receive(card_file([*PURCHASES, bad], total=14644)))
    ended = run("findings", batch.pk)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert ended.status == 0
    assert {row["code"] for row in rows} == set(batch.finding_counts)
    row = next(row for row in rows if row["code"] == "record.amount_invalid")
    assert (row["line"], row["column"], row["severity"]) == ("10", "5", "error")
    assert row["bytes"] == bad.decode().rstrip("\n")
    assert row["seen"]
    assert row["remedy"]
    told = run("findings", batch.pk, "--json").data
    assert told["by_rule"] == batch.finding_counts
    assert [(each["line"], each["code"]) for each in told["findings"]] == [(int(row["line"]), row["code"]) for row in rows]


def test_what_a_spreadsheet_would_take_for_a_formula_is_none(world: World, run: Run) -> None:
    batch = world.validate(world.receive(card_file([*PURCHASES, b"=1+2\n"], count=8)))
    rows = list(csv.DictReader(io.StringIO(run("findings", batch.pk).out)))
    assert [row["bytes"] for row in rows if row["code"] == "line.unknown_type"] == ["'=1+2"]


def test_more_than_are_kept_are_counted(world: World, run: Run) -> None:
    more = FINDINGS_KEPT + 5
    batch = world.validate(world.receive(card_file([Purchase("9999", slip=f"n{place}") for place in range(more)])))
    rows = list(csv.DictReader(io.StringIO(run("findings", batch.pk).out)))
    assert len(rows) == FINDINGS_KEPT + 1
    assert f"{more} findings of this kind in all" in rows[-1]["seen"]
    assert run("findings", batch.pk, "--json").data["counts"] == {"error": more, "alert": 0, "warning": 0, "note": 0}


@pytest.mark.parametrize("zero", "0٠०０")
def test_a_card_number_is_masked_whatever_its_digits_are_written_in(world: World, run: Run, zero: str) -> None:
    number = "".join(chr(ord(zero) + int(digit)) for digit in "4111111111111111")
    batch = world.validate(world.receive(card_file([*PURCHASES, f"X,{number}\n".encode()], count=8)))
    for form in ("csv", "json"):
        told = run("findings", batch.pk, "--format", form).out
        assert "line.unknown_type" in told
        assert number not in told
        assert number not in told.encode().decode("unicode_escape")
