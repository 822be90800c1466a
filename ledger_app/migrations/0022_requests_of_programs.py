"""Requests that programs send again, what they post, and the feed of what changed."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields


def begin(apps: Any, _schema_editor: Any) -> None:
    """Make the row that is held while events are numbered. May run again."""
    apps.get_model("ledger_app", "Feed").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    """Creates keys, submissions and the feed."""

    atomic = False

    dependencies = [
        ("ledger_app", "0021_changes_of_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_number", models.PositiveBigIntegerField(default=0, verbose_name="last number")),
            ],
            options={
                "verbose_name": "feed",
                "verbose_name_plural": "feeds",
            },
        ),
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
                    ("submission", "Request of a program"),
                ],
                max_length=12,
                verbose_name="origin",
            ),
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(null=True, unique=True, verbose_name="number")),
                ("kind", models.CharField(max_length=52, verbose_name="kind")),
                ("subject_type", models.CharField(max_length=20, verbose_name="of")),
                ("subject_id", models.PositiveBigIntegerField(verbose_name="number of it")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [models.Index(fields=["subject_type", "subject_id"], name="event_subject")],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255, verbose_name="key")),
                ("path", models.CharField(max_length=500, verbose_name="address")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the request")),
                ("fields", models.JSONField(verbose_name="digests of its fields")),
                ("status", models.PositiveSmallIntegerField(verbose_name="status")),
                ("location", models.CharField(blank=True, max_length=500, verbose_name="location")),
                ("body", models.TextField(blank=True, verbose_name="answer")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
            ],
            options={
                "verbose_name": "idempotency key",
                "verbose_name_plural": "idempotency keys",
                "indexes": [models.Index(fields=["at"], name="idempotency_key_at")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_unique"),
                    models.CheckConstraint(condition=models.Q(("key", ""), _negated=True), name="idempotency_key_given"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("request", models.CharField(blank=True, max_length=64, verbose_name="request")),
                ("host", models.CharField(blank=True, max_length=64, verbose_name="host")),
                ("given_count", models.PositiveIntegerField(verbose_name="entries that were sent")),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
            ],
            options={
                "verbose_name": "submission",
                "verbose_name_plural": "submissions",
                "permissions": [("post_entry", "Can post entries by program")],
                "constraints": [models.CheckConstraint(condition=models.Q(("given_count__gte", 1)), name="submission_not_empty")],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop, atomic=False),
    ]
