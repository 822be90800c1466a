"""The invariants of changes, asked of the traces: a row changes where the program changes it, and as long as it does."""

from collections.abc import Iterator, Mapping, Sequence

from django.db import connection
from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Trace
from ledger_app.traces.queries import traces
from ledger_app.traces.queries.traces import Table
from ledger_app.traces.rules import traces as rules
from ledger_app.traces.rules.traces import Changing

ROWS_A_READ = 2_000
Said = Mapping[str, str | None]

# Of the rows that were changed or removed all that was ever said, each row's in its order.
OF_CHANGED = """
    SELECT trace.row_id, trace.event, trace.content
      FROM ledger_app_trace AS trace
      JOIN (SELECT DISTINCT row_id FROM ledger_app_trace WHERE table_name = %s AND event IN ('U', 'D')) AS changed
        ON changed.row_id = trace.row_id
     WHERE trace.table_name = %s
     ORDER BY trace.row_id, trace.id
"""
NEVER = Changing(frozenset())
# What a row said when its table's triggers were made again, where that is not what was written of it before.
FOUND_ANEW = """
    SELECT found.table_name, found.row_id, found.content,
           (SELECT earlier.content FROM ledger_app_trace AS earlier
             WHERE earlier.table_name = found.table_name AND earlier.row_id = found.row_id AND earlier.id < found.id
             ORDER BY earlier.id DESC LIMIT 1)
      FROM ledger_app_trace AS found
     WHERE found.event = 'F'
       AND EXISTS (SELECT 1 FROM ledger_app_trace AS earlier
                    WHERE earlier.table_name = found.table_name AND earlier.row_id = found.row_id AND earlier.id < found.id)
     ORDER BY found.id
"""


def rows_change_where_the_program_changes_them(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for rows without a history: only columns that the program changes were changed, and only rows that it removes are gone."""
    with_history = {table.name for table in traces.historied()}
    for table in traces.tables():
        if table.name not in with_history:
            yield from _beyond(table, rules.CHANGING.get(table.name, NEVER))


def _beyond(table: Table, changing: Changing) -> Iterator[str]:
    names = [column for column, _is_bytes in table.columns]
    last_id, before = None, None
    for row_id, event, content in _said(table.name):
        said = dict(zip(names, traces.values(connection.vendor, content), strict=False))
        if row_id != last_id:
            before = None
        if event == Trace.Event.DELETED:
            if table.name not in rules.REMOVING:
                yield _("{table} {key} was removed, which the program never does.").format(table=table.name, key=row_id)
            said = {}
        elif event == Trace.Event.UPDATED and before:
            column = changed_beyond(before, said, changing)
            if column:
                yield _("{table} {key}: {column} was changed after it was written, which the program never does.").format(
                    table=table.name, key=row_id, column=column
                )
        # A row that is found anew may have other columns than it had.
        last_id, before = row_id, said


def changed_beyond(before: Said, after: Said, changing: Changing) -> str:
    """Return the first column that was changed and that the program does not change, or not any more; nothing where there is none."""
    changed = [name for name, value in after.items() if before.get(name) != value]
    if changed and changing.column and before.get(changing.column) not in changing.while_it_says:
        return changed[0]
    return next((name for name in changed if name not in changing.columns), "")


def _said(table: str) -> Iterator[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(OF_CHANGED, [table, table])
        while block := cursor.fetchmany(ROWS_A_READ):
            yield from block


def rows_are_found_as_they_were_left(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for rows whose triggers were away and are made again: nothing of them was changed meanwhile.

    A migration that changes the columns of a table makes them again, too: there the rows have more values than they had, or fewer.
    """
    names = {table.name: [column for column, _is_bytes in table.columns] for table in traces.tables()}
    with connection.cursor() as cursor:
        cursor.execute(FOUND_ANEW)
        while block := cursor.fetchmany(ROWS_A_READ):
            for table, key, content, content_before in block:
                now, before = (traces.values(connection.vendor, each) for each in (content, content_before))
                columns = names.get(table, [])
                if len(now) != len(before) or len(now) != len(columns):
                    continue
                for column in [name for name, was, is_now in zip(columns, before, now, strict=True) if was != is_now][:1]:
                    yield _("{table} {key}: {column} was changed while the table's triggers were away.").format(
                        table=table, key=key, column=column
                    )


INVARIANTS = (
    Invariant(
        3,
        gettext_lazy("Of each row only that was changed which the program changes."),
        rows_change_where_the_program_changes_them,
    ),
    Invariant(3, gettext_lazy("No row was changed while its table had no triggers."), rows_are_found_as_they_were_left),
)
