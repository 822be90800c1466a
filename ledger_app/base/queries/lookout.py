"""The last look at what goes into any table: no text with a card number in it is kept, however it came and whatever writes it.

Entries and audit rows cannot be mended afterwards. The doors refuse such a text before, and say which one it is; what they have missed ends here,
and what was begun is undone. Numbers are not looked at: they are keys and amounts. What is inserted many rows at a time is looked at where it is
made into a statement (``base.operations.bulk``).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from ledger_app import errors
from ledger_app.errors import card_numbers, members

WRITES: Final = ("INSERT", "UPDATE", "REPLACE")
_TABLE = re.compile('[A-Z]+(?: INTO)? [`"]?([a-z_]+)')
# What libraries make of chance, by table: in a few of a million such texts stands what reads like the code of a card.
_SESSION = r"[a-z0-9]{32}|\.?[A-Za-z0-9_-]+:[A-Za-z0-9]+:[A-Za-z0-9_-]{43}"
_HASHED = r"[a-z0-9_]+\$[0-9]+\$[A-Za-z0-9]+\$[A-Za-z0-9+/]+=*"
MADE_OF_CHANCE: Final[Mapping[str, re.Pattern[str]]] = {
    "django_session": re.compile(_SESSION),
    "django_tasks_database_dbtaskresult": re.compile(r'\["[A-Za-z0-9]{32}"(?:, "[A-Za-z0-9]{32}")*\]'),
    "ledger_app_user": re.compile(_HASHED),
}

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]

_is_done: ContextVar[bool] = ContextVar("is_done", default=False)


def install(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Have all that a connection writes looked at. Received with each new connection; one that connects again has it already."""
    if look not in connection.execute_wrappers:
        connection.execute_wrappers.append(look)


def look(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 - as it is called
    """Execute a statement, unless it would write a card number.

    :raises errors.Refused: card_number_in_text
    """
    if params and not _is_done.get() and sql.lstrip().startswith(WRITES):
        refuse(_texts(params, many=many), sql.lstrip())
    return execute(sql, params, many, context)


def is_done() -> bool:
    """Whether what is written has been looked at."""
    return _is_done.get()


@contextmanager
def done() -> Iterator[None]:
    """Look at nothing that is written inside: it has been looked at."""
    token = _is_done.set(True)
    try:
        yield
    finally:
        _is_done.reset(token)


def refuse(texts: Iterable[str], sql: str = "") -> None:
    """Refuse texts of which one holds a card number; ``sql`` is the statement that they go into, where there is one.

    :raises errors.Refused: card_number_in_text
    """
    if any(card_numbers.kept_holds(text) and not _is_of_chance(sql, text) for text in texts):
        raise errors.Refused([members.CardNumberInText()])


def _is_of_chance(sql: str, text: str) -> bool:
    table = _TABLE.match(sql)
    form = MADE_OF_CHANCE.get(table[1]) if table else None
    return form is not None and form.fullmatch(text) is not None


def _texts(params: Any, *, many: bool) -> Iterable[str]:
    for row in params if many else (params,):
        for value in row.values() if isinstance(row, Mapping) else row:
            if isinstance(value, str):
                yield value
