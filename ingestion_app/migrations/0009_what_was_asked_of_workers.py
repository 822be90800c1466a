"""What a worker was asked for is kept until it is answered."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion_app", "0008_series_of_chunks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedValidation",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="asked_validation",
                        serialize=False,
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("batch_version", models.PositiveIntegerField(verbose_name="version of the batch")),
                ("after_attempt", models.PositiveIntegerField(verbose_name="last attempt before")),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
            ],
            options={
                "verbose_name": "validation that was asked for",
                "verbose_name_plural": "validations that were asked for",
            },
        ),
    ]
