"""Writes slips as the accounting programs read them, each by its own columns. What cannot stand in such a file was refused before."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from ledger_app.accounting.rules.profiles import Side
from ledger_app.accounting.rules.slips import Row
from ledger_app.accounting.rules.targets import FREEE, MONEYFORWARD, YAYOI, Target
from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Cell

DRAFT: Final = "未確定"
SLIP: Final = 3  # Yayoi's type of a slip
ALONE, FIRST, BETWEEN, LAST = "2111", "2110", "2100", "2101"  # Yayoi's flags of the rows of a slip


def lines(target: Target, slips: Iterable[list[Row]], *, is_draft: bool) -> Iterator[str]:
    """Yield a file line by line, with the line ends."""
    yield from _head(target, is_draft=is_draft)
    write = _WRITERS[target.name]
    for slip in slips:
        for place, row in enumerate(slip):
            yield write(row, place, len(slip)) + target.line_end


def _head(target: Target, *, is_draft: bool) -> Iterator[str]:
    if target.has_head:
        yield tables.csv_line(target.columns) + target.line_end
    elif is_draft:
        yield f"# {DRAFT}{target.line_end}"


def _day(row: Row) -> str:
    return row.on.strftime("%Y/%m/%d")


def _yayoi(row: Row, place: int, count: int) -> str:
    flag = ALONE if count == 1 else FIRST if place == 0 else LAST if place == count - 1 else BETWEEN

    def side(said: Side) -> list[str]:
        return [*map(_quoted, (said.account, said.sub_account, said.department, said.tax_class)), str(row.yen), ""]

    after = [*map(_quoted, (row.summary, "", "")), str(SLIP), *map(_quoted, ("", row.memo, "0", "0", "no"))]
    return ",".join([_quoted(flag), str(row.slip), _quoted(""), _quoted(_day(row)), *side(row.debit), *side(row.credit), *after])


def _quoted(text: str) -> str:
    """Return a text in quotes, as Yayoi itself writes each, the empty ones too."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _moneyforward(row: Row, _place: int, _count: int) -> str:
    def side(said: Side) -> list[Cell]:
        names = (said.account, said.sub_account, said.department, said.partner, said.tax_class, said.invoice)
        return [*names, row.yen, ""]

    return tables.csv_line([row.slip, _day(row), *side(row.debit), *side(row.credit), row.summary, row.memo, *[""] * 7])


def _freee(row: Row, _place: int, _count: int) -> str:
    def side(said: Side) -> list[Cell]:
        first = [said.account, "", said.sub_account, said.partner, "", said.department, *[""] * 5]
        return [*first, row.yen, said.tax_class, ""]

    return tables.csv_line(["[明細行]", _day(row), row.slip, "", *side(row.debit), *side(row.credit), row.summary])


_WRITERS: Final[Mapping[str, Callable[[Row, int, int], str]]] = {
    YAYOI.name: _yayoi,
    MONEYFORWARD.name: _moneyforward,
    FREEE.name: _freee,
}
