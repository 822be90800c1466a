"""A plan keeps the rules of lots that it was made under."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion_app", "0010_old_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name=name,
            name="lot_rules",
            field=models.JSONField(editable=False, null=True, verbose_name="rules of lots"),
        )
        for name in ("batch", "historicalbatch")
    ]
