"""Statements: the same in every format, closing with the balance of the last day, and harmless in a spreadsheet."""

import csv
import io
import json
import zipfile
from datetime import date
from xml.etree import ElementTree

import pytest

from ledger_app import errors
from ledger_app.explain.queries import statements as lines
from ledger_app.explain.queries.statements import Span
from ledger_app.reports import statements, workbook

NAMES = {"x": workbook.MAIN}


@pytest.fixture
def span(ledger):
    ledger.sell("before", 1000, on=date(2017, 1, 5))
    ledger.post(ledger.draft("=1+1", ("cash", -40), ("sales", 40), on=date(2017, 1, 12), description="@SUM(A1)"))
    ledger.sell("r-2", 60, on=date(2017, 1, 11))
    ledger.sell("after", 5, on=date(2017, 2, 1))
    return Span(ledger.accounts["cash"], date(2017, 1, 10), date(2017, 1, 31))


def test_as_csv_it_runs_in_the_order_of_dates_from_opening_to_closing(span):
    rows = list(csv.DictReader(io.StringIO("\n".join(statements.csv_lines(span)))))
    assert [(row["kind"], row["date"], row["amount"], row["running"], row["balance"]) for row in rows] == [
        ("opening", "2017-01-10", "", "1000", "1000"),
        ("movement", "2017-01-11", "60", "1060", "1060"),
        ("movement", "2017-01-12", "-40", "1020", "1020"),
        ("closing", "2017-01-31", "", "1020", "1020"),
    ]


def test_no_text_of_a_csv_is_a_formula(span):
    rows = list(csv.reader(io.StringIO("\n".join(statements.csv_lines(span)))))
    formula = rows[3]
    assert (formula[2], formula[3]) == ("'=1+1", "'@SUM(A1)")
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_as_json_it_is_one_object(span):
    whole = json.loads("".join(statements.json_lines(span)))
    assert (whole["from"], whole["to"], whole["opening"], whole["closing"]) == ("2017-01-10", "2017-01-31", 1000, 1020)
    assert [(each["reference"], each["running"]) for each in whole["movements"]] == [("r-2", 1060), ("=1+1", 1020)]


def sheet(content, number=1):
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        tree = ElementTree.fromstring(package.read(f"xl/worksheets/sheet{number}.xml"))
    return [
        ["".join(cell.itertext()) if cell.get("t") == "inlineStr" else int(cell.findtext("x:v", "0", NAMES)) for cell in row]
        for row in tree.iterfind(".//x:row", NAMES)
    ]


def test_as_a_workbook_texts_are_texts_and_figures_are_figures(span):
    file = io.BytesIO()
    statements.write(span, "xlsx", file)
    rows = sheet(file.getvalue())
    assert tuple(rows[0]) == statements.COLUMNS
    assert rows[3][2:7] == ["=1+1", "@SUM(A1)", "", 40, 1020]
    again = io.BytesIO()
    statements.write(span, "xlsx", again)
    assert again.getvalue() == file.getvalue()


def test_a_workbook_goes_on_on_another_sheet_and_keeps_every_digit(monkeypatch):
    monkeypatch.setattr(workbook, "ROWS_A_SHEET", 2)
    file = io.BytesIO()
    workbook.write("a/b", ["n"], [[number] for number in (1, 2, 3, 9 * 10**17)], file)
    assert sheet(file.getvalue(), 1) == [["n"], [1], [2]]
    assert sheet(file.getvalue(), 2) == [["n"], [3], ["900000000000000000"]]


def test_a_text_that_xml_cannot_hold_is_shown_as_its_code():
    file = io.BytesIO()
    workbook.write("a", ["<&>"], [["\x01\ufffe"]], file)
    assert sheet(file.getvalue()) == [["<&>"], ["\\u0001\\ufffe"]]


def test_a_span_that_ends_before_it_begins_is_refused(span):
    wrong = span._replace(last_on=date(2017, 1, 1))
    with pytest.raises(errors.Refused) as refused:
        list(statements.csv_lines(wrong))
    assert [reason.code for reason in refused.value.reasons] == ["span_invalid"]


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_what_does_not_come_to_the_balance_of_the_last_day_is_refused(span, monkeypatch, form):
    wrong = lines.sums(span)._replace(debit=61)
    monkeypatch.setattr(lines, "sums", lambda _span: wrong)
    with pytest.raises(errors.Refused) as refused:
        statements.write(span, form, io.BytesIO())
    assert [reason.code for reason in refused.value.reasons] == ["statement_differs"]
