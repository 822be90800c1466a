"""No column of any table takes a card number, no matter who writes it."""

import json

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from django_tasks.utils import get_random_id
from django_tasks_db.models import DBTaskResult

from ledger_app import errors
from ledger_app.base.operations import bulk
from ledger_app.base.queries import lookout
from ledger_app.errors import card_numbers
from tests.canary.conftest import WRITINGS
from tests.conftest import UserMaker


def text_columns() -> list[tuple[str, str, bool]]:
    """Return each column of texts of every table, those of libraries and of histories too, and whether it holds JSON."""
    return [
        (model._meta.db_table, str(field.column), isinstance(field, models.JSONField))
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
    ]


def write(table: str, column: str, value: str) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {quote(table)} SET {quote(column)} = %s WHERE 1 = 0", [value])


def test_every_column_of_texts_refuses_it(db: None) -> None:
    columns = text_columns()
    assert len(columns) > 200
    assert {"ledger_app_entry", "ledger_app_auditrow", "django_session", "auth_group"} < {table for table, *_ in columns}
    for table, column, is_json in columns:
        for text in WRITINGS:
            with pytest.raises(errors.Refused, match="card_number_in_text") as refused:
                write(table, column, json.dumps({"a": [text]}) if is_json else text)
            assert text not in str(refused.value)
        write(table, column, json.dumps({"a": [5105105105105100]}) if is_json else "51051051051051")


def test_what_is_written_many_rows_at_a_time_is_looked_at_too(db: None) -> None:
    columns = {"name": bulk.TEXT, "opened_at": bulk.TEXT}
    rows = [(f"Sato {number}", "2017-01-01 00:00:00") for number in range(50)]
    for text in WRITINGS:
        with pytest.raises(errors.Refused, match="card_number_in_text"):
            bulk.insert("ledger_app_holder", columns, [*rows, (text, "2017-01-01 00:00:00")])
    assert bulk.insert("ledger_app_holder", columns, rows) == len(rows)
    assert not lookout.is_done()


# What chance may make: in each stands what reads like the code of a card.
OF_CHANCE = [
    ("django_session", "session_key", "cvc123" + "a" * 26),
    ("django_session", "session_data", f"eyJ-cvc123x:1vRa2B:{'A' * 43}"),
    ("django_session", "session_data", f".eJx_x:1vRa2B:-CVV1234{'A' * 35}"),
    ("ledger_app_user", "password", "pbkdf2_sha256$1000$CVC123abcdefghijklmnop$abc/CVV123+def0123456789012345678901234567="),
    ("django_tasks_database_dbtaskresult", "worker_ids", json.dumps(["cvc123" + "A" * 26, "b" * 32])),
]


@pytest.mark.parametrize(("table", "column", "text"), OF_CHANCE)
def test_what_chance_makes_is_no_card_number(db: None, table: str, column: str, text: str) -> None:
    assert card_numbers.kept_holds(text)
    write(table, column, text)
    for other in ("ledger_app_entry", "ledger_app_historicaluser"):
        with pytest.raises(errors.Refused, match="card_number_in_text"):
            write(other, "id", text)


def test_what_libraries_make_has_the_form_that_is_let_by(client: Client, make_user: UserMaker) -> None:
    user = make_user("engineer-9", "engineer")
    user.set_password("long enough to be one")
    client.force_login(user)
    session = client.session
    session["typed"] = "a long text that is worth pressing " * 40
    session.save()
    task: DBTaskResult[..., object] = DBTaskResult(worker_ids=[get_random_id(), get_random_id()])
    made = {
        "django_session": [text for each in Session.objects.all() for text in (each.session_key, each.session_data)],
        "ledger_app_user": [user.password],
        "django_tasks_database_dbtaskresult": [json.dumps(task.worker_ids)],
    }
    assert made.keys() == lookout.MADE_OF_CHANCE.keys()
    for table, texts in made.items():
        assert texts
        assert all(map(lookout.MADE_OF_CHANCE[table].fullmatch, texts)), texts
