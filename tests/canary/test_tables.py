"""No column of any table takes a card number, whoever writes it."""

import json

import pytest
from django.apps import apps
from django.db import connection, models

from ledger_app import errors
from ledger_app.operations import bulk
from ledger_app.queries import lookout
from tests.canary.conftest import WRITINGS


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
