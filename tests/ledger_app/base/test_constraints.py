"""Whatever the database refuses has an error of its own, which names the constraint; and two that can meet are told from one that never passes."""

import re

import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, OperationalError, connection

from ingestion_app.batches.queries import constraints as of_ingestion
from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.base.queries import constraints
from ledger_app.base.queries.constraints import PRIMARY, Constraint
from ledger_app.books.operations import books
from ledger_app.errors import rows
from ledger_app.models import AuditRow, Identifier, Line, Posting
from tests.support.origins import of_request

pytestmark = pytest.mark.django_db


def models():
    return [each for label in ("ledger_app", "ingestion_app") for each in apps.get_app_config(label).get_models()]


def ours():
    return sorted(
        (each for model in models() for each in constraints.all_of(model)),
        key=lambda each: (each.table, each.name, each.kind.code),
    )


def test_every_unique_key_is_one_on_which_two_can_meet_or_one_that_stands():
    keys = {each.name for each in ours() if each.kind is rows.NotUnique}
    stand = constraints.STAND | of_ingestion.STAND
    assert not stand & constraints.collide()
    assert keys == stand | constraints.collide()


def words(each: Constraint) -> list[str]:
    """Return what each engine says where a constraint refuses: MariaDB, MySQL, SQLite."""
    listed = ", ".join(f"{each.table}.{column}" for column in each.columns)
    name = each.name.rpartition(".")[2]
    if each.kind is rows.NotUnique:
        return [f"Duplicate entry 'it's for key 'x'' for key '{key}'" for key in (name, f"{each.table}.{name}")] + [
            f"UNIQUE constraint failed: {listed}"
        ]
    if each.kind is rows.RowRefused:
        expression = f'"{name}" >= 0' if "." in each.name else name
        return [
            f"CONSTRAINT `{each.name}` failed for `kakutei`.`{each.table}`",
            f"Check constraint '{each.name}' is violated.",
            f"CHECK constraint failed: {expression}",
        ]
    if each.kind is rows.RowLinked:
        said = f"a foreign key constraint fails (`db`.`{each.table}`, CONSTRAINT `fk_1` FOREIGN KEY (`{name}`) REFERENCES `t` (`id`))"
        return [f"Cannot add or update a child row: {said}", f"Cannot delete or update a parent row: {said}"]
    return [f"Column '{name}' cannot be null", f"NOT NULL constraint failed: {each.table}.{name}"]


@pytest.mark.parametrize("each", ours(), ids=lambda each: f"{each.table} {each.kind.code} {each.name}")
def test_every_constraint_has_an_error_that_names_it(each):
    for said in words(each):
        found = constraints.broken(IntegrityError(said))
        assert found is not None, said
        assert found.kind is each.kind
        # Where an engine does not tell the table, another table's key of this name may be meant.
        assert found.name == each.name or each.name.rpartition(".")[2] in found.name, said
        sentence = found.error().as_dict()["sentence"]
        assert found.name in sentence


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


