"""Chooses what reads the lines of a layout."""

from ingestion_app.formats.definition import Cutting, Layout
from ingestion_app.formats.delimited import DelimitedFormat
from ingestion_app.formats.fixed import FixedFormat
from ingestion_app.formats.lines import LineFormat


def format_of(layout: Layout) -> LineFormat:
    """Return what cuts the lines of a layout."""
    return FixedFormat(layout) if layout.cutting is Cutting.FIXED else DelimitedFormat(layout)
