"""Changes of settings: what was proposed never changes, and what was decided stays as it is."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement

TABLE = "ledger_app_settingchange"
# A decision is about what was proposed: other arguments, another reason or proposer are another proposal.
EDITED = "OLD.state <> 'proposed' OR " + " OR ".join(
    f"NEW.{column} <> OLD.{column}"
    for column in ("kind", "setting", "arguments", "after", "digest", "reason", "proposed_by_id", "proposed_at")
)
# What a setting said may be NULL, and a comparison with NULL is not true.
EDITED += " OR COALESCE(NEW.before, 'null') <> COALESCE(OLD.before, 'null')"
TRIGGERS = [
    ("kakutei_setting_change_begins_proposed", "INSERT", TABLE, "NEW.state <> 'proposed' OR NEW.version <> 1"),
    ("kakutei_setting_change_no_edit", "UPDATE", TABLE, EDITED),
    ("kakutei_setting_change_no_delete", "DELETE", TABLE, ""),
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
        ("ledger_app", "0020_rows_leave_traces"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalSettingChange",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("limit", "Limit of adjustments"),
                            ("reason_code", "Reason code"),
                            ("template", "Account template"),
                            ("lot_rule", "Rule of lots"),
                            ("hold_rule", "Rule of holds"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("setting", models.CharField(max_length=200, verbose_name="setting")),
                ("arguments", models.JSONField(verbose_name="what is set")),
                ("before", models.JSONField(null=True, verbose_name="before")),
                ("after", models.JSONField(verbose_name="after")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("applied", "Applied"),
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
                "verbose_name": "historical change of a setting",
                "verbose_name_plural": "historical changes of settings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SettingChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("limit", "Limit of adjustments"),
                            ("reason_code", "Reason code"),
                            ("template", "Account template"),
                            ("lot_rule", "Rule of lots"),
                            ("hold_rule", "Rule of holds"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("setting", models.CharField(max_length=200, verbose_name="setting")),
                ("arguments", models.JSONField(verbose_name="what is set")),
                ("before", models.JSONField(null=True, verbose_name="before")),
                ("after", models.JSONField(verbose_name="after")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("applied", "Applied"),
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
                "verbose_name": "change of a setting",
                "verbose_name_plural": "changes of settings",
                "indexes": [models.Index(fields=["state"], name="setting_change_state")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["limit", "reason_code", "template", "lot_rule", "hold_rule"])),
                        name="setting_change_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "applied", "rejected", "withdrawn"])),
                        name="setting_change_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="setting_change_decided_by_another",
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
                                ("state__in", ["applied", "rejected"]),
                            ),
                            _connector="OR",
                        ),
                        name="setting_change_decided_is_whole",
                    ),
                    models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="setting_change_reason_given"),
                ],
            },
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
