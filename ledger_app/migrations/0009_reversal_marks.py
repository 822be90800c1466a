"""Proposals to reverse one entry: what was proposed never changes, and what was decided stays as it is."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement

TABLE = "ledger_app_reversal"
# A decision is about what was proposed: another date, reason or proposer is another proposal.
EDITED = "OLD.state <> 'proposed' OR " + " OR ".join(
    f"NEW.{column} <> OLD.{column}"
    for column in ("entry_id", "effective_on", "prior_period", "reason", "ticket", "digest", "proposed_by_id", "proposed_at")
)
TRIGGERS = [
    ("kakutei_reversal_begins_proposed", "INSERT", TABLE, "NEW.state <> 'proposed' OR NEW.version <> 1"),
    ("kakutei_reversal_no_edit", "UPDATE", TABLE, EDITED),
    ("kakutei_reversal_no_delete", "DELETE", TABLE, ""),
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
    """Creates the proposals and their triggers."""

    atomic = False
    dependencies = [
        ("ledger_app", "0008_lots"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalReversal",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("effective_on", models.DateField(verbose_name="date of the reversal")),
                ("prior_period", models.CharField(blank=True, max_length=20, verbose_name="corrects the prior period")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("posted", "Posted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_entry", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds the entry")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
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
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.entry",
                        verbose_name="entry",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
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
                (
                    "reversal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.entry",
                        verbose_name="entry that reverses",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical reversal",
                "verbose_name_plural": "historical reversals",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Reversal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("effective_on", models.DateField(verbose_name="date of the reversal")),
                ("prior_period", models.CharField(blank=True, max_length=20, verbose_name="corrects the prior period")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("posted", "Posted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_entry", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds the entry")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
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
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="ledger_app.entry",
                        verbose_name="entry",
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
                (
                    "reversal",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decided_reversal",
                        to="ledger_app.entry",
                        verbose_name="entry that reverses",
                    ),
                ),
            ],
            options={
                "verbose_name": "reversal",
                "verbose_name_plural": "reversals",
                "permissions": [("propose_reversal", "Can propose to reverse an entry")],
                "indexes": [models.Index(fields=["state", "effective_on"], name="reversal_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "holds_entry"), name="reversal_entry_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "posted", "rejected", "withdrawn"])),
                        name="reversal_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="reversal_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state__in", ["proposed", "withdrawn"]),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("state__in", ["posted", "rejected"]),
                            ),
                            _connector="OR",
                        ),
                        name="reversal_decided_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_digest__isnull", False), ("reversal__isnull", False), ("state", "posted")),
                            models.Q(
                                models.Q(("state", "posted"), _negated=True),
                                ("decided_digest__isnull", True),
                                ("reversal__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="reversal_posted_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("holds_entry", True), ("holds_entry__isnull", False), ("state__in", ["proposed", "posted"])
                            ),
                            models.Q(("holds_entry__isnull", True), ("state__in", ["rejected", "withdrawn"])),
                            _connector="OR",
                        ),
                        name="reversal_holds_while_it_may",
                    ),
                    models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="reversal_reason_given"),
                ],
            },
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
