"""Reads how amounts, moments and texts are written in a source definition."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from ingestion_app.formats.amount_styles import AmountStyle, Sign
from ingestion_app.formats.definition import Column, DateFormat, InstantFormat, Kind
from ingestion_app.formats.fault import Fault
from ingestion_app.formats.moments import ERAS, compile_format
from ingestion_app.formats.values import AMOUNT_LIMIT, field_reader
from ledger_app.base.rules.toml_table import Table

DECIMALS_MOST = 4
NEAR = "business_date"  # what says the year or the era: the date is the one that is nearest to it
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
    """Return the column, a date or an instant, with its format and what that leaves open: the year, century or era, and the zone."""
    is_date = column.kind is Kind.DATE
    known = ", ".join(f'"{each}"' for each in (DateFormat if is_date else InstantFormat))
    expected = _("a format of YYYY, MM, DD and the like, such as {known}").format(known=known)
    spelled = table.text("format", pattern="[^\x00-\x1f]{1,40}", expected=expected)
    if spelled is None:
        # What else belongs here depends on it.
        table.know("century", "era", "year", "zone")
        return None
    compiled = compile_format(spelled)
    if compiled is None or not compiled.is_dated or (compiled.has_clock if is_date else not compiled.is_timed):
        table.add("format", _("Give it {expected}, in quotes.").format(expected=expected))
        table.know("century", "era", "year", "zone")
        return None
    century, era = _read_century(table) if compiled.lacks_century else (None, None)
    if compiled.lacks_year and table.choice("year", (NEAR,)) is None:
        return None
    zone = None
    if not is_date and not compiled.knows_utc:
        zone = _read_zone(table)
        if zone is None:
            return None
    is_near = compiled.lacks_year or era == NEAR
    return replace(column, format=spelled, century=century, era=None if era == NEAR else era, zone=zone, is_near=is_near)


def _read_century(table: Table) -> tuple[int | None, str | None]:
    table.know("century", "era")
    if table.has("century") == table.has("era"):
        table.add("format", _("Say with century (2000) or era what years of two digits are: it is not guessed."))
    century = table.integer("century", least=1900, most=2900) if table.has("century") else None
    if century is not None and century % 100:
        table.add("century", _("Write the first year of a century, such as {example}.").format(example=2000))
    return century, table.choice("era", (*ERAS, NEAR)) if table.has("era") else None


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
    if not all(is_read_back(column, value) for value in column.values):
        table.add("values", unreadable_value())
    return column


def _is_form(form: str) -> bool:
    if _FORM.fullmatch(form) is None or len(_VARYING.findall(form)) > _VARYING_MOST:
        return False
    try:
        re.compile(form)
    except re.error:
        return False
    return True


def is_read_back(column: Column, value: str) -> bool:
    """Whether a record could have this as the text of a column's value, where an empty one is none."""
    found = field_reader(column).read(value)
    return value == "" if found is None else not isinstance(found, Fault) and str(found) == value


def unreadable_value() -> str:
    """Say what values have to be, in the active language."""
    return _("Write values that the column could hold, without what it is filled up with.")
