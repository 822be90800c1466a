"""Keeps the triggers that trace rows in line with the models, and writes the chain over what they wrote."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from ledger_app import locks
from ledger_app.base.operations import transactions
from ledger_app.models import Link, Posting, PostingDigest, Seal, SealCover
from ledger_app.traces.queries import erasable, links, traces
from ledger_app.traces.queries.traces import Table
from ledger_app.traces.rules import traces as rules
from ledger_app.traces.rules.erased import TRACES

EVENTS = ("insert", "update", "delete")
# What is younger is left for the next link: its transaction's neighbours may still be open.
DISTANCE = timedelta(seconds=10)
# A number under which nothing was committed for so long was given to a transaction that was undone.
GAP_LIFE = timedelta(days=1)
TRACES_A_LINK = 5_000
LINKS_A_CALL = 200

INSERT = "INSERT INTO ledger_app_trace (table_name, row_id, event, content, at) VALUES ('{table}', {row}.{key}, '{event}', {content}, {now})"
NOW = {"mysql": "UTC_TIMESTAMP(6)", "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')"}
FOUND = """
    INSERT INTO ledger_app_trace (table_name, row_id, event, content, at)
    SELECT '{table}', kept.{key}, 'F', {content}, {now}
      FROM {table} AS kept
     WHERE COALESCE((SELECT CASE WHEN trace.event = 'D' THEN '' ELSE trace.content END
                       FROM ledger_app_trace AS trace
                      WHERE trace.table_name = '{table}' AND trace.row_id = kept.{key}
                      ORDER BY trace.id DESC LIMIT 1), '') <> {content}
