"""Files may lose their bytes by a policy, where no batch has them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion_app", "0009_what_was_asked_of_workers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PrunedFile",
            fields=[
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="pruned",
                        serialize=False,
                        to="ingestion_app.file",
                        verbose_name="file",
                    ),
                ),
                ("pruned_at", models.DateTimeField(verbose_name="removed at")),
                (
                    "pruned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="removed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "file whose bytes were removed",
                "verbose_name_plural": "files whose bytes were removed",
            },
        ),
    ]
