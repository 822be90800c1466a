"""Every posting names a row that wrote it: there is no kind of origin that stands for itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger_app", "0030_identities"),
    ]

    operations = [
        migrations.AlterField(
            model_name="posting",
            name="origin_kind",
            field=models.CharField(
                choices=[
                    ("chunk", "Chunk of a batch"),
                    ("reversal", "Reversal"),
                    ("adjustment", "Adjustment"),
                    ("expiry", "Expiry"),
                    ("merge", "Merge"),
                    ("hold", "Hold"),
                    ("submission", "Request of a program"),
                ],
                max_length=12,
                verbose_name="origin",
            ),
        ),
    ]
