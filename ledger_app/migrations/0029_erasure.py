"""Erasures of personal data, what each took away, and what digests come to since; and the triggers that keep them."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement

TABLE = "ledger_app_erasure"
# As text, so that what was empty and is filled in differs too.
EDITED = "OLD.state <> 'proposed' OR " + " OR ".join(
    f"HEX(NEW.{column}) <> HEX(OLD.{column})" for column in ("holder_id", "ticket", "reason", "proposed_by_id", "proposed_at")
)
# What is erased is written before the decision is, in its transaction: to what was decided nothing is added.
NOT_PROPOSED = "NOT EXISTS (SELECT 1 FROM ledger_app_erasure WHERE id = NEW.erasure_id AND state = 'proposed')"
TRIGGERS = [
    ("kakutei_erasure_begins_proposed", "INSERT", TABLE, "NEW.state <> 'proposed' OR NEW.version <> 1"),
    ("kakutei_erasure_no_edit", "UPDATE", TABLE, EDITED),
    ("kakutei_erasure_no_delete", "DELETE", TABLE, ""),
    ("kakutei_erasedpart_of_proposal", "INSERT", "ledger_app_erasedpart", NOT_PROPOSED),
    ("kakutei_eraseddigest_of_proposal", "INSERT", "ledger_app_eraseddigest", NOT_PROPOSED),
]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers, dropping what a cut-off run has left."""
    for name, event, table, condition in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    for name, *_ in TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Creates the erasures and their triggers."""

    atomic = False

    dependencies = [
        ("ledger_app", "0028_tokens_of_our_own"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ticket", models.CharField(max_length=40, verbose_name="ticket")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Erased"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was erased"),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "permissions": [
                    ("answer_member", "Can answer members: correct a name, hand out what is kept, ask for an erasure"),
                    ("decide_erasure", "Can decide that a member's personal data is erased"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasedPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table_name", models.CharField(max_length=64, verbose_name="table")),
                ("row_id", models.BigIntegerField(verbose_name="number")),
                ("column_name", models.CharField(max_length=64, verbose_name="column")),
                ("says", models.TextField(blank=True, verbose_name="says since")),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="ledger_app.erasure",
                        verbose_name="erasure",
                    ),
                ),
            ],
            options={
                "verbose_name": "erased part",
                "verbose_name_plural": "erased parts",
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ErasedDigest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table_name", models.CharField(max_length=64, verbose_name="table")),
                ("row_id", models.BigIntegerField(verbose_name="number")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="digests",
                        to="ledger_app.erasure",
                        verbose_name="erasure",
                    ),
                ),
            ],
            options={
                "verbose_name": "digest after an erasure",
                "verbose_name_plural": "digests after erasures",
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="HistoricalErasure",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("ticket", models.CharField(max_length=40, verbose_name="ticket")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Erased"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was erased"),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical erasure",
                "verbose_name_plural": "historical erasures",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddIndex(
            model_name="erasure",
            index=models.Index(fields=["state"], name="erasure_state"),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "done", "rejected", "withdrawn"])), name="erasure_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="erasure_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decided_by__isnull", True), ("state__in", ["proposed", "withdrawn"])
                    ),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False), ("state__in", ["done", "rejected"])),
                    _connector="OR",
                ),
                name="erasure_decided_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("digest__isnull", False), ("state", "done")),
                    models.Q(models.Q(("state", "done"), _negated=True), ("digest__isnull", True)),
                    _connector="OR",
                ),
                name="erasure_done_has_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="erasure",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("ticket", ""), _negated=True)),
                name="erasure_reason_given",
            ),
        ),
        migrations.AddIndex(
            model_name="erasedpart",
            index=models.Index(fields=["table_name", "row_id"], name="erased_part_row"),
        ),
        migrations.AddConstraint(
            model_name="eraseddigest",
            constraint=models.UniqueConstraint(fields=("table_name", "row_id", "erasure"), name="erased_digest_once"),
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
