"""Reads how amounts and moments are written, and which columns are computed, in a source definition."""

import re
from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import AmountStyle, Column, DateFormat, InstantFormat, Kind, Sign, SignBy
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.moments import ERAS, compile_format
from ingestion_app.formats.values import AMOUNT_LIMIT, field_reader
from ledger_app.base.rules.toml_table import Table

DECIMALS_MOST = 4
_SIGNS_MOST = 4
_SEPARATORS = (",", ".", " ", "'", "_")
# Characters, classes and digits, each perhaps repeated; what could try long to match cannot be spelled with them.
_FORM = re.compile(r"(?:(?:[A-Za-z0-9_ -]|\\[d.]|\[[A-Za-z0-9_ -]+\])(?:\{[0-9]{1,2}(?:,[0-9]{1,2})?\}|\?)?){1,40}")
_VARYING_MOST = 2
_VARYING = re.compile(r"\{[0-9]+,[0-9]+\}|\?")


def read_amount(table: Table, column: Column) -> Column | None:
    """Return the column with its least amount and the way in which it is written: bare minor units where nothing is said."""
    minimum = table.integer("minimum", least=-AMOUNT_LIMIT, most=AMOUNT_LIMIT, optional=True)
    column = replace(column, minimum=minimum or 0)
    keys = ("decimals", "point", "minor_digits", "fewer_decimals", "thousands", "sign", "plus")
    is_padded = column.padding is not None and column.padding.character == "0"
    if not any(map(table.has, keys)) and not is_padded:
        table.know(*keys)
        return column
    decimals = table.integer("decimals", least=0, most=DECIMALS_MOST, optional=True) or 0
    minor_digits = table.integer("minor_digits", least=0, most=DECIMALS_MOST, optional=True)
    point = table.choice("point", (".", ",", "none"), optional=not decimals)
    has_fewer_decimals = table.switch("fewer_decimals")
    thousands = table.choice("thousands", _SEPARATORS, optional=True)
    sign = table.choice("sign", tuple(Sign), optional=True) or Sign.LEADING
    may_have_plus = table.switch("plus")
    if point is not None and not decimals:
        table.add("point", _("Take it out, or say with decimals how many digits stand behind it."))
    if has_fewer_decimals and point in {None, "none"}:
        table.add("fewer_decimals", _("Take it out: without a point nobody can tell how many decimals there are."))
    if thousands is not None and thousands == point:
        table.add("thousands", _("Write another sign than the point."))
    if may_have_plus and sign in {Sign.PARENTHESES, Sign.NONE}:
        table.add("plus", _("Take it out: a plus stands where a minus could, and here none does."))
    if decimals and point is None:
        return None
    style = AmountStyle(
        decimals=decimals,
        minor_digits=decimals if minor_digits is None else minor_digits,
        point=None if point == "none" else point,
        has_fewer_decimals=has_fewer_decimals,
        thousands=thousands,
        sign=Sign(sign),
        may_have_plus=may_have_plus,
        zero_padded=is_padded,
    )
    # The zeros in front belong to the number: they may stand behind its sign.
    return replace(column, amount=style, padding=None if is_padded else column.padding)


def read_moment(table: Table, column: Column) -> Column | None:
    """Return the column, a date or an instant, with its format and what that leaves open: the century or era, and the zone."""
    is_date = column.kind is Kind.DATE
    known = ", ".join(f'"{each}"' for each in (DateFormat if is_date else InstantFormat))
    expected = _("a format of YYYY, MM, DD and the like, such as {known}").format(known=known)
    spelled = table.text("format", pattern="[^\x00-\x1f]{1,40}", expected=expected)
    if spelled is None:
        # What else belongs here depends on it.
        table.know("century", "era", "zone")
        return None
    century, era = _read_century(table, spelled)
    compiled = compile_format(spelled, century=century, era=era)
    if compiled is None or not compiled.is_dated or (compiled.has_clock if is_date else not compiled.is_timed):
        table.add("format", _("Give it {expected}, in quotes.").format(expected=expected))
        table.know("zone")
        return None
    zone = None
    if not is_date and not compiled.knows_utc:
        zone = _read_zone(table)
        if zone is None:
            return None
    return replace(column, format=spelled, century=century, era=era, zone=zone)


def _read_century(table: Table, spelled: str) -> tuple[int | None, str | None]:
    if "YY" not in spelled.replace("YYYY", ""):
        return None, None
    table.know("century", "era")
    if table.has("century") == table.has("era"):
        table.add("format", _("Say with century (2000) or era what years of two digits are: it is not guessed."))
    century = table.integer("century", least=1900, most=2900) if table.has("century") else None
    if century is not None and century % 100:
        table.add("century", _("Write the first year of a century, such as {example}.").format(example=2000))
    return century, table.choice("era", tuple(ERAS)) if table.has("era") else None


