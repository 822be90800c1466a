"""Chooses what reads the lines of a layout."""

from ingestion_app.formats.bai2 import Bai2Format
from ingestion_app.formats.definition import Cutting, Layout
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.fixed import FixedFormat
from ingestion_app.formats.json_lines import JsonLinesFormat
from ingestion_app.formats.lines import LineFormat


def format_of(layout: Layout) -> LineFormat:
    """Return what cuts the lines of a layout."""
    match layout.cutting:
        case Cutting.DELIMITED:
            return DelimitedFormat(layout)
        case Cutting.FIXED:
            return FixedFormat(layout)
        case Cutting.JSON_LINES:
            return JsonLinesFormat(layout)
        case Cutting.BAI2:
            return Bai2Format(layout)
