"""Where a row alone can be wrong, the schema refuses it: each constraint is violated once, by SQL."""

from itertools import chain

import pytest
from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, models, transaction

from ledger_app.models import Balance, Entry, Posting, User


def reversal(**changed: str) -> str:
    """Return the statement that inserts a proposal, whole but for what is changed."""
    columns = {
        "entry_id": "{entry}",
        "effective_on": "'2017-01-10'",
        "prior_period": "''",
        "reason": "'x'",
        "ticket": "''",
        "digest": "'{digest}'",
        "state": "'proposed'",
        "version": "1",
        "holds_entry": "1",
        "proposed_by_id": "{user}",
        "proposed_at": "'2017-02-01 00:00:00'",
        **changed,
    }
    row = ", ".join(columns.values())
    return f"INSERT INTO ledger_app_reversal ({', '.join(columns)}) SELECT {row}"


DECIDED = {"decided_by_id": "{other}", "decided_at": "'2017-02-01 00:00:00'"}

# Constraint → the statement that violates it. Names in braces are filled from ``places`` below.
VIOLATIONS = {
    "account_category_known": "UPDATE ledger_app_account SET category = 'debt' WHERE id = {cash}",
    "account_state_known": "UPDATE ledger_app_account SET state = 'gone' WHERE id = {cash}",
    "account_stripes_in_range": "UPDATE ledger_app_account SET stripes = 65 WHERE id = {cash}",
    "account_floor_not_striped": "UPDATE ledger_app_account SET floor = 0 WHERE id = {settlement}",
    "balance_key_computed": "UPDATE ledger_app_balance SET id = id + 1000000 WHERE account_id = {cash}",
    "balance_unused_is_zero": "UPDATE ledger_app_balance SET amount = 1 WHERE account_id = {wallet}",
    "book_exponent_small": "UPDATE ledger_app_book SET exponent = 7",
    "period_span_forward": "UPDATE ledger_app_period SET ends_on = '2017-02-28' WHERE name = '2017-03'",
    "period_state_known": "UPDATE ledger_app_period SET state = 'thawed' WHERE name = '2017-03'",
    "seal_chained": (
        "INSERT INTO ledger_app_seal (book_id, period_id, number, previous_id, digest, form, entry_count, line_count, debit_total,"
        " trial_balance, controls, code_version, sealed_by_id, sealed_at)"
        " VALUES ({book}, {period}, 2, NULL, '{digest}', 'x', 0, 0, 0, '[]', '{{}}', 'x', {user}, '2017-02-01 00:00:00')"
    ),
    "entry_reference_given": (
        "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
        " VALUES (7, {posting}, {book}, '2017-01-02', '', '', '{digest}')"
    ),
    "line_amount_not_zero": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 9, 0, 0)"
    ),
    "line_sequence_positive": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 0, 1, 1)"
    ),
    "identifier_value_given": "UPDATE ledger_app_identifier SET value = '' WHERE value = 'CARD-M1'",
    "identifier_span_forward": "UPDATE ledger_app_identifier SET active_from = '2017-02-01', active_to = '2017-01-01'",
    "account_code_unique": "UPDATE ledger_app_account SET code = 'sales' WHERE id = {cash}",
    "account_role_unique": (
        "UPDATE ledger_app_account SET holder_id = (SELECT * FROM (SELECT MIN(holder_id) FROM ledger_app_account) AS one)"
        " WHERE role = 'receivable'"
    ),
    "period_name_unique": "UPDATE ledger_app_period SET name = '2017-02' WHERE name = '2017-03'",
    "entry_reference_unique": (
        "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
        " VALUES (7, {posting}, {book}, '2017-01-02', 'r-1', '', '{digest}')"
    ),
    "line_sequence_unique": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 1, 1, 1)"
    ),
    "posting_origin_unique": (
        "INSERT INTO ledger_app_posting (origin_kind, origin_id, posted_by_id, posted_at, reason, entry_count, line_count)"
        " SELECT origin_kind, origin_id, posted_by_id, posted_at, reason, 0, 0 FROM ledger_app_posting"
    ),
    "reversal_entry_unique": f"{reversal()} UNION ALL {reversal().partition(') ')[2]}",
    "reversal_state_known": reversal(state="'gone'"),
    "reversal_decided_by_another": reversal(**DECIDED | {"decided_by_id": "{user}"}, state="'rejected'", holds_entry="NULL"),
    "reversal_decided_is_whole": reversal(state="'rejected'", holds_entry="NULL"),
    "reversal_posted_is_whole": reversal(**DECIDED, state="'posted'"),
    "reversal_holds_while_it_may": reversal(holds_entry="NULL"),
    "reversal_reason_given": reversal(reason="''"),
    "identifier_unique": "UPDATE ledger_app_identifier SET value = 'CARD-M1'",
}
# What another check refuses first: a trigger the overlap of periods, the computed key a second row of a stripe, the chain a second number.
ELSEWHERE = {"seal_number_unique", "period_start_unique", "balance_stripe_unique"}


def constraints():
    ledger = apps.get_app_config("ledger_app").get_models()
    return set(chain.from_iterable((each.name for each in model._meta.constraints) for model in ledger))


@pytest.fixture
def places(ledger):
    ledger.sell("r-1", 5)
    accounts = {code: account.pk for code, account in ledger.accounts.items()}
    posting = Posting.objects.get()
    return accounts | {
        "book": ledger.book.pk,
        "period": ledger.periods["2017-01"].pk,
        "posting": posting.pk,
        "entry": Entry.objects.get().pk,
        "user": posting.posted_by_id,
        "other": User.objects.create_user(username="another").pk,
        "digest": "0" * 32,
    }


def test_every_constraint_of_the_ledger_is_tried():
    assert constraints() - ELSEWHERE == VIOLATIONS.keys()


@pytest.mark.parametrize("name", sorted(VIOLATIONS))
def test_the_constraint_refuses(places, name):
    unique = name.endswith("_unique")
    with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(VIOLATIONS[name].format(**places))
    said = str(refused.value)
    assert name in said or (unique and "UNIQUE constraint failed" in said), said


def test_no_balance_has_a_key_of_another_account(places):
    for key, account_id, stripe in Balance.objects.values_list("id", "account_id", "stripe"):
        assert key == account_id * 64 + stripe


def test_a_line_needs_an_entry_and_an_account_that_are_there(places):
    statement = "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after) VALUES (7, %s, %s, 0, 1, 1, 1)"

    def insert(entry, account):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement, [entry, account])
            # SQLite asks at the end of the outermost transaction, which a test never reaches.
            connection.check_constraints()

    for entry, account in ((10**9, places["cash"]), (places["entry"], 10**9)):
        with pytest.raises(IntegrityError):
            insert(entry, account)


def test_every_amount_is_an_integer_column():
    fields = [field for model in apps.get_app_config("ledger_app").get_models() for field in model._meta.local_fields]
    assert not [field for field in fields if isinstance(field, models.FloatField | models.DecimalField)]
