"""Many rows in one statement: what does not fit a column is refused by the database, never cut or bent."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from ledger_app import errors
from ledger_app.base.operations import bulk
from ledger_app.models import Holder

TABLE = "bulk_sample"
COLUMNS = {"number": bulk.INTEGER, "day": bulk.DATE, "name": bulk.TEXT, "digest": bulk.DIGEST}
GOOD: tuple[Any, ...] = (1, date(2017, 1, 31), "髙 ' \" \\ % ;", b"\x00\xff" * 16)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table() -> None:
    """A table with one column of each kind, gone with the connection's session."""
    digest = "BINARY(32)" if connection.vendor == "mysql" else "BLOB"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE TEMPORARY TABLE {TABLE} (number BIGINT, day DATE, name VARCHAR(20) NOT NULL, digest {digest})")


def rows() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number, day, name, digest FROM {TABLE} ORDER BY number")
        return [(number, str(day), name, bytes(digest)) for number, day, name, digest in cursor.fetchall()]


def test_values_arrive_as_they_were() -> None:
    bulk.insert(TABLE, COLUMNS, [GOOD, (-(2**63), None, "", bytes(32))])
    assert rows() == [(-(2**63), "None", "", bytes(32)), (1, "2017-01-31", GOOD[2], GOOD[3])]


def test_every_character_arrives_that_a_call_has_alone() -> None:
    # Where no text of a call has to be escaped, none is.
    alone = [f"[{chr(code)}]" for code in (*range(256), 0x200B, 0x3042, 0xFF07, 0x1F600)]
    for number, text in enumerate(alone):
        bulk.insert(TABLE, COLUMNS, [(number, GOOD[1], text, GOOD[3])])
    assert [row[2] for row in rows()] == alone


def test_more_rows_than_one_call_takes_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_A_CALL", 2)
    bulk.insert(TABLE, COLUMNS, [(number, *GOOD[1:]) for number in range(5)])
    assert [row[0] for row in rows()] == [0, 1, 2, 3, 4]


def test_rows_too_long_for_one_statement_go_in_several() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")
        cursor.execute(f"CREATE TEMPORARY TABLE {TABLE} (number BIGINT, name LONGTEXT)")
    # 20 MB, and each quote is escaped twice on its way: more than a server takes at once that nobody has configured.
    long = '["a","b"]' * 450
    bulk.insert(TABLE, {"number": bulk.INTEGER, "name": bulk.TEXT}, [(number, long) for number in range(5000)])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*), MIN(LENGTH(name)), COUNT(DISTINCT number) FROM {TABLE}")
        assert cursor.fetchone() == (5000, len(long), 5000)


def test_documents_are_cut_in_order_and_a_long_row_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "DOCUMENT_CHARACTERS", 12)
    assert list(bulk.documents([[1], [2], ["a row longer than that"], [4], [5]])) == [
        "[[1],[2]]",
        '[["a row longer than that"]]',
        "[[4],[5]]",
    ]


def test_no_rows_are_no_statement() -> None:
    bulk.insert(TABLE, COLUMNS, [])
    assert rows() == []


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param((10**19, *GOOD[1:]), id="an integer of twenty digits"),
        pytest.param((1, GOOD[1], "x" * 21, GOOD[3]), id="a text that is too long"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_server(wrong: tuple[Any, ...]) -> None:
    with pytest.raises(DatabaseError):
        bulk.insert(TABLE, COLUMNS, [GOOD, wrong])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        pytest.param((True, *GOOD[1:]), TypeError, id="a truth where a number belongs"),
        pytest.param((1, GOOD[1], b"x", GOOD[3]), TypeError, id="bytes where a text belongs"),
        pytest.param(("12x", *GOOD[1:]), TypeError, id="an integer with a letter"),
        pytest.param((1.5, *GOOD[1:]), TypeError, id="an integer with a fraction"),
        pytest.param((None, *GOOD[1:]), TypeError, id="an integer that must be given"),
        pytest.param((1, "2017-02-31", *GOOD[2:]), TypeError, id="a day as text"),
        pytest.param((1, GOOD[1], None, GOOD[3]), TypeError, id="a text that must be given"),
        pytest.param((*GOOD[:3], "00' OR '1'='1"), TypeError, id="a text where bytes belong"),
        pytest.param((1, *GOOD[1:], 5), ValueError, id="a value too many"),
    ],
)
def test_what_does_not_fit_is_refused(wrong: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        bulk.insert(TABLE, COLUMNS, [GOOD, wrong])
    assert rows() == []


def test_null_goes_where_it_may() -> None:
    bulk.insert(TABLE, {"number": bulk.OPTIONAL_INTEGER, "name": bulk.TEXT}, [(None, "x"), (7, "y")])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number, name FROM {TABLE} ORDER BY name")
        assert [*cursor.fetchall()] == [(None, "x"), (7, "y")]


def test_what_has_no_place_in_a_row_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError):
        bulk.insert(TABLE, COLUMNS, [(object(), *GOOD[1:])])


def test_blocks_are_inserted_in_order_and_counted() -> None:
    blocks = [[(number, *GOOD[1:]) for number in range(start, start + 3)] for start in (0, 3, 6)]
    assert [*bulk.insert_each(TABLE, COLUMNS, blocks)] == [3, 3, 3]
    assert [row[0] for row in rows()] == list(range(9))


def test_a_block_that_does_not_fit_raises_and_leaves_the_connection_usable() -> None:
    with transaction.atomic():
        with pytest.raises(TypeError):
            [*bulk.insert_each(TABLE, COLUMNS, [[GOOD], [(object(), *GOOD[1:])]])]
        assert len(rows()) <= 1


def test_whoever_gives_up_between_blocks_finds_nothing_under_way() -> None:
    given = bulk.insert_each(TABLE, COLUMNS, [[GOOD], [(2, *GOOD[1:])], [(3, *GOOD[1:])]])
    assert next(given) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {TABLE}")
        assert cursor.fetchone()[0] >= 1
    del given


@pytest.fixture
def without_returning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on MySQL, where a statement returns no rows."""
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)


def holders(count: int) -> list[Holder]:
    return [
        Holder(name=f"Member {number}", opened_at=datetime(2017, 1, 1, 0, 0, 0, number, tzinfo=UTC)) for number in range(count)
    ]


@pytest.mark.mariadb
def test_numbers_are_read_back_where_no_statement_returns_them(
    without_returning: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(bulk, "OBJECTS_A_CALL", 40)
    with django_assert_num_queries(9):  # for each forty: the insert, its first number, the rows
        rows = bulk.numbered(holders(100))
    assert dict(Holder.objects.filter(name__startswith="Member").values_list("pk", "name")) == {row.pk: row.name for row in rows}


@pytest.mark.mariadb
def test_a_number_under_which_another_row_stands_is_refused(without_returning: None, monkeypatch: pytest.MonkeyPatch) -> None:
    create = type(Holder.objects).bulk_create

    def somebody_in_between(manager: Any, rows: Any, **said: Any) -> Any:
        create(manager, rows, **said)
        Holder.objects.filter(name="Member 3").update(name="Another")

    monkeypatch.setattr(type(Holder.objects), "bulk_create", somebody_in_between)
    with pytest.raises(errors.WrittenDiffers):
        bulk.numbered(holders(5))
