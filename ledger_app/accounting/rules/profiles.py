"""What a profile says: to which accounting program a book's entries go, how they are put together, and what each account of the ledger is called there. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

DAILY: Final = "daily"  # summed by day, pair of accounts, tax classes and departments
ENTRIES: Final = "entries"  # a slip for each entry
MATCHERS: Final = ("code", "pattern", "role", "category")
# What a template of a summary may name. ``description`` and ``reference`` are those of an entry.
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    DAILY: frozenset({"book", "period", "count"}),
    ENTRIES: frozenset({"book", "period", "description", "reference"}),
}
YEN: Final = "JPY"


class Side(NamedTuple):
    """What one side of a row says beside its amount, as the accounting program has it to the letter; empty where it says nothing."""

    account: str
    sub_account: str = ""
    department: str = ""
    partner: str = ""
    tax_class: str = ""
    invoice: str = ""


class AccountRule(NamedTuple):
    """Which accounts of the ledger stand for what. All that ``matchers`` say must hold, on a day of the span; the first rule that fits is taken."""

    matchers: tuple[tuple[str, str], ...]
    side: Side
    summary: str = ""
    first_on: date = date.min
    last_on: date = date.max

    def fits(self, account: Mapping[str, str], on: date) -> bool:
        """Whether an account, as code, role and category, is meant on a day."""
        return self.first_on <= on <= self.last_on and all(
            fnmatchcase(account["code"], said) if kind == "pattern" else account[kind] == said for kind, said in self.matchers
        )


class Definition(NamedTuple):
    """A profile. ``yen_a_unit`` is how many yen one minor unit of the book counts for; None where nothing is said, which is right for a book in yen alone."""

    book: str
    name: str
    target: str
    encoding: str
    rows: str
    summary: str
    fiscal_year_begins: int
    rules: tuple[AccountRule, ...]
    yen_a_unit: int | None = None
    own_tax_classes: tuple[str, ...] = ()

    @property
    def boundaries(self) -> set[date]:
        """The days on which another rule may fit than on the day before."""
        first = {rule.first_on for rule in self.rules if rule.first_on != date.min}
        return first | {date.fromordinal(rule.last_on.toordinal() + 1) for rule in self.rules if rule.last_on != date.max}

    @property
    def tax_classes(self) -> set[str]:
        """The tax classes that its files may have."""
        return {rule.side.tax_class for rule in self.rules}

    def fiscal_year(self, on: date) -> int:
        """Return the calendar year in which the fiscal year of a day began."""
        return on.year if on.month >= self.fiscal_year_begins else on.year - 1

    def year_of(self, on: date) -> tuple[date, date]:
        """Return the first and the last day of the fiscal year of a day."""
        year = self.fiscal_year(on)
        next_begins = date(year + 1, self.fiscal_year_begins, 1)
        return date(year, self.fiscal_year_begins, 1), date.fromordinal(next_begins.toordinal() - 1)


class Charts:
    """What each account of the ledger is called, asked once for each account and span of days. Those that no rule fits are kept."""

    KEPT_MOST = 200_000

    def __init__(self, definition: Definition) -> None:
        """Begin with nothing asked."""
        self._rules = definition.rules
        self._turns = sorted(definition.boundaries)
        self._found: dict[tuple[str, int], AccountRule | None] = {}
        self.unmapped: dict[str, tuple[str, str, date]] = {}  # by code: role, category, and the first day

    def rule(self, code: str, role: str, category: str, on: date) -> AccountRule | None:
        """Return the rule of an account on a day; None, and the account is kept as unmapped, where none fits."""
        key = (code, sum(turn <= on for turn in self._turns))
        if key not in self._found:
            if len(self._found) >= self.KEPT_MOST:
                self._found.clear()
            account = {"code": code, "role": role, "category": category}
            self._found[key] = next((rule for rule in self._rules if rule.fits(account, on)), None)
        rule = self._found[key]
        if rule is None and len(self.unmapped) < self.KEPT_MOST:
            self.unmapped.setdefault(code, (role, category, on))
        return rule


def spans(first: date, last: date, turns: Iterable[date]) -> list[tuple[date, date]]:
    """Return a span of days cut at the turns within it."""
    begins = [first, *sorted(turn for turn in set(turns) if first < turn <= last)]
    ends = [date.fromordinal(begin.toordinal() - 1) for begin in begins[1:]]
    return list(zip(begins, [*ends, last], strict=True))
