"""report BOOK KIND, as a shell runs it."""

import csv
import json
import zipfile
from pathlib import Path

import pytest

from ledger_app.models import OpenLot, Seal
from ledger_app.reports import workbook
from tests.commands.conftest import Run
from tests.support.every_page import points_that_expire
from tests.support.world import World


@pytest.fixture
def frozen(world: World) -> World:
    """January of both books is frozen."""
    world.freeze(world.applied())
    for period in (world.opened[0], world.opened[2]):
        world.freeze_period(period)
    return world


def rows_of(path: Path, codec: str = "utf-8-sig") -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding=codec).splitlines()))


def test_a_trial_balance_names_the_seal_that_it_agrees_with(frozen: World, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    ended = run("report", "CARD", "trial-balance", "--period", "2017-01", "--output", path)
    assert ended.status == 0
    seal = f"seal 1 {bytes(Seal.objects.get(book=frozen.card).digest).hex()[:16]}"
    assert f"final, {seal}" in ended.out
    rows = rows_of(path)
    assert [(row["role"] or row["category"], row["debit"], row["credit"], row["closing"], row["seal"]) for row in rows] == [
        ("receivable", "146.44", "0.00", "146.44", seal),
        ("settlement", "0.00", "146.44", "-146.44", seal),
        ("total", "146.44", "146.44", "0.00", seal),
    ]
    first = path.read_bytes()
    run("report", "CARD", "trial-balance", "--period", "2017-01", "--output", path)
    assert path.read_bytes() == first


def test_one_that_is_not_final_is_a_draft_in_name_and_content(world: World, run: Run, tmp_path: Path) -> None:
    world.applied()
    for form in ("csv", "xlsx", "json"):
        path = tmp_path / f"trial.{form}"
        data = run("report", "CARD", "trial-balance", "--period", "2017-01", "--format", form, "--output", path, "--json").data
        assert (data["final"], data["seal"], data["path"]) == (False, "not final", str(tmp_path / f"draft-trial.{form}"))
        assert not path.exists()
    assert {row["seal"] for row in rows_of(tmp_path / "draft-trial.csv")} == {"not final"}
    assert json.loads((tmp_path / "draft-trial.json").read_text())["final"] is False
    with zipfile.ZipFile(tmp_path / "draft-trial.xlsx") as package:
        assert "NOT FINAL" in package.read("xl/workbook.xml").decode()


def test_by_source_each_source_stands_by_itself_and_all_come_to_the_whole(frozen: World, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sources.csv"
    run("report", "CARD", "trial-balance", "--period", "2017-01", "--by", "source", "--output", path)
    assert [(row["role"], row["origin"], row["source"], row["change"]) for row in rows_of(path)] == [
        ("receivable", "chunk", "till", "146.44"),
        ("settlement", "chunk", "till", "-146.44"),
        ("", "", "", "0.00"),
    ]
    run("report", "CARD", "trial-balance", "--period", "2017-01", "--by", "store", "--output", path)
    assert [(row["account"], row["closing"]) for row in rows_of(path)] == [
        ("", "146.44"),
        ("settlement.31", "-128.45"),
        ("settlement.32", "-17.99"),
        ("", "0.00"),
    ]


def test_a_workbook_has_dates_figures_widths_and_a_head_that_stays(frozen: World, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "ledger.xlsx"
    asked = ("report", "CARD", "general-ledger", "--role", "settlement", "--from", "2017-01-01", "--to", "2017-01-31")
    assert run(*asked, "--format", "xlsx", "--output", path).status == 0
    with zipfile.ZipFile(path) as package:
        sheet, styles = (package.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "styles"))
    assert 'state="frozen"' in sheet
    assert sheet.count("<col ") == 18
    assert f"<c{workbook.AS_DAY}><v>42740</v></c>" in sheet, "5 January 2017, as spreadsheets count"
    assert f"<c{workbook.AS_FIGURE[2]}><v>1.50</v></c>" in sheet
    assert {'formatCode="#,##0.00"', 'formatCode="yyyy-mm-dd"'} <= {each.split("/")[0] for each in styles.split()}


def test_points_that_do_not_tie_out_are_told_and_end_with_one(db: None, run: Run, tmp_path: Path) -> None:
    points_that_expire()
    path = tmp_path / "points.csv"
    asked = ("report", "GIFTS", "points", "--from", "2017-01-01", "--to", "2017-03-31", "--output", path)
    assert run(*asked).status == 0
    lot = OpenLot.objects.filter(remaining__gt=30).first()
    assert lot is not None
    OpenLot.objects.filter(pk=lot.pk).update(remaining=lot.remaining + 1)
    ended = run(*asked)
    assert (ended.status, ended.complaints.splitlines()[-1]) == (1, "Does not tie out: 2017-03 points all")
    assert rows_of(tmp_path / "draft-points.csv")[-1]["ledger_difference"] == "-1"


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (("trial-balance",), 2, "--period"),
        (("trial-balance", "--period", "2017-01", "--from", "2017-01-01"), 2, "--period"),
        (("trial-balance", "--from", "2017-01-31", "--to", "2017-01-01"), 1, "span_invalid"),
        (("trial-balance", "--period", "2017-09"), 1, "not_found"),
        (("trial-balance", "--period", "2017-01", "--role", "settlement"), 1, "report_option_unfit"),
        (("general-ledger", "--period", "2017-01"), 1, "report_option_unfit"),
        (("general-ledger", "--period", "2017-01", "--role", "nothing"), 1, "not_found"),
        (("general-ledger", "--period", "2017-01", "--account", "nobody"), 1, "not_found"),
        (("points", "--period", "2017-01"), 1, "no_lots_kept"),
        (("trial-balance", "--from", "0001-01-01", "--to", "9999-12-31", "--compare", "previous"), 1, "report_months_too_many"),
        (("trial-balance", "--period", "2017-01", "--known-at", "2999-01-01T00:00:00Z"), 1, "known_at_ahead"),
    ],
)
def test_what_is_no_report_is_refused(
    world: World, run: Run, tmp_path: Path, asked: tuple[str, ...], status: int, said: str
) -> None:
    ended = run("report", "CARD", *asked, "--output", tmp_path / "r.csv")
    assert (ended.status, said in ended.complaints) == (status, True), ended
    assert list(tmp_path.glob("*r.csv")) == []