def _read_zone(table: Table) -> ZoneInfo | None:
    expected = _("the name of a time zone, such as Asia/Tokyo")
    name = table.text("zone", pattern="[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)+|UTC", expected=expected)
    try:
        return ZoneInfo(name) if name is not None else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.add("zone", _("Give it {expected}, in quotes.").format(expected=expected))
        return None


def read_form(table: Table, column: Column) -> Column:
    """Return the column, a text or an identifier, with the values or the form that it is held to."""
    values = table.texts("values") if table.has("values") else None
    expected = _("characters, [classes], \\d and \\., each perhaps with ? or {n} or {m,n}, at most two of which vary")
    form = table.text("pattern", pattern="(?s).{1,200}", expected=expected, optional=True)
    table.know("values", "pattern")
    if form is not None and not _is_form(form):
        table.add("pattern", _("Give it {expected}, in quotes.").format(expected=expected))
        form = None
    column = replace(column, values=tuple(values or ()), pattern=form)
    if not all(_is_read_back(column, value) for value in column.values):
        table.add("values", _unreadable())
    return column


def _is_form(form: str) -> bool:
    if _FORM.fullmatch(form) is None or len(_VARYING.findall(form)) > _VARYING_MOST:
        return False
    try:
        re.compile(form)
    except re.error:
        return False
    return True


def read_computed(table: Table, name: str, columns: Mapping[str, Column | None]) -> Column | None:
    """Return a column that no field holds, made of ``columns``."""
    table.know("plus", "minus", "of", "signs")
    if table.has("plus") == table.has("of"):
        table.add("name", _("Say what it is made of: plus and minus, or of and signs."))
        table.close()
        return None
    column = Column(name=name, kind=Kind.AMOUNT, minimum=-AMOUNT_LIMIT)
    if table.has("plus"):
        plus, minus = (_amount(table, key, columns, may_be_absent=True) for key in ("plus", "minus"))
        if plus is not None and plus == minus:
            table.add("minus", _("Name another column than that of plus."))
        table.close()
        return replace(column, plus=plus, minus=minus) if plus and minus else None
    of = _amount(table, "of", columns, may_be_absent=False)
    rows = table.tables("signs") or []
    if table.has("signs") and not 1 <= len(rows) <= _SIGNS_MOST:
        table.add("signs", _("Name one to {most} columns that say the sign.").format(most=_SIGNS_MOST))
    signs = [_read_sign(row, columns) for row in rows]
    table.close()
    whole = tuple(sign for sign in signs if sign is not None)
    if len({sign.column for sign in whole}) < len(whole):
        table.add("signs", _("Name each column once: a sign that is turned twice is as it was."))
    return replace(column, of=of, signs=whole) if of and whole and len(whole) == len(signs) else None


def _read_sign(table: Table, columns: Mapping[str, Column | None]) -> SignBy | None:
    name = _named(table, "column", columns, (Kind.IDENTIFIER, Kind.TEXT, Kind.COUNT))
    positive, negative = table.texts("positive"), table.texts("negative")
    table.close()
    if set(positive or ()) & set(negative or ()):
        table.add("negative", _("Write other values than those of positive."))
    column = columns.get(name or "")
    for key, texts in (("positive", positive), ("negative", negative)):
        if column is not None and not all(_is_read_back(column, value) for value in texts or ()):
            table.add(key, _unreadable())
    return SignBy(name, tuple(positive), tuple(negative)) if name and positive and negative else None


def _is_read_back(column: Column, value: str) -> bool:
    """Whether a record could have this as the text of a column's value, where an empty one is none."""
    found = field_reader(column).read(value)
    return value == "" if found is None else not isinstance(found, Fault) and str(found) == value


def _unreadable() -> str:
    return _("Write values that the column could hold, without what it is filled up with.")


def _amount(table: Table, key: str, columns: Mapping[str, Column | None], *, may_be_absent: bool) -> str | None:
    name = _named(table, key, columns, (Kind.AMOUNT,))
    column = columns.get(name or "")
    if column is not None and column.may_be_absent and not may_be_absent:
        table.add(key, _("Name a column that always has a value, or give {name} a default.").format(name=name))
        return None
    return name


def _named(table: Table, key: str, columns: Mapping[str, Column | None], kinds: tuple[Kind, ...]) -> str | None:
    name = table.text(key, pattern="(?s).+", expected=_("the name of a column"))
    if name is None:
        return None
    column = columns.get(name)
    if name not in columns or (column is not None and (column.kind not in kinds or column.is_computed)):
        wanted = ", ".join(each for each, found in columns.items() if found is not None and found.kind in kinds) or "–"
        table.add(key, _("Name one of these columns: {names}.").format(names=wanted))
        return None
    return name
