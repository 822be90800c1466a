"""Rules that have one home: what spells each of them, and the modules where it may be spelled."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple


class Home(NamedTuple):
    """A rule, what spells it in a text of the source, and the modules that may; the reason of each that is not its home."""

    rule: str
    spelled: re.Pattern[str]
    homes: Mapping[str, str]


IN_CODE: Final = (
    Home(
        "a balance is held against a floor",
        re.compile(r"(?:[<>]=? ?-?(?:\w+\.)*floor\b|\bfloor [<>]=? |floor or 0\) [<>])"),
        {
            "ledger_app/posting/rules/floors.py": "its home",
            "ledger_app/points/proofs/floor.py": "the invariant, which asks it of the rows anew",
            "ledger_app/members/operations/opening.py": "the range of the number, which no balance is held against",
        },
    ),
    Home(
        "a category says the natural direction",
        re.compile(r"\bin (?:\w+\.)*DEBIT_CATEGORIES|frozenset\(\{['\"]asset"),
        {"ledger_app/values/sides.py": "its home", "ledger_app/sql.py": "asks the home"},
    ),
    Home(
        "a period takes a date",
        re.compile(r"starts_on <= .*ends_on|starts_on__lte=|effective_on__gte=period"),
        {
            "ledger_app/values/dates.py": "its home",
            "ledger_app/sql.py": "its home in queries",
            "ledger_app/models/books.py": "the span runs forward",
        },
    ),
    Home(
        "how many stripes there are",
        re.compile(r"\bSTRIPES_MOST: Final = \d|\bSTRIPES_MOST = \d"),
        {"ledger_app/values/balances.py": "its home"},
    ),
    Home(
        "how long a reason, a ticket or a chain of merges may be",
        re.compile(r"\b(?:REASON|TICKET|CHAIN)_MOST(?:: Final)? = \d"),
        {"ledger_app/values/most.py": "its home"},
    ),
    Home("how long a list may be", re.compile(r"\bLIST_MOST(?:: Final)? = \d"), {"ledger_app/sql.py": "its home"}),
    Home(
        "what a code looks like", re.compile(r"\[A-Za-z0-9\]\[A-Za-z0-9\._-\]\*"), {"ledger_app/values/openings.py": "its home"}
    ),
)
IN_SQL: Final = (
    Home("the natural direction in SQL", re.compile(r"CASE WHEN [\w.]*category"), {"ledger_app/sql.py": "its home"}),
    Home("a list that is given", re.compile(r"JSON_TABLE\(|FROM json_each\(%s"), {"ledger_app/sql.py": "its home"}),
    Home("the key of a balance", re.compile(r"account(?:_id|\.id) \* (?:64|\{)"), {"ledger_app/values/balances.py": "its home"}),
    Home(
        "a period takes an entry's date in SQL",
        re.compile(r"BETWEEN period\.starts_on|period\.starts_on <="),
        {"ledger_app/sql.py": "its home"},
    ),
    Home(
        "a balance is what its lines come to",
        re.compile(r"balance\.sequence <> COALESCE\(summed\.line_count"),
        {"ledger_app/close/queries/proving.py": "its home"},
    ),
    Home(
        "an ordered join by the database's name", re.compile(r"^(?:STRAIGHT_JOIN|CROSS JOIN)$"), {"ledger_app/sql.py": "its home"}
    ),
)


def breaches(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield each rule that a module spells which is not its home, with the line."""
    # A call of several lines is one line here, and comments are gone.
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.BoolOp | ast.keyword | ast.Assign | ast.AnnAssign | ast.Call):
            text = ast.unparse(node)
            for home in IN_CODE:
                if name not in home.homes and home.spelled.search(text):
                    yield f"{name}:{getattr(node, 'lineno', 0)}: {home.rule}"
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            text = str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
            for home in IN_SQL:
                if name not in home.homes and home.spelled.search(text):
                    yield f"{name}:{node.lineno}: {home.rule}"
