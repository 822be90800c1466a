"""The rules of source_rules.py over the whole tree; each first shown to find a sample that breaks it."""

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import source_rules
from tests.architecture.source_rules import Breach

ROOT = Path(__file__).resolve().parent.parent.parent
APPLICATION = ("config", "ledger_app", "ingestion_app")

Rule = Callable[[ast.Module], Iterator[Breach]]

# Each list: (file, function or class) and why it may. An entry that nothing needs any more fails.
MAY_WRITE: dict[tuple[str, str], str] = {
    ("ledger_app/models/people.py", "User.save"): "narrows what is saved, no matter who saves it",
}
MAY_BE_INEXACT = {
    ("ledger_app/base/operations/transactions.py", "_outermost"): "seconds to wait before trying again",
}
MAY_SUM = {
    ("ledger_app/base/queries/totals.py", "sql"): "the one place that knows how each engine sums",
}
MAY_READ_THE_CLOCK: dict[tuple[str, str], str] = {}
MAY_READ_ANOTHER_CLOCK = {
    ("config/checks.py", "_of_keys"): "how many months a key serves, told to the person who starts the program",
    ("config/doors/admin/context.py", "_short"): "puts an instant that it was given into a zone",
    ("config/doors/callers.py", "today"): "puts an instant that it was given into a zone",
    ("config/doors/webhooks.py", "_post"): "a signature's time is held against the receiver's clock",
    ("config/doors/webhooks.py", "send"): "when a receiver asks to be sent to again, by clocks of others",
    ("ingestion_app/batches/queries/workers.py", "heard_of"): "the database's own function, in a statement",
    ("ingestion_app/batches/queries/workers.py", "over"): "the database's own function, in a statement",
    ("ingestion_app/batches/queries/workers.py", "known"): "the database's own function, in a statement",
    ("ledger_app/apps.py", "_register_invariants"): "beside the times of files on the same host",
    ("ledger_app/base/queries/clock.py", "read"): "the one clock: SQLite's is this host's",
}
MAY_KNOW_ITS_SURROUNDINGS: dict[tuple[str, str], str] = {}
MAY_WRITE_TABLES = {
    ("ledger_app/base/rules/tables.py", "csv_line"): "the one writer: it makes formulas harmless",
    ("ingestion_app/demo/purchases.py", ""): "polars reads the purchases, and writes nothing",
}
MAY_CATCH_DATABASE_ERRORS = {
    ("config/doors/commands/base.py", "Command.handle"): "the door: outside every transaction, it only says so and exits",
}

MAY_MAKE_STATEMENTS = {
    ("config/checks.py", "check_database"): "asks how the server is set up",
}
MAY_BUILD_STATEMENTS = {
    ("config/settings.py", "read_database"): "a number of seconds that the settings hold within bounds",
    ("ledger_app/base/operations/bulk.py", "_head"): "the table of a writer, in the code",
    ("ledger_app/base/operations/bulk.py", "removing"): "a table and its columns, named by the caller that writes",
    ("ledger_app/base/operations/bulk.py", "setting"): "a table and its columns, named by the caller that writes",
    ("ledger_app/traces/operations.py", "_erases"): "tables and columns, named in the code",
    ("ledger_app/traces/operations.py", "_guard"): "tables and triggers, named in the code",
    ("ledger_app/traces/operations.py", "_trigger"): "a table of a model",
    ("ledger_app/traces/operations.py", "_make"): "a trigger, named in the code",
    ("ledger_app/traces/operations.py", "install"): "a trigger, named in the code",
    ("ledger_app/verification/proofs/trace.py", "rows_are_as_written"): "the tables of models",
    ("ledger_app/traces/queries/traces.py", "unlike"): "a table of a model and its columns, quoted",
    ("ingestion_app/batches/queries/sums.py", "sums_of"): "columns, written above; values are parameters",
}


def files(*folders: str, without: tuple[str, ...] = ()) -> list[Path]:
    """Return the Python files under each folder, or the module of that name, but those under a folder in ``without``."""
    found = []
    for folder in folders:
        module = ROOT / f"{folder}.py"
        found += [module] if module.exists() else sorted((ROOT / folder).rglob("*.py"))
    return [path for path in found if not set(path.relative_to(ROOT).with_suffix("").parts) & set(without)]


