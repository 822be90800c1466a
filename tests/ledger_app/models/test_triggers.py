"""The database itself refuses what the code refuses, through whatever door it is asked."""

import itertools
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from ledger_app.base import proofs
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.models import Account, AuditRow, Balance, Book, Entry, Holder, Line, Period, Posting, Seal, User


@pytest.fixture
def frozen(ledger, checker):
    """January frozen with one sale, February open with another."""
    ledger.sell("r-1", 700)
    ledger.sell("r-2", 30, on=date(2017, 2, 3))
    periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"debits": 700}, caller=checker, code_version="test")
    return ledger


def execute(sql, parameters=()):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def refused(sql, parameters=()):
    with pytest.raises(DatabaseError, match="kakutei"):
        execute(sql, parameters)


TABLES = {"posting": "reason", "entry": "description", "line": "amount", "seal": "code_version", "auditrow": "reason"}


def contents():
    found = {}
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ledger_app_{table} ORDER BY id")
            found[table] = cursor.fetchall()
    return found


@pytest.mark.parametrize(("table", "column"), TABLES.items())
def test_rows_of_append_only_tables_neither_change_nor_go(frozen, table, column):
    before = contents()
    assert before[table]
    refused(f"UPDATE ledger_app_{table} SET {column} = {column}")
    refused(
        f"UPDATE ledger_app_{table} SET {column} = '7' WHERE id = (SELECT * FROM (SELECT MAX(id) FROM ledger_app_{table}) AS one)"
    )
    refused(f"DELETE FROM ledger_app_{table}")
    assert contents() == before


@pytest.mark.mariadb
@pytest.mark.parametrize("table", TABLES)
def test_ignoring_errors_ignores_no_refusal(frozen, table):
    before = contents()
    for statement in (f"UPDATE IGNORE ledger_app_{table} SET id = id + 1000", f"DELETE IGNORE FROM ledger_app_{table}"):
        with pytest.raises(DatabaseError, match="kakutei"):
            execute(statement)
    assert contents() == before


@pytest.mark.parametrize("model", [Posting, Entry, Line, Seal, AuditRow])
def test_the_orm_is_refused_alike(frozen, model):
    before = contents()
    row = model.objects.latest("id")
    column = TABLES[model._meta.model_name]
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**{column: "7"})
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        model.objects.bulk_update([row], [column])
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        row.save()
    with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():
        row.delete()
    # Past Django's own collector, as an administrator's clean-up would be.
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        model.objects.filter(pk=row.pk)._raw_delete(using="default")
    assert contents() == before


REPLACE = {"sqlite": "INSERT OR REPLACE INTO", "mysql": "REPLACE INTO"}


@pytest.mark.parametrize("table", TABLES)
def test_replacing_a_row_is_refused(frozen, table):
    before = contents()
    refused(f"{REPLACE[connection.vendor]} ledger_app_{table} SELECT * FROM ledger_app_{table}")
    assert contents() == before


@pytest.mark.mariadb
def test_an_insert_that_turns_into_an_update_is_refused(frozen):
    before = contents()
    refused(
        "INSERT INTO ledger_app_line SELECT * FROM ledger_app_line AS there ON DUPLICATE KEY UPDATE amount = there.amount + 1"
    )
    refused("INSERT INTO ledger_app_entry SELECT * FROM ledger_app_entry AS there ON DUPLICATE KEY UPDATE description = 'x'")
    assert contents() == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own")
def test_an_upsert_is_refused_on_sqlite(frozen):
    refused("INSERT INTO ledger_app_line SELECT * FROM ledger_app_line WHERE true ON CONFLICT DO UPDATE SET amount = amount + 1")


INSERT = """
    INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
    VALUES (%s, %s, %s, %s, %s, '', %s)
"""
numbers = itertools.count(1)  # posting makes larger ones


def row(ledger, on, reference):
    return [next(numbers), Posting.objects.latest("id").pk, ledger.book.pk, on, reference, b"0" * 32]


@pytest.mark.parametrize("on", ["2017-01-01", "2017-01-31", "2016-12-31", "2017-04-01"])
def test_an_entry_in_a_frozen_period_or_in_none_is_refused(frozen, on):
    refused(INSERT, row(frozen, on, "raw"))


