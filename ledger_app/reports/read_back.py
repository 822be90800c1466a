"""Reads an accounting file back before it is handed out, as its program would. Shares no code with the writer: what it knows of the formats is written here once more.

What it finds wrong it raises with the line, whatever wrote the file.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import exporting
from ledger_app.errors.words import Phrase, phrase

Key = tuple[str, str, str]  # account, sub-account, department
Totals = dict[Key, tuple[int, int]]  # debits and credits in yen

DAY: Final = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
YEN: Final = re.compile(r"[1-9][0-9]*")
ROWS_OF_A_SLIP: Final = 100
MONEYFORWARD_HEAD: Final = (
    "取引No,取引日,借方勘定科目,借方補助科目,借方部門,借方取引先,借方税区分,借方インボイス,借方金額(円),借方税額,"
    "貸方勘定科目,貸方補助科目,貸方部門,貸方取引先,貸方税区分,貸方インボイス,貸方金額(円),貸方税額,"
    "摘要,仕訳メモ,タグ,MF仕訳タイプ,決算整理仕訳,作成日時,作成者,最終更新日時,最終更新者"
)
FREEE_HEAD: Final = (
    "[表題行],日付,伝票番号,決算整理仕訳,借方勘定科目,借方科目コード,借方補助科目,借方取引先,借方取引先コード,借方部門,借方品目,借方メモタグ,"
    "借方セグメント1,借方セグメント2,借方セグメント3,借方金額,借方税区分,借方税額,"
    "貸方勘定科目,貸方科目コード,貸方補助科目,貸方取引先,貸方取引先コード,貸方部門,貸方品目,貸方メモタグ,"
    "貸方セグメント1,貸方セグメント2,貸方セグメント3,貸方金額,貸方税区分,貸方税額,摘要"
)


class SheetColumns(NamedTuple):
    """Where, from 0, a file has its number, its date, and of each side account, sub-account, department, tax class and amount."""

    width: int
    slip: int
    on: int
    debit: tuple[int, int, int, int, int]
    credit: tuple[int, int, int, int, int]
    head: str = ""


COLUMNS: Final[Mapping[str, SheetColumns]] = {
    "yayoi": SheetColumns(25, 1, 3, (4, 5, 6, 7, 8), (10, 11, 12, 13, 14)),
    "moneyforward": SheetColumns(27, 0, 1, (2, 3, 4, 6, 8), (10, 11, 12, 14, 16), MONEYFORWARD_HEAD),
    "freee": SheetColumns(33, 2, 1, (4, 6, 9, 16, 15), (18, 20, 23, 30, 29), FREEE_HEAD),
}


class Expected(NamedTuple):
    """What a file is to be: of which program, encoding and days, with which tax classes, and which numbers of slips."""

    target: str
    encoding: str
    first_on: date
    last_on: date
    tax_classes: Collection[str]
    first_slip: int
    next_slip: int
    rows: int


class _Slip:
    """The slip that is being read."""

    def __init__(self, number: str, on: str) -> None:
        self.number, self.on = number, on
        self.debits = self.credits = 0
        self.flags: list[str] = []


def read(file: BinaryIO, expected: Expected) -> Totals:
    """Return the totals by account of a file that is whole and right in form.

    :raises errors.Refused: read_back_differs, with the line
    """
    places = COLUMNS[expected.target]
    totals: Totals = {}
    slip: _Slip | None = None
    numbers = rows = 0
    for line, cells in _rows(file, expected, places):
        if len(cells) != places.width:
            _differ(_("a row has other columns"), places.width, len(cells), line)
        number, on = cells[places.slip], cells[places.on]
        _check_day(on, expected, line)
        if slip is None or slip.number != number:
            _end(slip, expected, line)
            slip = _Slip(number, on)
            if number != str(expected.first_slip + numbers):
                _differ(_("a slip has another number"), expected.first_slip + numbers, number, line)
            numbers += 1
        if slip.on != on:
            _differ(_("a slip has two dates"), slip.on, on, line)
        slip.flags.append(cells[0])
        for place, is_debit in ((places.debit, True), (places.credit, False)):
            yen = _side(cells, place, totals, expected, line, is_debit=is_debit)
            slip.debits += yen if is_debit else 0
            slip.credits += 0 if is_debit else yen
        rows += 1
    _end(slip, expected, rows)
    if (numbers, rows) != (expected.next_slip - expected.first_slip, expected.rows):
        _differ(
            _("there are other slips or rows"),
            f"{expected.next_slip - expected.first_slip} / {expected.rows}",
            f"{numbers} / {rows}",
            rows,
        )
    return totals


def compare(found: Totals, ledger: Totals) -> None:
    """Hold the totals of a file against those of the ledger.

    :raises errors.Refused: read_back_differs, naming the account
    """
    for key in sorted(found.keys() | ledger.keys()):
        wanted, there = ledger.get(key, (0, 0)), found.get(key, (0, 0))
        if wanted != there:
            _refuse(
                _("an account has other totals"),
                f"{wanted[0]} / {wanted[1]}",
                f"{there[0]} / {there[1]}",
                " ".join(filter(None, key)),
            )


def _rows(file: BinaryIO, expected: Expected, places: SheetColumns) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with its line. Nothing is decoded otherwise than it was written, and nothing passed over but a remark of Yayoi's."""
    text = io.TextIOWrapper(file, encoding=expected.encoding, errors="strict", newline="")
    try:
        reader = csv.reader((line for line in text if expected.target != "yayoi" or not line.startswith("#")), strict=True)
        for number, cells in enumerate(reader, start=1):
            if number == 1 and places.head:
                if ",".join(cells) != places.head:
                    _differ(_("the head is another"), places.head, ",".join(cells), 1)
                continue
            if expected.target == "freee" and cells[:1] != ["[明細行]"]:
                _differ(_("a row has no mark"), "[明細行]", "".join(cells[:1]), number)
            yield number, cells
    except (UnicodeError, csv.Error) as error:
        raise errors.Refused(
            [exporting.ReadBackDiffers(what=_("it cannot be read"), expected=expected.encoding, found=str(error), place="–")]
        ) from error
    finally:
        text.detach()