def of_kinds(*kinds: str) -> list[Path]:
    """Return the Python files of the applications that are of any of these kinds, whatever their subject."""
    return [
        path for path in files("ledger_app", "ingestion_app") if set(path.relative_to(ROOT).with_suffix("").parts) & set(kinds)
    ]


def breaches(rule: Rule, paths: list[Path], allowed: dict[tuple[str, str], str]) -> list[str]:
    """Return each breach as one line, and each allowance that was not needed."""
    told = []
    unused = set(allowed)
    for path in paths:
        name = str(path.relative_to(ROOT))
        for breach in rule(parsed(path)):
            if (name, breach.within) in allowed:
                unused.discard((name, breach.within))
            else:
                told.append(f"{name}:{breach.line} {breach.what} in {breach.within or 'the module'}")
    return told + [f"no longer needed: {place}" for place in sorted(unused)]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the tree of a file, which every rule reads."""
    return ast.parse(path.read_text())


def broken_by(rule: Rule, sample: str) -> list[str]:
    return [breach.what for breach in rule(ast.parse(sample))]


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("book.save()", [".save("]),
        ("Book.objects.create(code='X')", [".create("]),
        ("books.filter(pk=1).update(name='x')", [".update("]),
        ("books.update(**values)", [".update("]),
        ("book.delete()", [".delete("]),
        ("Book.objects.bulk_create(rows)", [".bulk_create("]),
        ("Book.objects.bulk_update(rows, ['name'])", [".bulk_update("]),
        ("await Book.objects.aget_or_create(code='X')", [".aget_or_create("]),
        ("Book.objects.update_or_create(code='X')", [".update_or_create("]),
        ("cursor.execute('insert into ledger_app_line values (1)')", ["insert into"]),
        ("cursor.execute(f'UPDATE {table} SET amount = 0')", ["UPDATE filled SET"]),
        ("cursor.execute(f'DELETE FROM {table}')", ["DELETE FROM"]),
        ("cursor.execute('UPDATE ledger_app_balance b JOIN x ON 1')", ["UPDATE ledger_app_balance b JOIN"]),
        ("cursor.execute('WITH x AS (SELECT 1) DELETE FROM ledger_app_line')", ["DELETE FROM"]),
        ("cursor.execute('TRUNCATE ledger_app_line')", ["TRUNCATE ledger_app_line"]),
        ("digest.update(block)", []),
        ("totals.update({'a': 1})", []),
        ("cache.delete('key')", []),
        ("'''Say when to delete from a list.'''", []),
        ("cursor.execute('SELECT 1 FROM ledger_app_line FOR UPDATE')", []),
    ],
)
def test_the_rule_on_writes_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.writes, sample) == found


def test_only_operations_write() -> None:
    paths = files(*APPLICATION, without=("operations", "migrations"))
    assert breaches(source_rules.writes, paths, MAY_WRITE) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("rate = 0.1", ["0.1"]),
        ("amount = float(text)", ["float("]),
        ("amount = decimal.Decimal(text)", ["Decimal("]),
        ("amount = models.DecimalField()", ["DecimalField("]),
        ("points = amount / 100", ["/"]),
        ("points /= 100", ["/"]),
        ("points = amount // 100", []),
        ("place = folder / name", []),
        ("place = base / 'files' / name", []),
        ("place = Path(base) / name", []),
    ],
)
def test_the_rule_on_inexact_numbers_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.inexact_numbers, sample) == found


def test_amounts_are_whole_numbers() -> None:
    paths = of_kinds("rules", "operations", "values", "models", "locks", "formats", "checks")
    assert breaches(source_rules.inexact_numbers, paths, MAY_BE_INEXACT) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("from django.db.models import Sum\nrows.aggregate(total=Sum('amount'))", ["Sum"]),
        ("from django.db import models\nrows.aggregate(total=models.Sum('amount'))", ["models.Sum"]),
        ("sql = 'SELECT SUM(amount) FROM t'", ["SUM("]),
        ("sql = f'SELECT sum (amount) FROM {t}'", ["sum ("]),
        ("sql = 'SELECT TOTAL(amount), AVG(amount) FROM t'", ["TOTAL("]),
        ("sql = 'SELECT EXACT_SUM(amount) FROM t'", []),
        ("total = sum(amounts)", []),
        ("rows.aggregate(total=Total('amount'))", []),
    ],
)
def test_the_rule_on_sums_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.bare_sums, sample) == found


def test_everything_sums_exactly() -> None:
    paths = files(*APPLICATION, without=("migrations",))
    assert breaches(source_rules.bare_sums, paths, MAY_SUM) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("from django.utils import timezone\nat = timezone.now()", ["django.utils.timezone.now"]),
        ("from django.utils import timezone\nfield = Field(default=timezone.now)", ["django.utils.timezone.now"]),
        ("from datetime import datetime\nat = datetime.now(tz=UTC)", ["datetime.datetime.now"]),
        ("import datetime as dt\non = dt.date.today()", ["datetime.date.today"]),
        ("import time\nat = time.time()", ["time.time"]),
        ("from time import time as clock\nat = clock()", ["time.time"]),
        ("import time\nstarted = time.monotonic()", []),
        ("def post(*, now):\n    return now", []),
    ],
)
def test_the_rule_on_clocks_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.clocks, sample) == found


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("row = Book.objects.select_for_update().get()", ["select_for_update"]),
        ("sql = 'SELECT id FROM t FOR UPDATE'", ["SQL that locks"]),
        ("sql = 'SELECT id FROM t LOCK IN SHARE MODE'", ["SQL that locks"]),
        ("row = locks.own_row(Book, 1)", []),
    ],
)
def test_the_rule_on_row_locks_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.row_locks, sample) == found


def test_rows_are_locked_in_one_place() -> None:
    paths = files("config", "ledger_app", "ingestion_app", without=("migrations", "locks"))
    assert breaches(source_rules.row_locks, paths, {}) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("there.history.count() != 1", [".history.count("]),
        ("type(row).history.filter(id=1)", [".history.filter("]),
        ("AuditRow.objects.filter(action='x').exists()", [".objects.filter("]),
        ("models.AuditRow.objects.latest('id')", [".objects.latest("]),
        ("HistoricalBatch.objects.get(pk=1)", [".objects.get("]),
        ("type(row).history.bulk_history_create([row])", []),
        ("AuditRow.objects.create(action='x')", []),
        ("Batch.objects.filter(pk=1)", []),
        ("history.create(row, caller=caller)", []),
    ],
)
def test_the_rule_on_histories_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.read_histories, sample) == found


def test_no_operation_and_no_rule_reads_histories_or_audit_rows() -> None:
    paths = of_kinds("operations", "rules", "values", "checks")
    assert breaches(source_rules.read_histories, paths, {}) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("from django.conf import settings", ["django.conf"]),
        ("from django import conf", ["django.conf"]),
        ("import django.http", ["django.http"]),
        ("from rest_framework.request import Request", ["rest_framework.request"]),
        ("from django.db import models", []),
    ],
)
def test_the_rule_on_surroundings_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.surroundings, sample) == found


def test_operations_and_rules_are_told_the_time() -> None:
    paths = of_kinds("operations", "rules", "values", "checks")
    assert breaches(source_rules.clocks, paths, MAY_READ_THE_CLOCK) == []


def test_what_hosts_write_down_is_of_one_clock() -> None:
    """A host's own clock is read where nothing of another host is held against it: two hosts that differ would take over each other's work."""
    paths = [path for path in files("config", "ledger_app", "ingestion_app") if "migrations" not in path.parts]
    assert breaches(source_rules.clocks, paths, MAY_READ_ANOTHER_CLOCK) == []


def test_operations_and_rules_know_neither_settings_nor_requests() -> None:
    paths = of_kinds("operations", "rules", "values", "checks")
    assert breaches(source_rules.surroundings, paths, MAY_KNOW_ITS_SURROUNDINGS) == []


@pytest.mark.parametrize(
    ("caught", "found"),
    [
        ("OperationalError", ["except OperationalError"]),
        ("(ValueError, db.DatabaseError) as error", ["except DatabaseError"]),
        ("IntegrityError", []),
        ("ValueError", []),
    ],
)
def test_the_rule_on_caught_database_errors_finds(caught: str, found: list[str]) -> None:
    sample = f"try:\n    post()\nexcept {caught}:\n    pass"
    assert broken_by(source_rules.caught_database_errors, sample) == found


def test_only_the_outermost_transaction_catches_database_errors() -> None:
    paths = [path for path in files(*APPLICATION) if path != ROOT / "ledger_app/base/operations/transactions.py"]
    assert breaches(source_rules.caught_database_errors, paths, MAY_CATCH_DATABASE_ERRORS) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("import csv\ncsv.writer(file).writerow(row)", ["csv.writer"]),
        ("from csv import DictWriter", ["csv.DictWriter"]),
        ("import openpyxl", ["openpyxl"]),
        ("from xlsxwriter.workbook import Workbook", ["xlsxwriter.workbook.Workbook"]),
        ("import csv\ncsv.reader(file)", []),
    ],
)
def test_the_rule_on_writers_of_tables_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.table_writers, sample) == found


def test_tables_have_one_writer() -> None:
    assert breaches(source_rules.table_writers, files(*APPLICATION), MAY_WRITE_TABLES) == []


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("cursor.execute(f'SELECT 1 FROM t WHERE name = {name}')", ["name"]),
        ("cursor.execute(f'select {name.upper()} from t')", ["name.upper()"]),
        ("cursor.execute('SELECT 1 FROM t WHERE name = ' + name)", ["name"]),
        ("cursor.execute('SELECT 1 FROM t WHERE name = %s' % name)", ["name"]),
        ("cursor.execute('SELECT 1 FROM {}'.format(name))", ["name"]),
        ("cursor.execute(f'SELECT {\", \".join(names)} FROM t')", ["', '.join(names)"]),
        ("cursor.execute(f'SELECT 1 FROM {quote_name(table)}')", []),
        ("cursor.execute(f'SELECT 1 FROM {TABLE} {GIVEN[\"sqlite\"]} {rows.JOIN}')", []),
        ("cursor.execute('SELECT 1 FROM t WHERE name = %s', [name])", []),
        ("print(f'Select {name}.')", ["name"]),
    ],
)
def test_the_rule_on_built_statements_finds(sample: str, found: list[str]) -> None:
    assert broken_by(source_rules.built_statements, sample) == found


def test_statements_are_built_of_the_code_alone() -> None:
    paths = files(*APPLICATION, without=("migrations",))
    assert breaches(source_rules.built_statements, paths, MAY_BUILD_STATEMENTS) == []


def test_doors_and_rules_make_no_statements() -> None:
    sample = "a.execute(b); Book.objects.raw(b); books.extra(where=[b]); RawSQL(b, ()); executor.submit(b)"
    assert broken_by(source_rules.statements, sample) == ["execute(", "raw(", "extra(", "RawSQL("]
    paths = files(*APPLICATION, without=("migrations", "operations", "queries", "proofs", "locks"))
    assert breaches(source_rules.statements, paths, MAY_MAKE_STATEMENTS) == []


def test_what_is_written_by_a_list_is_found_by_its_keys() -> None:
    given = "UPDATE t AS a STRAIGHT_JOIN u AS b{} ON b.id = a.id SET b.x = 1"
    assert broken_by(source_rules.unforced_writes, f'A = "{given.format("")}"') != []
    assert broken_by(source_rules.unforced_writes, f'A = "{given.format(" FORCE INDEX (PRIMARY)")}"') == []
    assert breaches(source_rules.unforced_writes, of_kinds("operations"), {}) == []


def test_the_rules_on_length_find_one_line_too_many() -> None:
    body = "    pass\n" * 68
    assert broken_by(source_rules.long_functions, f"class A:\n  def short():\n{body}") == []
    assert broken_by(source_rules.long_functions, f"class A:\n  def long():\n{body}    pass\n") == ["70 lines"]
    assert list(source_rules.long_file("\n" * 399)) == []
    assert [breach.what for breach in source_rules.long_file("\n" * 400)] == ["400 lines"]


def test_functions_are_under_70_lines() -> None:
    paths = files(*APPLICATION, "tests", "manage", ".ci", without=("migrations",))
    assert breaches(source_rules.long_functions, paths, {}) == []


def test_files_are_under_400_lines() -> None:
    told = [
        f"{path.relative_to(ROOT)}: {breach.what}"
        for path in files(*APPLICATION, "tests", "manage", ".ci", without=("migrations",))
        for breach in source_rules.long_file(path.read_text())
    ]
    assert told == []


def test_an_allowance_that_nothing_needs_is_found() -> None:
    assert breaches(source_rules.clocks, [], {("gone.py", "post"): "was needed once"}) == [
        "no longer needed: ('gone.py', 'post')"
    ]
