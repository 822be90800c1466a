"""Writes tables as XLSX, row by row, so that one of any length passes: the parts of Office Open XML that a table needs, and no formula.

Dates are dates, figures have the decimals that they are written with, and columns are as wide as what stands in them first. A text is written as text whatever it begins with, and stays one where somebody edits it (``quotePrefix``, a spreadsheet's own apostrophe). The same rows give
the same bytes.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, islice
from typing import BinaryIO, Final
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Cell, Figure

ROWS_A_SHEET = 1_000_000  # of the 1,048,576 that readers take
DIGITS_EXACT = 15  # more of them, and a reader rounds
SHOWN_FIRST = (1980, 1, 1, 0, 0, 0)
# Days are counted from here; what was before is written as a text, since spreadsheets take 1900 for a leap year.
DAY_ZERO: Final = date(1899, 12, 30)
FIRST_DAY: Final = date(1900, 3, 1)
ROWS_MEASURED = 200
NARROWEST, WIDEST = 8, 60
DECIMALS_MOST = 6
# What XML cannot hold is shown as its code.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
FORMATS = (*(f"#,##0{'.' if decimals else ''}{'0' * decimals}" for decimals in range(DECIMALS_MOST + 1)), "yyyy-mm-dd")
FIRST_FORMAT = 164  # those below are the readers' own
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="{len(FORMATS)}">'
    + "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in enumerate(FORMATS, start=FIRST_FORMAT))
    + '</numFmts><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    f'<cellXfs count="{3 + len(FORMATS)}"><xf/><xf fontId="1" applyFont="1"/><xf quotePrefix="1"/>'
    + "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in range(FIRST_FORMAT, FIRST_FORMAT + len(FORMATS)))
    + "</cellXfs></styleSheet>"
)
AS_TEXT = ' s="2"'
AS_FIGURE = tuple(f' s="{3 + decimals}"' for decimals in range(DECIMALS_MOST + 1))
AS_DAY = f' s="{2 + len(FORMATS)}"'
RELATIONS = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], file: BinaryIO) -> None:
    """Write one table, its columns named in the first row, which stays in view; on further sheets where it is too long for one."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        first = list(islice(rows := iter(rows), ROWS_MEASURED))
        head = _sheet_head(columns, _widths(columns, first))
        remaining, count, is_last = chain(first, rows), 0, False
        while not is_last:
            count += 1
            with package.open(_part(f"xl/worksheets/sheet{count}.xml"), "w", force_zip64=True) as part:
                part.write(head.encode())
                is_last = True
                for place, row in enumerate(remaining, start=1):
                    part.write(_row(row).encode())
                    if place == ROWS_A_SHEET:
                        is_last = False
                        break
                part.write(b"</sheetData></worksheet>")
        for path, text in _frame(name, count):
            package.writestr(_part(path), text)


def _part(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, SHOWN_FIRST)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _sheet_head(columns: Sequence[str], widths: Sequence[int]) -> str:
    pane = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>'
    wide = "".join(f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>' for at, width in enumerate(widths, start=1))
    return f'{HEAD}<worksheet xmlns="{MAIN}">{pane}<cols>{wide}</cols><sheetData>{_row(columns, " s=" + quoteattr("1"))}'


def _widths(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[int]:
    """Return how wide each column is, in characters: as what stands in its first rows, within bounds."""
    found = [_width(column) for column in columns]
    for row in rows:
        found = [max(width, _width(cell)) for width, cell in zip(found, row, strict=True)]
    return [min(max(width + 2, NARROWEST), WIDEST) for width in found]


def _width(cell: Cell) -> int:
    text = tables.written(cell)
    # A figure is shown with a sign between the thousands, and a wide character takes the room of two.
    return len(text) + (len(text) // 3 if isinstance(cell, Figure) else sum(east_asian_width(each) in "WF" for each in text))


def _row(cells: Sequence[Cell], style: str = "") -> str:
    return f"<row>{''.join([_cell(cell, style) for cell in cells])}</row>"


def _cell(cell: Cell, style: str) -> str:
    text = cell if isinstance(cell, str) else tables.written(cell)
    # A number is written as one where a reader keeps all of its digits, else as text.
    if isinstance(cell, Figure) and text:
        style = AS_FIGURE[min(len(text.partition(".")[2]), DECIMALS_MOST)]
    if isinstance(cell, date) and cell >= FIRST_DAY:
        return f"<c{AS_DAY}><v>{(cell - DAY_ZERO).days}</v></c>"
    if isinstance(cell, int | Figure) and sum(map(str.isdigit, text)) <= DIGITS_EXACT:
        return f"<c{style}><v>{text}</v></c>" if text else "<c/>"
    said = escape(UNSPEAKABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text))
    if tables.FORMULA.match(text):
        style = AS_TEXT
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _frame(name: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield the parts that hold the sheets together."""
    numbers = range(1, count + 1)
    title = re.sub(r"[\[\]:*?/\\']", " ", name)[:25]
    sheets = "".join(
        f'<sheet name={quoteattr(title if count == 1 else f"{title} {number}")} sheetId="{number}" r:id="rId{number}"/>'
        for number in numbers
    )
    yield "xl/workbook.xml", f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>'
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>' for number in numbers
    )
    styles = f'<Relationship Id="rId{count + 1}" Type="{OFFICE}/styles" Target="styles.xml"/>'
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{relations}{styles}</Relationships>',
    )
    yield "xl/styles.xml", STYLES
    yield "_rels/.rels", RELATIONS
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{KIND}.worksheet+xml"/>' for number in numbers
    )
    types = (
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>{overrides}</Types>'
    )
    yield "[Content_Types].xml", types
