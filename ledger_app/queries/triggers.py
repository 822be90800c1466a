"""The SQL of the ledger's triggers, as the migrations leave it: what ``verify`` holds the database against."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

MIGRATIONS = "ledger_app.migrations"
# A trigger that only refuses, as (name, event, table, condition).
Refusal = tuple[str, str, str, str]


def declared(vendor: str) -> dict[str, str]:
    """Return name → the statement that creates it of each trigger of the ledger, for a vendor of databases; a later migration's word counts."""
    first = _migration("0002_triggers")
    members, adjustments, lots, reversals = (
        _migration(name) for name in ("0006_members", "0007_adjustments", "0008_lots", "0009_reversal_marks")
    )
    refusals = (first.refusals(), members.refusals(), adjustments.refusals(), lots.refusals(), reversals.TRIGGERS)
    found = {name: statement for each in refusals for name, statement in refusing(vendor, each).items()}
    turns = _migration("0012_turns")
    found[turns.NAME] = turns.TRIGGER[vendor].strip()
    found.update(_migration("0013_periods_in_a_row").statements(vendor))
    return found


def refusing(vendor: str, refusals: Iterable[Refusal]) -> dict[str, str]:
    """Return name → statement of triggers that only refuse."""
    statement: Callable[..., str] = _migration("0002_triggers").statement
    return {name: statement(vendor, name, event, table, condition) for name, event, table, condition in refusals}


def _migration(name: str) -> Any:
    return import_module(f"{MIGRATIONS}.{name}")
