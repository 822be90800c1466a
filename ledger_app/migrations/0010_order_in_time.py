"""Each balance knows the latest date of its lines."""

from typing import Any

from django.db import migrations, models

ACCOUNTS_A_CALL = 2000
# Along the index over account, some thousand accounts at a time: what is done is done, and the same again sets the same.
FILL = """
    UPDATE ledger_app_balance
       SET last_on = (
           SELECT MAX(entry.effective_on)
             FROM ledger_app_line AS line JOIN ledger_app_entry AS entry ON entry.id = line.entry_id
            WHERE line.account_id = ledger_app_balance.account_id AND line.stripe = ledger_app_balance.stripe
           )
     WHERE sequence > 0 AND id >= %s AND id < %s
"""


def fill(apps: Any, schema_editor: Any) -> None:
    """Set what the lines say."""
    last = apps.get_model("ledger_app", "Balance").objects.aggregate(last=models.Max("id"))["last"] or 0
    for start in range(0, last + 1, ACCOUNTS_A_CALL * 64):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL, [start, start + ACCOUNTS_A_CALL * 64])


class Migration(migrations.Migration):
    """Adds the column and fills it."""

    atomic = False
    dependencies = [("ledger_app", "0009_reversal_marks")]
    operations = [
        migrations.AddField(
            model_name="balance",
            name="last_on",
            field=models.DateField(null=True, verbose_name="latest date of its lines"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
    ]
