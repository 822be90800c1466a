"""Writes tables as XLSX, row by row, so that one of any length passes: the parts of Office Open XML that a table needs, and no formula.

A text is written as text whatever it begins with, and stays one where somebody edits it (``quotePrefix``, a spreadsheet's own apostrophe). The same rows give
the same bytes.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from ledger_app.base.rules import tables
from ledger_app.base.rules.tables import Cell, Figure

ROWS_A_SHEET = 1_000_000  # of the 1,048,576 that readers take
DIGITS_EXACT = 15  # more of them, and a reader rounds
SHOWN_FIRST = (1980, 1, 1, 0, 0, 0)
# What XML cannot hold is shown as its code.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/><xf quotePrefix="1"/></cellXfs></styleSheet>'
)
AS_TEXT = ' s="2"'
RELATIONS = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], file: BinaryIO) -> None:
    """Write one table, its columns named in the first row, which stays in view; on further sheets where it is too long for one."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        remaining, count, is_last = iter(rows), 0, False
        while not is_last:
            count += 1
            with package.open(_part(f"xl/worksheets/sheet{count}.xml"), "w", force_zip64=True) as part:
                part.write(_sheet_head(columns).encode())
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


def _sheet_head(columns: Sequence[str]) -> str:
    pane = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>'
    return f'{HEAD}<worksheet xmlns="{MAIN}">{pane}<sheetData>{_row(columns, " s=" + quoteattr("1"))}'


def _row(cells: Sequence[Cell], style: str = "") -> str:
    return f"<row>{''.join([_cell(cell, style) for cell in cells])}</row>"


def _cell(cell: Cell, style: str) -> str:
    text = cell if isinstance(cell, str) else tables.written(cell)
    # A number is written as one where a reader keeps all of its digits, else as text.
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
