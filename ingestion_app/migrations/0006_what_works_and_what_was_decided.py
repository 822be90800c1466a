"""Workers by a name of their own, when an attempt was begun by a person, and what a plan decided beside its rows."""

from importlib import import_module

from django.db import migrations, models

triggers = import_module("ingestion_app.migrations.0004_triggers_again")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("ingestion_app", "0005_reversal_dates"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="batch_version",
            field=models.PositiveIntegerField(editable=False, null=True, verbose_name="version of the batch"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="worker",
            field=models.CharField(editable=False, max_length=40, null=True, verbose_name="instance"),
        ),
        migrations.AddField(
            model_name="batch",
            name="contra_accounts",
            field=models.JSONField(editable=False, null=True, verbose_name="accounts of reason codes"),
        ),
        migrations.AddField(
            model_name="historicalbatch",
            name="contra_accounts",
            field=models.JSONField(editable=False, null=True, verbose_name="accounts of reason codes"),
        ),
        migrations.AlterField(
            model_name="chunk",
            name="leased_by",
            field=models.CharField(blank=True, max_length=120, verbose_name="leased by"),
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("instance", models.CharField(max_length=40, unique=True, verbose_name="instance")),
                (
                    "kind",
                    models.CharField(
                        choices=[("worker", "Worker"), ("waker", "Waker"), ("apply", "Apply"), ("validate", "Validate")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("host", models.CharField(max_length=64, verbose_name="host")),
                ("process", models.PositiveIntegerField(verbose_name="process")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("seen_at", models.DateTimeField(db_index=True, verbose_name="last sign of life")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
            ],
            options={
                "verbose_name": "worker",
                "verbose_name_plural": "workers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["worker", "waker", "apply", "validate"])), name="worker_kind_known"
                    )
                ],
            },
        ),
        # SQLite has made the table of chunks anew, and its triggers are gone with it.
        migrations.RunPython(triggers.create, migrations.RunPython.noop, atomic=False),
    ]