def test_an_entry_in_an_open_period_passes(frozen):
    assert execute(INSERT, row(frozen, "2017-02-01", "raw")) == 1


def test_an_open_period_of_another_book_opens_nothing(frozen):
    other = Book.objects.create(code="OTHER", name="x", unit="x", time_zone="UTC")
    Period.objects.create(book=other, name="2017-01", starts_on="2017-01-01", ends_on="2017-01-31")
    refused(INSERT, row(frozen, "2017-01-15", "raw"))


def test_bulk_create_into_a_frozen_period_is_refused(frozen):
    posting = Posting.objects.latest("id")
    entries = [
        Entry(id=next(numbers), posting=posting, book=frozen.book, effective_on=on, reference=f"bulk-{on}", digest=b"0" * 32)
        for on in (date(2017, 2, 1), date(2017, 2, 2), date(2017, 1, 31))
    ]
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Entry.objects.bulk_create(entries)
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Entry.objects.bulk_create(entries[2:], ignore_conflicts=True)
    assert Entry.objects.count() == 2


@pytest.mark.parametrize("order", [("2017-02-01", "2017-02-02", "2017-01-31"), ("2017-02-01", "2017-01-31", "2017-02-02")])
def test_one_statement_with_rows_in_an_open_and_a_frozen_period_writes_neither(frozen, order):
    before = contents()
    rows = [row(frozen, on, f"raw-{on}") for on in order]
    values = ", ".join(["(%s, %s, %s, %s, %s, '', %s)"] * len(rows))
    statement = INSERT[: INSERT.index("VALUES")] + f"VALUES {values}"
    refused(statement, [value for each in rows for value in each])
    assert contents() == before


@pytest.mark.mariadb
def test_rows_that_may_be_ignored_are_not_let_in(frozen):
    before = contents()
    with pytest.raises(DatabaseError, match="kakutei"):
        execute(INSERT.replace("INSERT", "INSERT IGNORE"), row(frozen, "2017-01-31", "raw"))
    assert contents() == before


@pytest.mark.parametrize("on", ["2017-01-31", "2017-02-01"])
def test_an_insert_from_a_select_is_asked_row_by_row(frozen, on):
    statement = """
        INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)
        SELECT id + 100, posting_id, book_id, %s, CONCAT('copy-', reference), '', digest FROM ledger_app_entry
    """
    if connection.vendor == "sqlite":
        statement = statement.replace("CONCAT('copy-', reference)", "'copy-' || reference")
    if on < "2017-02-01":
        refused(statement, [on])
    else:
        assert execute(statement, [on]) == 2


@pytest.mark.parametrize(
    "change",
    [
        "state = 'open'",
        "state = 'provisional'",
        "starts_on = '2016-01-01'",
        "ends_on = '2017-01-30'",
        "name = 'x'",
        "version = version + 1",
    ],
)
def test_a_frozen_period_never_changes(frozen, change):
    refused(f"UPDATE ledger_app_period SET {change} WHERE name = '2017-01'")
    assert Period.objects.get(name="2017-01").state == "frozen"


def test_no_period_goes(frozen):
    refused("DELETE FROM ledger_app_period WHERE name = '2017-03'")
    with pytest.raises(DatabaseError, match="kakutei"), transaction.atomic():
        Period.objects.filter(name="2017-03")._raw_delete(using="default")
    refused(f"{REPLACE[connection.vendor]} ledger_app_period SELECT * FROM ledger_app_period WHERE name = '2017-03'")
    assert Period.objects.count() == 3


@pytest.mark.parametrize(("starts_on", "ends_on"), [("2017-01-15", "2017-01-15"), ("2016-12-01", "2017-06-30")])
def test_no_second_period_opens_the_days_of_a_frozen_one(frozen, starts_on, ends_on):
    statement = (
        "INSERT INTO ledger_app_period (book_id, name, starts_on, ends_on, state, version) VALUES (%s, 'x', %s, %s, 'open', 1)"
    )
    refused(statement, [frozen.book.pk, starts_on, ends_on])


def test_an_open_period_is_not_stretched_over_a_frozen_one(frozen):
    refused("UPDATE ledger_app_period SET starts_on = '2017-01-31' WHERE name = '2017-02'")
    assert execute("UPDATE ledger_app_period SET ends_on = '2017-04-05' WHERE name = '2017-03'") == 1


