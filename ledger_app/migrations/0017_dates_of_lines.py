"""Each line has its entry's date, so that an account's lines are read in the order of their dates without its whole history."""

from importlib import import_module
from typing import Any

from django.db import migrations, models

statement = import_module("ledger_app.migrations.0002_triggers").statement

TRIGGER = ("kakutei_line_no_update", "UPDATE", "ledger_app_line", "")
PLACES = 1 << 20
POSTINGS_A_STATEMENT = 20

FILL = """
    UPDATE ledger_app_line
       SET effective_on = (SELECT entry.effective_on FROM ledger_app_entry AS entry WHERE entry.id = ledger_app_line.entry_id)
     WHERE id BETWEEN %s AND %s AND effective_on IS NULL
"""


def fill(apps: Any, schema_editor: Any) -> None:
    """Give every line that has none its date, some postings at a time. What was cut off goes on where it stopped."""
    connection = schema_editor.connection
    postings = list(apps.get_model("ledger_app", "Posting").objects.order_by("id").values_list("id", flat=True))
    if not postings:
        return
    schema_editor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER[0]}")
    try:
        with connection.cursor() as cursor:
            for start in range(0, len(postings), POSTINGS_A_STATEMENT):
                part = postings[start : start + POSTINGS_A_STATEMENT]
                cursor.execute(FILL, [part[0] * PLACES, part[-1] * PLACES + PLACES - 1])
    finally:
        schema_editor.execute(statement(connection.vendor, *TRIGGER))


class Migration(migrations.Migration):
    """Adds the column, fills it, and then orders by it."""

    atomic = False
    dependencies = [("ledger_app", "0016_limits_in_sum")]
    operations = [
        migrations.AddField("line", "effective_on", models.DateField(null=True, verbose_name="date")),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
        migrations.AddIndex("line", models.Index(fields=["account", "effective_on", "id", "amount"], name="line_date")),
    ]
