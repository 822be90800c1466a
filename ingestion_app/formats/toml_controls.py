"""Reads what a sender says of its whole file: the controls among the roles of a source definition."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from ingestion_app.formats.control_totals import Balance, HashTotal, Total
from ingestion_app.formats.definition import Column, Kind
from ingestion_app.formats.toml_names import Columns, named_column
from ingestion_app.formats.values import AMOUNT_LIMIT
from ledger_app.base.rules.toml_table import Table

_HASHED_DIGITS = 15  # as many as a count has at most
_OPENINGS = ("header_opening_balance", "trailer_opening_balance")
_CLOSING = "trailer_closing_balance"
_BALANCES = (*_OPENINGS, _CLOSING)


class ReadControls(NamedTuple):
    """The controls as far as they could be read."""

    trailer_count: str | None
    trailer_sum: str | None
    totals: tuple[tuple[Total, str], ...]
    hash_total: HashTotal | None
    balance: Balance | None


def read_controls(table: Table, data: Columns, header: Columns, trailer: Columns) -> ReadControls:
    """Return the controls. A source without any says so, so that nobody takes it for an oversight."""
    keys = {total: f"trailer_{total}" for total in Total}
    asked = ("trailer_count", "trailer_sum", *keys.values(), "hash_total", *_BALANCES)
    table.know(*asked)
    count = named_column(table, "trailer_count", trailer, (Kind.COUNT,)) if table.has("trailer_count") else None
    total = named_column(table, "trailer_sum", trailer, (Kind.AMOUNT,)) if table.has("trailer_sum") else None
    totals = [(each, named_column(table, key, trailer, (_kind_of(each),))) for each, key in keys.items() if table.has(key)]
    hash_total = _read_hash(table.table("hash_total", optional=True), data, trailer)
    balance = _read_balance(table, header, trailer)
    controls = table.choice("controls", ("none",), optional=True)
    has_any = any(map(table.has, asked))
    if has_any and controls:
        table.add("controls", _("Take it out: the trailer has controls."))
    if not has_any and not table.has("controls"):
        sentence = _('Name the trailer\'s count, its sum, or both; where the sender sends neither, write controls = "none".')
        table.add("trailer_count", sentence)
    return ReadControls(count, total, tuple((each, name) for each, name in totals if name is not None), hash_total, balance)


def check_signs(table: Table, read: ReadControls, amount: Column | None, trailer: Columns) -> None:
    """Report totals that cannot be negative though the amounts, and with them their sum, can."""
    if amount is None or amount.minimum >= 0:
        return
    for key, name in (("trailer_sum", read.trailer_sum), (_CLOSING, read.balance.closing if read.balance else None)):
        column = trailer.get(name or "")
        if column is not None and column.minimum >= 0:
            sentence = _("Give the column {name} a negative minimum: amounts may be negative, and so may their sum.")
            table.add(key, sentence.format(name=column.name))


def _kind_of(total: Total) -> Kind:
    return Kind.COUNT if total in {Total.POSITIVE_COUNT, Total.NEGATIVE_COUNT} else Kind.AMOUNT


def _read_hash(table: Table | None, data: Columns, trailer: Columns) -> HashTotal | None:
    if table is None:
        return None
    said = named_column(table, "trailer", trailer, (Kind.COUNT,))
    of = named_column(table, "of", data, (Kind.IDENTIFIER, Kind.COUNT))
    digits = table.integer("digits", least=1, most=_HASHED_DIGITS, optional=True)
    modulus = table.integer("modulus", least=2, most=AMOUNT_LIMIT, optional=True)
    table.close()
    column = data.get(of or "")
    if digits is None and column is not None and column.kind is Kind.IDENTIFIER and column.width > _HASHED_DIGITS:
        table.add("digits", _("Say how many of the first digits of {name} are added up.").format(name=column.name))
    return HashTotal(said, of, digits, modulus) if said and of else None


def _read_balance(table: Table, header: Columns, trailer: Columns) -> Balance | None:
    """Return the balances: the opening one in header or trailer, the closing one in the trailer, both or neither."""
    if not any(map(table.has, _BALANCES)):
        return None
    if sum(map(table.has, _OPENINGS)) != 1 or not table.has(_CLOSING):
        table.add(_CLOSING, _("Name both balances, the opening one once: {names}.").format(names=", ".join(_BALANCES)))
    opening = closing = None
    for key in _OPENINGS:
        if table.has(key):
            opening = named_column(table, key, header if key.startswith("header") else trailer, (Kind.AMOUNT,))
    if table.has(_CLOSING):
        closing = named_column(table, _CLOSING, trailer, (Kind.AMOUNT,))
    return Balance(opening, closing, table.has(_OPENINGS[0])) if opening and closing else None
