"""balances BOOK, as a shell sees it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_app.models import Balance
from tests import schema
from tests.commands.conftest import Run
from tests.support import ledger_clocks as clocks
from tests.support.world import NOW, World


def test_csv_is_printed_unless_asked_otherwise(world: World, run: Run) -> None:
    world.applied()
    ended = run("balances", "CARD")
    assert (ended.status, ended.complaints) == (0, "")
    found = {row["account"]: row for row in csv.DictReader(ended.out.splitlines())}
    assert found["receivable.1001"]["balance"] == "2.49"
    assert (found["settlement.31"]["balance"], found["settlement.31"]["natural_amount"]) == ("-128.45", "12845")
    assert sum(int(row["amount"]) for row in found.values()) == 0


def test_json_is_one_object_however_it_is_asked_for(world: World, run: Run) -> None:
    world.applied()
    asked = [run("balances", "POINTS", "--json"), run("balances", "POINTS", "--format", "json")]
    asked.append(run("balances", "POINTS", "--format", "csv", "--json"))
    assert len({ended.out for ended in asked}) == 1
    data = asked[0].data
    assert (data["count"], data["total"], len(data["accounts"])) == (7, 0, 7)
    assert {row["account"]: row["natural_amount"] for row in data["accounts"]}["points.1001"] == 1


def test_at_and_known_at_look_back(world: World, run: Run) -> None:
    with clocks.stands_at(NOW):
        world.applied()
    receivable = {}
    for name, arguments in {
        "day before": ("--at", "2017-01-04"),
        "day": ("--at", "2017-01-05"),
        "before it was posted": ("--at", "2017-01-31", "--known-at", "2017-03-01T08:59:59Z"),
        "when it was posted": ("--known-at", "2017-03-01T18:00:00+09:00"),
    }.items():
        rows = run("balances", "CARD", *arguments, "--json").data["accounts"]
        receivable[name] = next(row["amount"] for row in rows if row["account"] == "receivable.1001")
    assert receivable == {"day before": 0, "day": 249, "before it was posted": 0, "when it was posted": 249}


def test_a_book_that_does_not_exist_is_refused(world: World, run: Run) -> None:
    ended = run("balances", "NONE", "--json")
    assert ended.status == 1
    assert [reason["code"] for reason in ended.data["refused"]] == ["not_found"]


def test_a_sum_that_is_not_zero_prints_no_balance(world: World, run: Run) -> None:
    world.applied()
    Balance.objects.filter(account__code="receivable.1001").update(amount=1)
    ended = run("balances", "CARD")
    assert (ended.status, ended.out) == (1, "")
    assert ended.complaints.startswith("balances_not_zero: ")
    data = run("balances", "CARD", "--json").data
    assert [reason["code"] for reason in data["refused"]] == ["balances_not_zero"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("CARD", "--at", "2017-02-30"),
        ("CARD", "--at", "20170131"),
        ("CARD", "--known-at", "2017-01-31T10:00:00"),
        ("CARD", "--known-at", "yesterday"),
        ("CARD", "--format", "xml"),
    ],
)
def test_wrong_usage_is_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("balances", *arguments).status == 2


@pytest.mark.slow
def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}",
        "KAKUTEI_FILES_DIR": str(tmp_path / "files"),
    }
    manage = [sys.executable, str(root / "manage.py")]
    schema.copy_sqlite(str(tmp_path / "own.sqlite3"))
    opened = (
        "from config.doors.commands import base; from ledger_app.books.operations import books; caller = base.caller(None);"
        "book = books.open_book(code='B', name='B', unit='JPY', exponent=0, time_zone='UTC', caller=caller);"
        "books.open_accounts(book=book, caller=caller,"
        " openings=[books.AccountOpening(f'a-{n:05}', 'a', 'asset') for n in range(6000)])"
    )
    subprocess.run([*manage, "shell", "-c", opened], env=environment, check=True, capture_output=True)
    command = [*manage, "balances", "B"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("account,")
        process.stdout.close()
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (0, "")
    whole = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(whole.stdout)["count"] == 6000


def test_what_can_be_spent_stands_beside_the_balances_of_now_alone(world: World, run: Run) -> None:
    world.applied()
    rows = run("balances", "POINTS", "--json").data["accounts"]
    points = next(row for row in rows if row["account"] == "points.1001")
    assert {name: points[name] for name in ("held", "overdue", "upcoming", "spendable")} == {
        "held": 0,
        "overdue": 0,
        "upcoming": 0,
        "spendable": points["natural_amount"],
    }
    assert "spendable" not in run("balances", "POINTS", "--at", "2017-01-31", "--json").data["accounts"][0]
    found = run("find_member", "1001", "--json").data["matches"][0]["accounts"]
    assert {each["account"]: each["spendable"] for each in found}["points.1001"] == points["spendable"]
    assert "can be spent" in run("find_member", "1001").out
