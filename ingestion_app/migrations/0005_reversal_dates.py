from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion_app", "0004_triggers_again"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="reversal_dates",
            field=models.JSONField(editable=False, null=True, verbose_name="dates of the reversal"),
        ),
        migrations.AddField(
            model_name="historicalbatch",
            name="reversal_dates",
            field=models.JSONField(editable=False, null=True, verbose_name="dates of the reversal"),
        ),
    ]
