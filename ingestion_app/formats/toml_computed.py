"""Reads the columns that no field holds in a source definition."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import WORDS, Column, Kind, Only, SignBy
from ingestion_app.formats.spans import overlap, span_of
from ingestion_app.formats.toml_amounts import is_read_back, read_moment, unreadable_value
from ingestion_app.formats.values import AMOUNT_LIMIT
from ledger_app.base.rules.toml_table import Table

_SIGNS_MOST = 4
_JOINED_MOST = 4
_MADE_OF = ("plus", "of", "joined", "from_header")

Columns = Mapping[str, Column | None]


def read_computed(table: Table, name: str, columns: Columns, header: Columns | None) -> Column | None:
    """Return a column that no field holds, made of ``columns``, or of what the ``header`` says (None: there is none to ask)."""
    given = [key for key in _MADE_OF if table.has(key)]
    if len(given) != 1:
        table.know(
            "plus", "minus", "of", "signs", "only", "joined", "kind", "format", "century", "era", "year", "zone", "from_header"
        )
        table.add("name", _("Say what it is made of: plus and minus, of and signs or only, joined, or from_header."))
        table.close()
        return None
    if given == ["from_header"]:
        return _read_from_header(table, name, header or {})
    if given == ["joined"]:
        return _read_joined(table, name, columns)
    column = Column(name=name, kind=Kind.AMOUNT, minimum=-AMOUNT_LIMIT)
    if given == ["plus"]:
        plus, minus = (_amount(table, key, columns, may_be_absent=True) for key in ("plus", "minus"))
        if plus is not None and plus == minus:
            table.add("minus", _("Name another column than that of plus."))
        table.close()
        return replace(column, plus=plus, minus=minus) if plus and minus else None
    return _read_of(table, column, columns)


def _read_of(table: Table, column: Column, columns: Columns) -> Column | None:
    of = _amount(table, "of", columns, may_be_absent=False)
    rows = table.tables("signs") if table.has("signs") else []
    table.know("signs")
    only_table = table.table("only", optional=True)
    if table.has("signs") and not 1 <= len(rows or ()) <= _SIGNS_MOST:
        table.add("signs", _("Name one to {most} columns that say the sign.").format(most=_SIGNS_MOST))
    if not table.has("signs") and not table.has("only"):
        table.add("signs", _("Add signs, or only: without them it is the column itself."))
    signs = [_read_sign(row, columns) for row in rows or ()]
    only = _read_only(only_table, columns) if only_table is not None else None
    table.close()
    whole = tuple(sign for sign in signs if sign is not None)
    if len({sign.column for sign in whole}) < len(whole):
        table.add("signs", _("Name each column once: a sign that is turned twice is as it was."))
    is_read = len(whole) == len(signs) and (only is not None or not table.has("only"))
    least = columns[of] if of else None
    if of is None or not is_read or not (whole or only):
        return None
    # Where no sign is turned the amount is never less than that of which it is made.
    minimum = column.minimum if whole or least is None else min(least.minimum, 0)
    return replace(column, of=of, signs=whole, only=only, minimum=minimum)


def _read_only(table: Table, columns: Columns) -> Only | None:
    name = _named(table, "column", columns, WORDS)
    values = table.texts("values")
    table.close()
    column = columns.get(name or "")
    if column is not None and not all(is_read_back(column, value) for value in values or ()):
        table.add("values", unreadable_value())
    return Only(name, tuple(values)) if name and values else None


def _read_joined(table: Table, name: str, columns: Columns) -> Column | None:
    names = table.texts("joined")
    kind = table.choice("kind", (Kind.DATE, Kind.INSTANT))
    if kind is None:
        table.know("format", "century", "era", "year", "zone")
    read = read_moment(table, Column(name=name, kind=Kind(kind))) if kind else None
    table.close()
    known = [each for each, column in columns.items() if column is not None and _can_be_joined(column)]
    if names is not None and (len(names) > _JOINED_MOST or not set(names) <= set(known)):
        sentence = _("Name at most {most} of these columns, which are texts and always there: {names}.")
        table.add("joined", sentence.format(most=_JOINED_MOST, names=", ".join(known) or "–"))
        return None
    return replace(read, joined=tuple(names)) if read is not None and names else None


def _can_be_joined(column: Column) -> bool:
    return column.kind.is_text and not column.may_be_absent and not column.is_computed


def _read_from_header(table: Table, name: str, header: Columns) -> Column | None:
    said = table.text("from_header", pattern="(?s).+", expected=_("the name of a column"))
    table.close()
    if said is None:
        return None
    known = [each for each, found in header.items() if found is None or found.kind is not Kind.UNUSED]
    if said not in known:
        table.add("from_header", _("Name one of the columns of the header: {names}.").format(names=", ".join(known) or "–"))
        return None
    column = header[said]
    if column is None:
        return None
    # It is read where the header is, and goes with each record as it is.
    bare = Column(name=name, kind=column.kind, width=column.width, minimum=column.minimum, from_header=said)
    is_absent = column.may_be_absent
    return replace(bare, optional=is_absent, may_look_like_card=column.may_look_like_card)


def _read_sign(table: Table, columns: Columns) -> SignBy | None:
    name = _named(table, "column", columns, WORDS)
    positive, negative = table.texts("positive"), table.texts("negative")
    table.close()
    column = columns.get(name or "")
    are_counts = column is not None and column.kind is Kind.COUNT
    if overlap(positive or (), negative or (), are_counts=are_counts):
        table.add("negative", _("Write other values than those of positive."))
    for key, texts in (("positive", positive), ("negative", negative)):
        spans = {value for value in texts or () if are_counts and span_of(value) is not None}
        if column is not None and not all(is_read_back(column, value) for value in set(texts or ()) - spans):
            table.add(key, unreadable_value())
    return SignBy(name, tuple(positive), tuple(negative)) if name and positive and negative else None


def _amount(table: Table, key: str, columns: Columns, *, may_be_absent: bool) -> str | None:
    name = _named(table, key, columns, (Kind.AMOUNT,))
    column = columns.get(name or "")
    if column is not None and column.may_be_absent and not may_be_absent:
        table.add(key, _("Name a column that always has a value, or give {name} a default.").format(name=name))
        return None
    return name


def _named(table: Table, key: str, columns: Columns, kinds: tuple[Kind, ...]) -> str | None:
    name = table.text(key, pattern="(?s).+", expected=_("the name of a column"))
    if name is None:
        return None
    column = columns.get(name)
    if name not in columns or (column is not None and (column.kind not in kinds or column.is_computed)):
        wanted = ", ".join(each for each, found in columns.items() if found is not None and found.kind in kinds) or "–"
        table.add(key, _("Name one of these columns: {names}.").format(names=wanted))
        return None
    return name
