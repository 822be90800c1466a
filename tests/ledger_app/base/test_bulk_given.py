"""Rows that are set or removed as a list says: those and no others, found by their keys, and locked in the order of the list."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, connections, transaction

from ledger_app import sql
from ledger_app.base.operations import bulk
from ledger_app.verification import queries as schema

TABLE = "bulk_given"
COUNT = 2000

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def table(transactional_db: None) -> Iterator[None]:
    """A table of our own, whose amounts are the keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {TABLE} (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL)")
        bulk.insert(TABLE, {"id": bulk.INTEGER, "amount": bulk.INTEGER}, [(number, number) for number in range(COUNT)])
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def statement(what: str) -> str:
    """The statement that sets the rows that are given to minus one, or removes them."""
    given = sql.given_rows(sql.IDS, "planned")
    named = {"table": TABLE, "row": "there", "on": "there.id = planned.id"}
    if what == "set":
        return bulk.setting(given=given, values={"amount": "-1"}, **named)
    return bulk.removing(given=given, key="id", **named)


def carry_out(what: str, keys: list[int]) -> int:
    """Set or remove rows; return how many the database says that were."""
    with connection.cursor() as cursor:
        cursor.execute(statement(what), [json.dumps([[key] for key in keys])])
        return int(cursor.rowcount)


def left() -> set[int]:
    """The keys of the rows that are as they were."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {TABLE} WHERE amount = id")
        return {key for (key,) in cursor.fetchall()}


@pytest.mark.parametrize("what", ["set", "removed"])
@pytest.mark.parametrize("keys", [[], [7], [1500, 3, 900], list(range(0, COUNT, 2)), [5, COUNT + 1]])
def test_those_that_are_given_and_no_others(what: str, keys: list[int]) -> None:
    there = set(keys) & set(range(COUNT))
    assert carry_out(what, keys) == len(there)
    assert left() == set(range(COUNT)) - there


@pytest.mark.mariadb
@pytest.mark.parametrize("what", ["set", "removed"])
def test_what_is_given_is_read_first_and_each_row_by_its_key(what: str) -> None:
    with connection.cursor() as cursor:
        # MySQL draws a tree where it is not told otherwise.
        form = "FORMAT=TRADITIONAL" if schema.engine() == "mysql" else ""
        cursor.execute(f"EXPLAIN {form} {statement(what)}", [json.dumps([[key] for key in range(0, COUNT, 2)])])
        names = [column[0] for column in cursor.description]
        plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert [(step["table"], step["key"]) for step in plan] == [("planned", None), ("there", "PRIMARY")]
    assert plan[1]["type"] == "eq_ref"


def is_free(key: int) -> bool:
    """Whether nobody has locked a row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {TABLE} WHERE id = %s FOR UPDATE SKIP LOCKED", [key])
        return cursor.fetchone() is not None


@pytest.mark.mariadb
@pytest.mark.parametrize("what", ["set", "removed"])
@pytest.mark.parametrize("keys", [[3, 900, 1500], [1500, 900, 3]])
def test_rows_are_locked_in_the_order_in_which_they_are_given(what: str, keys: list[int]) -> None:
    """Somebody has the second: then the first is locked, and the third is not yet."""
    is_held, may_go = threading.Event(), threading.Event()
    counts = []

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT id FROM {TABLE} WHERE id = %s FOR UPDATE", [keys[1]])
                is_held.set()
                may_go.wait(60)
        finally:
            connections.close_all()

    def change() -> None:
        try:
            with transaction.atomic():
                counts.append(carry_out(what, keys))
        finally:
            connections.close_all()

    holder, changer = threading.Thread(target=hold), threading.Thread(target=change)
    holder.start()
    try:
        assert is_held.wait(60)
        changer.start()
        deadline = time.monotonic() + 30
        while is_free(keys[0]) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [is_free(key) for key in keys] == [False, False, True]
    finally:
        may_go.set()
        holder.join(60)
        if changer.ident is not None:
            changer.join(60)
    assert counts == [3]