VIOLATIONS = {
    "account_code_unique": "UPDATE ledger_app_account SET code = 'sales' WHERE code = 'cash'",
    "book_exponent_small": "UPDATE ledger_app_book SET exponent = 7",
    "period_state_known": "UPDATE ledger_app_period SET state = 'thawed'",
    "ledger_app_period.version": "UPDATE ledger_app_period SET version = -1",
    "ledger_app_account.code": "UPDATE ledger_app_account SET code = NULL WHERE code = 'cash'",
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_nobody_sees_the_words_of_the_database(book, name, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(errors.Refused) as refused:
        transactions.run(lambda: execute(VIOLATIONS[name]))
    (reason,) = refused.value.reasons
    assert reason.facts["constraint"].rpartition(".")[2] == name.rpartition(".")[2]
    assert isinstance(refused.value.__cause__, IntegrityError | DataError)


MESSAGES = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
    "mysql": "SELECT trigger_name, event_object_table, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
}
SAID = re.compile(r"(?:RAISE\(ABORT, |MESSAGE_TEXT = )'([^']*)'")


def messages() -> set[tuple[str, str]]:
    """Return what each trigger of the database says where it refuses, with its table."""
    with connection.cursor() as cursor:
        cursor.execute(MESSAGES[connection.vendor])
        return {(table, said) for _name, table, body in cursor.fetchall() for said in SAID.findall(body)}


def test_every_trigger_has_an_error_that_names_its_table_and_what_it_refuses():
    """As each engine gives it: SQLite by the words alone, MariaDB and MySQL with the number of what is signalled."""
    found = messages()
    assert {table for table, _said in found} > {"ledger_app_entry", "ledger_app_posting", "ingestion_app_chunk"}
    for table, said in sorted(found):
        for error in (IntegrityError(said), OperationalError(1644, said)):
            told = transactions.as_refusal(error)
            assert isinstance(told, errors.Refused), said
            (reason,) = told.reasons
            facts = reason.facts
            assert (reason.code, facts["table"]) == ("row_refused", table)
            assert facts["event"] in {"INSERT", "UPDATE", "DELETE"}
            assert str(facts["what"]) != str(constraints.ANY)
            assert facts["constraint"] in reason.sentence


def test_every_refusal_of_a_trigger_is_asked_in_the_test_above():
    """A trigger that says its refusal in another way would be passed over."""
    with connection.cursor() as cursor:
        cursor.execute(MESSAGES[connection.vendor])
        bodies = [body for _name, _table, body in cursor.fetchall()]
    assert [body for body in bodies if ("RAISE" in body or "SIGNAL" in body) and not SAID.search(body)] == []
    refusing = [body for body in bodies if "kakutei: " in body]
    assert len(refusing) > 20


def test_nobody_sees_the_words_of_a_trigger(ledger, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    ledger.post(ledger.draft("guarded", ("cash", 1), ("sales", -1)))
    for statement, table, event in (
        ("UPDATE ledger_app_entry SET description = 'x'", "ledger_app_entry", "UPDATE"),
        ("DELETE FROM ledger_app_line", "ledger_app_line", "DELETE"),
        ("UPDATE ledger_app_posting SET reason = 'x'", "ledger_app_posting", "UPDATE"),
    ):
        works = (lambda said=statement: execute(said), lambda said=statement: transactions.run(lambda: execute(said)))
        for run, work in zip((transactions.run, transactions.whole), works, strict=True):
            with pytest.raises(errors.Refused) as refused:
                run(work)
            (reason,) = refused.value.reasons
            assert (reason.code, reason.facts["table"], reason.facts["event"]) == ("row_refused", table, event)


def test_what_two_meet_on_in_a_part_begins_anew_as_a_whole(ledger, monkeypatch):
    """The refusal of a trigger on which two meet is no refusal, and no end, wherever it is met."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    tries = []

    def work():
        tries.append(1)
        if len(tries) < 3:
            raise IntegrityError("kakutei: ledger_app_period refuses this INSERT")
        return "done"

    meets_on = "kakutei: ledger_app_period refuses this INSERT"
    assert transactions.whole(lambda: transactions.run(work, meets_on=meets_on)) == "done"
    assert len(tries) == 3


def test_what_links_nowhere_is_told(book):
    def insert():
        execute(f"UPDATE ledger_app_account SET book_id = {book.pk + 10**6} WHERE code = 'cash'")
        connection.check_constraints()  # SQLite asks at the end of the outermost transaction, which a test never reaches

    with pytest.raises((errors.Refused, IntegrityError)) as refused:
        transactions.run(insert)
    if isinstance(refused.value, errors.Refused):
        assert refused.value.reasons[0].code == "row_linked"
    else:
        assert connection.vendor == "sqlite"  # the words of Django's own check


def test_a_key_that_stands_in_every_try_is_not_told_as_try_again(ledger, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    tries = []
    origin = of_request(ledger.caller)

    def work():
        tries.append(1)
        first = ledger.caller.user
        for _twice in range(2):
            Posting.objects.create(
                origin_kind=origin.kind,
                origin_id=origin.id,
                posted_by=first,
                posted_at=ledger.caller.at,
                entry_count=0,
                line_count=0,
            )

    with pytest.raises(errors.Refused) as refused:
        transactions.run(work)
    assert [reason.code for reason in refused.value.reasons] == ["not_unique"]
    assert refused.value.reasons[0].facts["constraint"] == "posting_origin_unique"
    assert len(tries) == transactions.MET_MOST


def test_a_code_that_is_taken_is_refused_by_name(ledger):
    def member(number, *accounts):
        return books.MemberOpening(number, tuple(("CARD", books.AccountOpening(code, role, "asset")) for code, role in accounts))

    for openings, name in (
        ([member("M9", ("M1-receivable", "receivable"))], "M1-receivable"),
        ([member("M8", ("a-8", "receivable")), member("M9", ("a-8", "receivable"))], "a-8"),
        ([member("M9", ("a-9", "receivable"), ("b-9", "receivable"))], "receivable"),
    ):
        with pytest.raises(errors.Refused) as refused:
            books.open_members(openings=openings, caller=ledger.caller)
        assert [(reason.code, reason.facts["name"]) for reason in refused.value.reasons] == [("definition_conflict", name)]
    assert not Identifier.objects.filter(value__in=["M8", "M9"]).exists()


def test_what_no_constraint_says_stays_what_it_is():
    assert constraints.broken(IntegrityError("kakutei: a sentence that no trigger says")) is None
    assert constraints.broken(IntegrityError()) is None
    other = constraints.broken(IntegrityError("UNIQUE constraint failed: auth_group.name"))
    assert other is not None
    assert other.name not in constraints.collide()
    assert PRIMARY in constraints.collide()
    assert {Line._meta.db_table, AuditRow._meta.db_table} <= {each.table for each in ours()}