"""


# Of a trace: what the last trace of the same row says, which the change of that row has just left.
OF_TRACE = (
    "UPDATE ledger_app_trace SET content = (SELECT last_said.content FROM (SELECT said.content AS content FROM ledger_app_trace AS said"
    " WHERE said.table_name = (SELECT this.table_name FROM ledger_app_trace AS this WHERE this.id = NEW.row_id)"
    " AND said.row_id = (SELECT this.row_id FROM ledger_app_trace AS this WHERE this.id = NEW.row_id)"
    " ORDER BY said.id DESC LIMIT 1) AS last_said) WHERE id = NEW.row_id"
)


class Trigger(NamedTuple):
    """A trigger: its name, and the statement that makes it."""

    name: str
    statement: str


REFUSE = {
    "mysql": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kakutei: {table} refuses this {event}'",
    "sqlite": "SELECT RAISE(ABORT, 'kakutei: {table} refuses this {event}')",
}


@lru_cache(maxsize=2)
def guards(vendor: str) -> dict[str, list[Trigger]]:
    """Return the triggers that do nothing but refuse, by table: a change of what is written once, and a posting of what is not there."""
    found = {
        table: [
            _guard(vendor, table, f"kakutei_{table.partition('_app_')[2]}_no_{event.lower()}", event, "")
            for event in ("UPDATE", "DELETE")
        ]
        for table in traces.written_once()
    }
    # Of these, what an erasure that two people decided takes away may change, and nothing else.
    for each in erasable.tables():
        guard = _guard(vendor, each.table.name, each.guard, "UPDATE", erasable.refused(vendor, each))
        found[each.table.name] = [guard, *(kept for kept in found.get(each.table.name, ()) if kept.name != guard.name)]
    found["ledger_app_erasedpart"].append(_erases(vendor))
    kinds = ", ".join(f"'{kind}'" for kind in Posting.Origin.values)
    strange = f"NEW.origin_kind NOT IN ({kinds})" + "".join(
        f" OR (NEW.origin_kind = '{kind}' AND NOT EXISTS (SELECT 1 FROM {table} WHERE id = NEW.origin_id))"
        for kind, table in rules.ORIGINS.items()
    )
    found["ledger_app_posting"] = [_guard(vendor, "ledger_app_posting", "kakutei_posting_of_origin", "INSERT", strange)]
    return found


def _guard(vendor: str, table: str, name: str, event: str, condition: str) -> Trigger:
    refuse = REFUSE[vendor].format(table=table, event=event)
    head = f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW"
    if vendor == "sqlite":
        return Trigger(name, f"{head} {f'WHEN {condition} ' if condition else ''}BEGIN {refuse}; END")
    return Trigger(name, f"{head} BEGIN {f'IF {condition} THEN {refuse}; END IF' if condition else refuse}; END")


def _erases(vendor: str) -> Trigger:
    """Return the trigger by which a part, once written, takes away what it names: with the rights of the database user who made the trigger."""
    head = f"CREATE TRIGGER {erasable.ERASES} AFTER INSERT ON ledger_app_erasedpart FOR EACH ROW BEGIN"
    body = ""
    for each in erasable.tables():
        for column in each.columns:
            put = f"UPDATE {each.table.name} SET {column} = NEW.says WHERE {each.table.key} = NEW.row_id"
            put = OF_TRACE if each.table.name == TRACES else put
            is_it = f"NEW.table_name = '{each.table.name}' AND NEW.column_name = '{column}'"
            body += f" {put} AND {is_it};" if vendor == "sqlite" else f" IF {is_it} THEN {put}; END IF;"
    return Trigger(erasable.ERASES, f"{head}{body} END")


@lru_cache(maxsize=2)
def triggers(vendor: str) -> dict[str, list[Trigger]]:
    """Return the triggers of each table that is traced."""
    return {table.name: [_trigger(vendor, table, event) for event in EVENTS] for table in traces.tables()}


def _trigger(vendor: str, table: Table, event: str) -> Trigger:
    name = f"kakutei_trace_{table.name}_{event}"
    row = "OLD" if event == "delete" else "NEW"
    key = f'"{table.key}"' if vendor == "sqlite" else f"`{table.key}`"
    says = traces.content(vendor, row, table)
    insert = INSERT.format(table=table.name, row=row, key=key, event=event[0].upper(), content=says, now=NOW[vendor])
    head = f"CREATE TRIGGER {name} AFTER {event.upper()} ON {table.name} FOR EACH ROW"
    if event == "update":
        was = traces.content(vendor, "OLD", table)
        if vendor == "sqlite":
            return Trigger(name, f"{head} WHEN {was} IS NOT {says} BEGIN {insert}; END")
        return Trigger(name, f"{head} BEGIN IF NOT ({was} <=> {says}) THEN {insert}; END IF; END")
    return Trigger(name, f"{head} BEGIN {insert}; END")


def install() -> None:
    """Make the triggers that are missing or are not what the models say, and trace what their tables hold. Runs after each migration.

    A table whose triggers are as they should be is left alone: what was changed beside them is found by ``verify``, not written down as right.
    """
    vendor = connection.vendor
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if "ledger_app_trace" not in there:
            return
        cursor.execute(INSTALLED[vendor])
        installed: dict[str, str] = dict(cursor.fetchall())
        for name, wanted in guards(vendor).items():
            if name in there:
                _make(cursor, [each for each in wanted if installed.get(each.name) != body_of(vendor, each)])
        for table in traces.tables():
            wanted = triggers(vendor)[table.name]
            if table.name not in there or all(installed.get(each.name) == body_of(vendor, each) for each in wanted):
                continue
            if not _has_columns(cursor, table):
                continue  # migrations are still to come
            for each in wanted:
                cursor.execute(f"DROP TRIGGER IF EXISTS {each.name}")
            given = {"table": table.name, "key": connection.ops.quote_name(table.key), "now": NOW[vendor]}
            cursor.execute(FOUND.format(content=traces.content(vendor, "kept", table), **given))
            _make(cursor, wanted)


def _make(cursor: Any, wanted: Sequence[Trigger]) -> None:
    for each in wanted:
        cursor.execute(f"DROP TRIGGER IF EXISTS {each.name}")
        cursor.execute(each.statement)


INSTALLED = {
    "mysql": "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
}


def body_of(vendor: str, trigger: Trigger) -> str:
    """Return a trigger as the database says it: the whole statement, or what follows FOR EACH ROW."""
    return trigger.statement if vendor == "sqlite" else trigger.statement.partition(" FOR EACH ROW ")[2]


def _has_columns(cursor: Any, table: Table) -> bool:
    there = {column.name for column in connection.introspection.get_table_description(cursor, table.name)}
    return {column for column, _is_bytes in table.columns} <= there


def link(*, at: datetime, distance: timedelta = DISTANCE) -> int:
    """Link what was traced up to ``distance`` before ``at``; return how many links were written. One process does so at a time.

    No writer waits: only rows that are committed are read, and none is locked but the first link. What was being written meanwhile is a gap
    in the numbers, which a later link fills.
    """
    written = 0
    while written < LINKS_A_CALL and transactions.run(lambda: _link_once(at, at - distance)):
        written += 1
    return written


def _link_once(at: datetime, until: datetime) -> bool:
    # The first link is there from the beginning: anyone who holds it appends.
    locks.own_row(Link, Link.objects.get(number=0).pk)
    last = Link.objects.order_by("-number").first()
    assert last is not None, "the first link is made by the migration"  # noqa: S101
    found = links.waiting(last, until=until, most=TRACES_A_LINK)
    if not found:
        return False
    keys = [row[0] for row in found]
    last_trace = max(last.last_trace, keys[-1])
    spans = links.spans(keys)
    gaps = links.gaps(last, keys, since=rules.instant(at), forgotten=rules.instant(at - GAP_LIFE))
    digest = rules.LinkDigest(last.number + 1, bytes(last.digest))
    for row in found:
        digest.add(row)
    Link.objects.create(
        number=last.number + 1,
        last_trace=last_trace,
        spans=spans,
        gaps=gaps,
        trace_count=len(found),
        linked_at=at,
        digest=digest.end(last_trace=last_trace, spans=spans, gaps=gaps, linked_at=at),
    )
    return True


def cover(seal: Seal) -> SealCover:
    """Write what a seal covers beside its entries, in the transaction that writes the seal: the head of the chain."""
    head = Link.objects.order_by("-number").first()
    assert head is not None, "the first link is made by the migration"  # noqa: S101
    before = SealCover.objects.filter(seal=seal.previous_id).first() if seal.previous_id else None
    return SealCover.objects.create(
        seal=seal,
        link=head,
        digest=rules.cover(
            seal=bytes(seal.digest),
            previous=bytes(before.digest) if before else b"",
            link_number=head.number,
            link=bytes(head.digest),
        ),
    )


def digest_posting(row: Posting, entries: list[bytes], lots: list[tuple[Any, ...]], uses: list[tuple[Any, ...]]) -> None:
    """Write the digest of a posting, in its transaction."""
    running = rules.PostingHash(rules.head(row))
    running.entries(entries)
    for rows in (lots, uses):
        running.part()
        running.rows(rows)
    PostingDigest.objects.create(posting=row, lot_count=len(lots), use_count=len(uses), digest=running.digest())