def _side(cells: list[str], place: tuple[int, ...], totals: Totals, expected: Expected, line: int, *, is_debit: bool) -> int:
    account, sub_account, department, tax_class, amount = (cells[each] for each in place)
    if not account:
        _differ(_("a side has no account"), "–", account, line)
    if tax_class not in expected.tax_classes:
        _differ(_("a tax class is none of the profile's"), " ".join(sorted(expected.tax_classes)), tax_class, line)
    if YEN.fullmatch(amount) is None:
        _differ(_("an amount is not a number of yen above zero"), "–", amount, line)
    yen = int(amount)
    debits, credits_ = totals.get((account, sub_account, department), (0, 0))
    totals[account, sub_account, department] = (debits + yen, credits_) if is_debit else (debits, credits_ + yen)
    return yen


def _check_day(on: str, expected: Expected, line: int) -> None:
    match = DAY.fullmatch(on)
    try:
        is_within = match is not None and expected.first_on <= date(*map(int, match.groups())) <= expected.last_on
    except ValueError:
        is_within = False
    if not is_within:
        _differ(_("a date is none of the period's"), f"{expected.first_on} – {expected.last_on}", on, line)


def _end(slip: _Slip | None, expected: Expected, line: int) -> None:
    """Hold a slip that is over against what its program takes as one."""
    if slip is None:
        return
    if slip.debits != slip.credits:
        _differ(_("a slip is not balanced"), slip.debits, slip.credits, line)
    count = len(slip.flags)
    if count > ROWS_OF_A_SLIP:
        _differ(_("a slip has too many rows"), ROWS_OF_A_SLIP, count, line)
    if expected.target == "yayoi":
        wanted = ["2111"] if count == 1 else ["2110", *["2100"] * (count - 2), "2101"]
        if slip.flags != wanted:
            _differ(_("the flags of a slip are others"), " ".join(wanted), " ".join(slip.flags), line)


def _differ(what: Promise, expected: object, found: object, line: int) -> None:
    _refuse(what, str(expected), str(found), phrase(_("line {line}"), line=line))


def _refuse(what: Promise, expected: str, found: str, place: Phrase | str) -> None:
    raise errors.Refused([exporting.ReadBackDiffers(what=what, expected=expected, found=found, place=place)])
