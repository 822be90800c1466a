"""More kinds of origin for postings."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger_app", "0004_triggers_again"),
    ]

    operations = [
        migrations.AlterField(
            model_name="posting",
            name="origin_kind",
            field=models.CharField(
                choices=[
                    ("chunk", "Chunk of a batch"),
                    ("reversal", "Reversal"),
                    ("opening", "Opening"),
                    ("adjustment", "Adjustment"),
                    ("expiry", "Expiry"),
                    ("merge", "Merge"),
                    ("hold", "Hold"),
                ],
                max_length=12,
                verbose_name="origin",
            ),
        ),
    ]
