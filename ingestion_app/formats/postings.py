"""What a record posts: the posting rules of a definition, compiled once and asked for each record.

Pure: the same values under the same rules always plan the same entries, which is why validation and apply may each ask.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from ingestion_app.formats.definition import AccountRule, Definition, PostingRule
from ingestion_app.formats.values import Value

DESCRIPTION_MOST = 200  # what an entry keeps
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


Values = Sequence[Value]


class Planner:
    """Plans the entries of records under one definition."""

    def __init__(self, definition: Definition, zones: Mapping[str, tzinfo]) -> None:
        """Compile the rules. ``zones`` says, by book code, in which zone an instant becomes a date."""
        self._rules = [_compile(rule, definition, zones[rule.book]) for rule in definition.postings]
        self._least = [(definition.layout.data.position(rule.amount), rule.per) for rule in definition.postings]

    def plan(self, values: Values) -> list[Planned]:
        """Return the entries of a record; none where every amount comes to zero. A negative amount swaps the sides."""
        return [planned for rule in self._rules if (planned := rule(values)) is not None]

    def has_effect(self, values: Values) -> bool:
        """Whether a record posts anything at all: what ``plan`` would tell at greater cost."""
        return any(abs(values[place]) >= per for place, per in self._least)  # type: ignore[arg-type] # amount columns, as assured


def reference(source: str, key: str) -> str:
    """Return the reference of a record's entries: the record's own key, so that the ledger refuses it in any later file."""
    return f"{source}:{key}"


def _compile(rule: PostingRule, definition: Definition, zone: tzinfo) -> Callable[[Values], Planned | None]:
    data = definition.layout.data
    amount_at, effective_at = data.position(rule.amount), data.position(rule.effective)
    debit, credit = _side(rule.debit, definition), _side(rule.credit, definition)
    describe = _template(rule.description, definition)
    book, per = rule.book, rule.per

    def plan(values: Values) -> Planned | None:
        whole = values[amount_at]
        # Towards zero, so that a refund takes back exactly what the purchase of the same amount gave.
        amount = whole // per if whole >= 0 else -(-whole // per)  # type: ignore[operator] # an amount column, as the definition assures
        if amount == 0:
            return None
        when = values[effective_at]
        on = when.astimezone(zone).date() if isinstance(when, datetime) else when
        sides = (debit(values), credit(values)) if amount > 0 else (credit(values), debit(values))
        return Planned(book, on, abs(amount), *sides, describe(values)[:DESCRIPTION_MOST])  # type: ignore[arg-type] # a date column, as assured

    return plan


def _side(rule: AccountRule, definition: Definition) -> Callable[[Values], Side]:
    if rule.role is not None:
        side = Side(rule.role, None)
        return lambda _values: side
    code = _template(rule.code or "", definition)
    return lambda values: Side(None, code(values))


def _template(text: str, definition: Definition) -> Callable[[Values], str]:
    """Compile ``{column}`` places into one %-format over the record's values, the quickest that Python has."""
    places = [definition.layout.data.position(name) for name in PLACE.findall(text)]
    pattern = PLACE.sub("%s", text.replace("%", "%%"))
    if not places:
        return lambda _values: text
    if len(places) == 1:
        only = places[0]
        return lambda values: pattern % (values[only],)
    return lambda values: pattern % tuple([values[place] for place in places])
