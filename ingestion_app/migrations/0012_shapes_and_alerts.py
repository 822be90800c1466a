"""The shapes of files, and alerts that finance acknowledges: what looks normal and is wrong."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion_app", "0011_lot_rules_of_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("alerts", models.PositiveIntegerField(verbose_name="alerts")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the alerts")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("acknowledged_at", models.DateTimeField(verbose_name="acknowledged at")),
            ],
            options={
                "verbose_name": "acknowledgement of alerts",
                "verbose_name_plural": "acknowledgements of alerts",
            },
        ),
        migrations.CreateModel(
            name="FileShape",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="shape",
                        serialize=False,
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("content", models.JSONField(verbose_name="shape")),
                ("compared", models.JSONField(default=list, verbose_name="compared with")),
            ],
            options={
                "verbose_name": "shape of a file",
                "verbose_name_plural": "shapes of files",
            },
        ),
        migrations.RemoveConstraint(
            model_name="finding",
            name="finding_severity_known",
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["error", "alert", "warning", "note"])), name="finding_severity_known"
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="acknowledged_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="acknowledged by",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acknowledgements",
                to="ingestion_app.batch",
                verbose_name="batch",
            ),
        ),
        migrations.AddField(
            model_name="acknowledgement",
            name="validation",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acknowledgement",
                to="ingestion_app.attempt",
                verbose_name="validation",
            ),
        ),
    ]
