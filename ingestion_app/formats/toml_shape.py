"""Reads what a source says of the shape of its files from TOML: every key is optional."""

from ingestion_app.formats.shape_rules import ShapeRules
from ledger_app.base.rules.toml_table import Table

# The least and the most that each figure may be.
BOUNDS = {
    "earlier_least": (1, 100),
    "earlier_most": (1, 100),
    "records_least": (1, 1_000_000),
    "count_percent": (101, 10_000),
    "sum_percent": (101, 10_000),
    "psi_note": (1, 10_000),
    "psi_alert": (1, 10_000),
    "psi_unusual": (1, 10_000),
    "value_permille": (1, 1000),
    "value_percent": (101, 10_000),
    "repeated_permille": (1, 1000),
    "earlier_percent": (1, 100),
    "holders_percent": (1, 100),
}


def read_shape(table: Table | None) -> ShapeRules:
    """Return what ``[shape]`` says; without it the defaults."""
    if table is None:
        return ShapeRules()
    is_off = table.switch("off")
    given = {key: table.integer(key, least=least, most=most, optional=True) for key, (least, most) in BOUNDS.items()}
    table.close()
    return ShapeRules(compared=not is_off, **{key: value for key, value in given.items() if value is not None})
