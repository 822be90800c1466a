"""What a record posts: the posting rules of a definition, compiled once and asked for each record.

Pure: the same values under the same rules always plan the same entries, which is why validation and apply may each ask.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, NamedTuple

from ingestion_app.formats.definition import AccountRule, Definition, PostingRule
from ingestion_app.formats.values import Value
from ledger_app.posting.rules.forms import DESCRIPTION_MOST

SIDES_MOST = 100_000  # account codes that a rule remembers
PLACE = re.compile(r"\{(\w+)\}")


class Side(NamedTuple):
    """An account that is still to be found: the record's holder in a role, or a code of the book."""

    role: str | None
    code: str | None


class Planned(NamedTuple):
    """One entry that a record posts. ``amount`` is positive: debited on one side and credited on the other."""

    book: str
    effective_on: date
    amount: int
    debit: Side
    credit: Side
    description: str


Values = Sequence[Value | None]  # None: the record has no value there
Contras = Mapping[tuple[str, str], str]  # (book code, reason code) → code of the contra account
_planned = partial(tuple.__new__, Planned)  # without the keywords that its constructor parses


class Planner:
    """Plans the entries of records under one definition."""

    def __init__(self, definition: Definition, zones: Mapping[str, tzinfo], contras: Contras | None = None) -> None:
        """Compile the rules. ``zones`` says, by book code, in which zone an instant becomes a date; ``contras`` which account a reason code has."""
        self._rules = [_compile(rule, definition, zones[rule.book], contras or {}) for rule in definition.postings]

    def plan(self, values: Values) -> list[Planned]:
        """Return the entries of a record; none where every amount comes to zero. A negative amount swaps the sides."""
        return [planned for rule in self._rules if (planned := rule(values)) is not None]


def reference(source: str, key: str) -> str:
    """Return the reference of a record's entries: the record's own key, so that the ledger refuses it in any later file."""
    return f"{source}:{key}"


def _compile(rule: PostingRule, definition: Definition, zone: tzinfo, contras: Contras) -> Callable[[Values], Planned | None]:
    data = definition.layout.data
    amount_at, effective_at = data.position(rule.amount), data.position(rule.effective)
    debit, credit = (_side(side, definition, rule.book, contras) for side in (rule.debit, rule.credit))
    describe, day_of = _template(rule.description, definition), _dating(zone)
    book, per = rule.book, rule.per

    def plan(values: Values) -> Planned | None:
        whole: Any = values[amount_at]
        # Towards zero, so that a refund takes back exactly what the purchase of the same amount gave.
        amount = whole // per if whole >= 0 else -(-whole // per)
        if amount == 0:
            return None
        when: Any = values[effective_at]
        on = day_of(when) if isinstance(when, datetime) else when
        description = describe(values)[:DESCRIPTION_MOST]
        if amount > 0:
            return _planned((book, on, amount, debit(values), credit(values), description))
        return _planned((book, on, -amount, credit(values), debit(values), description))

    return plan


def _dating(zone: tzinfo) -> Callable[[datetime], date]:
    """Return what dates an instant in UTC. The zone is asked once a day of UTC, and for each instant of a day on which its clocks change."""
    offsets: dict[date, timedelta | None] = {}

    def offset_of(day: date) -> timedelta | None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        moments = [midnight + timedelta(hours=hour) for hour in range(24)] + [midnight + timedelta(seconds=86_399)]
        found = {moment.astimezone(zone).utcoffset() for moment in moments}
        return found.pop() if len(found) == 1 else None

    def day_of(when: datetime) -> date:
        day = when.date()
        if day not in offsets:
            offsets[day] = offset_of(day)
        offset = offsets[day]
        return (when + offset).date() if offset is not None else when.astimezone(zone).date()

    return day_of


def _side(rule: AccountRule, definition: Definition, book: str, contras: Contras) -> Callable[[Values], Side]:
    if rule.reason is not None:
        place = definition.layout.data.position(rule.reason)
        of_reason = {reason: Side(None, code) for (of, reason), code in contras.items() if of == book}

        def contra(values: Values) -> Side:
            reason = values[place]
            # No account has a space in its code: a reason code that is not kept is told as an account that is not there.
            return of_reason.get(str(reason)) or Side(None, f"contra account of {reason}")

        return contra
    if rule.role is not None:
        side = Side(rule.role, None)
        return lambda _values: side
    code = _template(rule.code or "", definition)
    sides: dict[str, Side] = {}  # codes are few, and asked for with every record

    def find(values: Values) -> Side:
        name = code(values)
        found = sides.get(name)
        if found is None:
            if len(sides) >= SIDES_MOST:
                sides.clear()
            found = sides[name] = Side(None, name)
        return found

    return find


def _template(text: str, definition: Definition) -> Callable[[Values], str]:
    """Compile ``{column}`` places into one %-format over the record's values, the quickest that Python has."""
    data = definition.layout.data
    places = [data.position(name) for name in PLACE.findall(text)]
    pattern = PLACE.sub("%s", text.replace("%", "%%"))
    if not places:
        return lambda _values: text
    if any(data.columns[place].may_be_absent for place in places):
        return lambda values: pattern % tuple(["" if values[place] is None else values[place] for place in places])
    if len(places) == 1:
        only = places[0]
        return lambda values: pattern % (values[only],)
    return lambda values: pattern % tuple([values[place] for place in places])