SPAN = "INSERT INTO ledger_app_period (book_id, name, starts_on, ends_on, state, version) VALUES (%s, 'x', %s, %s, 'open', 1)"


@pytest.mark.parametrize(("starts_on", "ends_on"), [("2017-02-02", "2017-02-28"), ("2017-05-01", "2017-05-31")])
def test_no_period_opens_away_from_a_frozen_one(frozen, checker, starts_on, ends_on):
    book = books.open_book(code="ONE", name="One", unit="JPY", exponent=0, time_zone="UTC", caller=frozen.caller)
    january = {"name": "2017-01", "starts_on": date(2017, 1, 1), "ends_on": date(2017, 1, 31)}
    period = books.open_period(book=book, caller=frozen.caller, **january)  # type: ignore[arg-type]
    periods.freeze(period_id=period.pk, controls={"entries": 0}, caller=checker, code_version="test")
    refused(SPAN, [book.pk, starts_on, ends_on])
    assert execute(SPAN, [book.pk, "2017-02-01", "2017-02-28"]) == 1


@pytest.mark.parametrize(("starts_on", "ends_on"), [("2017-04-01", "2017-04-05"), ("2016-12-31", "2016-12-31")])
def test_a_period_that_touches_another_opens(frozen, starts_on, ends_on):
    assert execute(SPAN, [frozen.book.pk, starts_on, ends_on]) == 1


@pytest.mark.parametrize("change", ["ends_on = '2017-02-27'", "starts_on = '2017-02-02'"])
def test_a_period_does_not_move_away_from_its_neighbours(frozen, change):
    refused(f"UPDATE ledger_app_period SET {change} WHERE name = '2017-02'")


FORGED = [
    "SET @kakutei_statement = NOW(6), @kakutei_book = {book}, @kakutei_from = '1000-01-01', @kakutei_to = '9999-12-31', @kakutei_period = {february}",
    "SET timestamp = 1485907200",
    "SET time_zone = '-12:00'",
    "SET SESSION sql_mode = ''",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
]


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)  # as another session sees only what is committed
@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("prepared", [False, True])
def test_nothing_that_a_session_sets_lets_an_entry_into_a_frozen_period(frozen, forged, prepared):
    values = row(frozen, "2017-01-10", "evil")
    with connection.copy().cursor() as cursor:
        cursor.execute(forged.format(book=frozen.book.pk, february=frozen.periods["2017-02"].pk))
        statement = (
            "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
            f" SELECT {values[0]}, {values[1]}, {values[2]}, '2017-01-10', 'evil', '', REPEAT('0', 32)"
            " FROM (SELECT @kakutei_statement := NOW(6), @kakutei_from := DATE '1000-01-01') AS v"
        )
        if prepared:
            cursor.execute("PREPARE evil FROM %s", [statement])
        with pytest.raises(DatabaseError, match="kakutei"):
            cursor.execute("EXECUTE evil" if prepared else statement)
        cursor.connection.close()


def test_a_missing_trigger_is_named_by_verify(frozen):
    """Each trigger that there is, and no other, is one that verify misses when it is gone."""
    installed = {name for name in proofs.installed_triggers() if name.startswith("kakutei_")}
    assert installed == proofs.expected_triggers()


PROTECTED = [User, Holder, Book, Account]


@pytest.mark.parametrize("model", PROTECTED)
def test_what_the_ledger_points_to_cannot_be_deleted(frozen, model):
    for row in model.objects.all():
        if model is User and row.username == "finance-1":
            continue
        if model is User and not Posting.objects.filter(posted_by=row).exists():
            continue
        with pytest.raises(ProtectedError), transaction.atomic():
            row.delete()


def test_an_account_without_lines_keeps_its_balance_and_so_stays(frozen):
    unused = frozen.accounts["wallet"]
    assert not Line.objects.filter(account=unused).exists()
    with pytest.raises(ProtectedError):
        unused.delete()
    with pytest.raises(ProtectedError):
        frozen.accounts["M1-receivable"].holder.delete()
    assert Balance.objects.filter(account=unused).exists()
