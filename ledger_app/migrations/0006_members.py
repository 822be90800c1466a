"""Members' cards as hashes, merges, and accounts with versions; and what the database refuses of them by itself.

Triggers are dropped before they are created: MySQL and MariaDB do not undo DDL, so a migration that was cut off must be able to run again.
"""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

first = import_module("ledger_app.migrations.0002_triggers")

MERGED_ALREADY = "OLD.merged_into_id IS NOT NULL AND (NEW.merged_into_id IS NULL OR NEW.merged_into_id <> OLD.merged_into_id)"
# Whoever is merged into was not merged: so no chain of merges can come back to where it began.
CIRCLE = (
    "OLD.merged_into_id IS NULL AND NEW.merged_into_id IS NOT NULL AND (NEW.merged_into_id = NEW.id OR EXISTS ("
    "SELECT 1 FROM ledger_app_holder AS other WHERE other.id = NEW.merged_into_id AND other.merged_into_id IS NOT NULL))"
)
NOT_ZERO = (
    "NEW.state = 'closed' AND OLD.state <> 'closed' AND"
    " (SELECT COALESCE(SUM(balance.amount), 0) FROM ledger_app_balance AS balance WHERE balance.account_id = NEW.id) <> 0"
)
CONTENT = (
    *("holder_id", "undoes_id", "amounts", "effective_on", "preview", "digest", "reason", "proposed_by_id", "proposed_at"),
)
# As text, so that what was empty and is filled in differs too.
OTHER_CONTENT = (
    " OR ".join(f"COALESCE(HEX(NEW.{column}), '-') <> COALESCE(HEX(OLD.{column}), '-')" for column in CONTENT)
    + " OR (OLD.survivor_id IS NOT NULL AND (NEW.survivor_id IS NULL OR NEW.survivor_id <> OLD.survivor_id))"
)


def refusals() -> list[tuple[str, str, str, str]]:
    """Return (name, event, table, condition) of each trigger."""
    return [
        ("kakutei_holder_merged_no_update", "UPDATE", "ledger_app_holder", MERGED_ALREADY),
        ("kakutei_holder_no_circle", "UPDATE", "ledger_app_holder", CIRCLE),
        ("kakutei_holder_merged_no_insert", "INSERT", "ledger_app_holder", "NEW.merged_into_id IS NOT NULL"),
        ("kakutei_holder_no_delete", "DELETE", "ledger_app_holder", ""),
        ("kakutei_identifier_no_delete", "DELETE", "ledger_app_identifier", ""),
        (
            "kakutei_identifier_value_no_update",
            "UPDATE",
            "ledger_app_identifier",
            "NEW.kind <> OLD.kind OR (NEW.value <> OLD.value AND NEW.kind <> 'card_number')",
        ),
        ("kakutei_account_closed_no_update", "UPDATE", "ledger_app_account", "OLD.state = 'closed' AND NEW.state <> 'closed'"),
        ("kakutei_account_closed_at_zero", "UPDATE", "ledger_app_account", NOT_ZERO),
        ("kakutei_merge_begins_proposed", "INSERT", "ledger_app_merge", "NEW.state <> 'proposed' OR NEW.version <> 1"),
        ("kakutei_merge_ended_no_update", "UPDATE", "ledger_app_merge", "OLD.state <> 'proposed'"),
        ("kakutei_merge_content_no_update", "UPDATE", "ledger_app_merge", OTHER_CONTENT),
        ("kakutei_merge_no_delete", "DELETE", "ledger_app_merge", ""),
        *(
            (f"kakutei_{table}_no_{event.lower()}", event, f"ledger_app_{table}", "")
            for table in ("movedidentifier", "redirectedentry")
            for event in ("UPDATE", "DELETE")
        ),
    ]


def create(apps: Any, schema_editor: Any) -> None:
    """Create every trigger, and the earlier ones again: SQLite makes a table anew to alter it, and the old one's triggers go with it."""
    first.create(apps, schema_editor)
    for name, event, table, condition in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(first.statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger of these tables."""
    for name, *_ in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Adds merges, hashed cards and the versions of accounts."""

    dependencies = [
        ("ledger_app", "0005_more_origins"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalMerge",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Carried out"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_holder", models.BooleanField(null=True)),
                ("holds_undone", models.BooleanField(null=True)),
                ("effective_on", models.DateField(null=True, verbose_name="date of the entries")),
                ("amounts", models.JSONField(null=True, verbose_name="amounts given back")),
                ("preview", models.JSONField(verbose_name="what was proposed")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                ("decided_preview", models.JSONField(null=True, verbose_name="what was decided")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
            ],
            options={
                "verbose_name": "historical merge",
                "verbose_name_plural": "historical merges",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Carried out"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_holder", models.BooleanField(null=True)),
                ("holds_undone", models.BooleanField(null=True)),
                ("effective_on", models.DateField(null=True, verbose_name="date of the entries")),
                ("amounts", models.JSONField(null=True, verbose_name="amounts given back")),
                ("preview", models.JSONField(verbose_name="what was proposed")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                ("decided_preview", models.JSONField(null=True, verbose_name="what was decided")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
                ),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "permissions": [
                    ("propose_merge", "Can propose and withdraw merges of members"),
                    ("decide_merge", "Can decide merges of members"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MovedIdentifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "verbose_name": "moved identifier",
                "verbose_name_plural": "moved identifiers",
            },
        ),
        migrations.CreateModel(
            name="RedirectedEntry",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="redirected",
                        serialize=False,
                        to="ledger_app.entry",
                        verbose_name="entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "redirected entry",
                "verbose_name_plural": "redirected entries",
            },
        ),
        migrations.AlterModelOptions(
            name="account",
            options={
                "permissions": [("suspend_account", "Can suspend accounts"), ("close_account", "Can reopen and close accounts")],
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
            },
        ),
        migrations.AlterModelOptions(
            name="identifier",
            options={
                "permissions": [("change_identifiers", "Can give identifiers to members and end them")],
                "verbose_name": "identifier",
                "verbose_name_plural": "identifiers",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="version",
            field=models.PositiveIntegerField(default=1, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="historicalaccount",
            name="version",
            field=models.PositiveIntegerField(default=1, verbose_name="version"),
        ),
        migrations.AddField(
            model_name="identifier",
            name="key_name",
            field=models.CharField(blank=True, default="", max_length=16, verbose_name="key"),
        ),
        migrations.AddField(
            model_name="identifier",
            name="last_four",
            field=models.CharField(blank=True, default="", max_length=4, verbose_name="last four"),
        ),
        migrations.AddIndex(
            model_name="holder",
            index=models.Index(fields=["name"], name="holder_name"),
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(fields=["last_four"], name="identifier_last_four"),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(models.Q(("kind", "card_number"), _negated=True), ("key_name", ""), ("last_four", "")),
                    models.Q(
                        ("kind", "card_number"),
                        models.Q(("key_name", ""), _negated=True),
                        django.db.models.lookups.Exact(django.db.models.functions.text.Length("value"), 64),
                        django.db.models.lookups.Exact(django.db.models.functions.text.Length("last_four"), 4),
                    ),
                    _connector="OR",
                ),
                name="identifier_card_is_hashed",
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="holder",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.holder",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="proposed_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="survivor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.holder",
                verbose_name="member who remains",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="holder",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merges",
                to="ledger_app.holder",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="survivor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merges_taken_in",
                to="ledger_app.holder",
                verbose_name="member who remains",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="undoes",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="ledger_app.merge",
                verbose_name="undoes",
            ),
        ),
        migrations.AddField(
            model_name="historicalmerge",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.merge",
                verbose_name="undoes",
            ),
        ),
        migrations.AddField(
            model_name="movedidentifier",
            name="from_holder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.holder", verbose_name="from member"
            ),
        ),
        migrations.AddField(
            model_name="movedidentifier",
            name="identifier",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moves",
                to="ledger_app.identifier",
                verbose_name="identifier",
            ),
        ),
        migrations.AddField(
            model_name="movedidentifier",
            name="merge",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moved_identifiers",
                to="ledger_app.merge",
                verbose_name="merge",
            ),
        ),
        migrations.AddField(
            model_name="movedidentifier",
            name="to_holder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.holder", verbose_name="to member"
            ),
        ),
        migrations.AddField(
            model_name="redirectedentry",
            name="holder",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.holder",
                verbose_name="member that was posted to",
            ),
        ),
        migrations.AddField(
            model_name="redirectedentry",
            name="named",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.holder",
                verbose_name="member that was named",
            ),
        ),
        migrations.AddIndex(
            model_name="merge",
            index=models.Index(fields=["state"], name="merge_state"),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(fields=("holder", "holds_holder"), name="merge_holder_once"),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(fields=("undoes", "holds_undone"), name="merge_undone_once"),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "done", "rejected", "withdrawn"])), name="merge_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("survivor__isnull", True), models.Q(("survivor", models.F("holder")), _negated=True), _connector="OR"
                ),
                name="merge_not_into_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(("undoes__isnull", False), ("survivor__isnull", False), _connector="OR"),
                name="merge_survivor_given",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "done"), _negated=True),
                    models.Q(("decided_digest__isnull", False), ("survivor__isnull", False)),
                    _connector="OR",
                ),
                name="merge_done_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False), ("state__in", ["done", "rejected"])),
                    models.Q(("decided_by__isnull", True), ("state__in", ["proposed", "withdrawn"])),
                    _connector="OR",
                ),
                name="merge_decided_by_given",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="merge_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("holds_holder__isnull", True), ("holds_undone__isnull", True), ("state__in", ["rejected", "withdrawn"])
                    ),
                    models.Q(
                        ("holds_holder", True),
                        ("holds_holder__isnull", False),
                        ("holds_undone__isnull", True),
                        ("state__in", ["proposed", "done"]),
                        ("undoes__isnull", True),
                    ),
                    models.Q(
                        ("holds_holder__isnull", True),
                        ("holds_undone", True),
                        ("holds_undone__isnull", False),
                        ("state__in", ["proposed", "done"]),
                        ("undoes__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="merge_holds_while_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="movedidentifier",
            constraint=models.UniqueConstraint(fields=("merge", "identifier"), name="moved_identifier_once"),
        ),
        migrations.AddConstraint(
            model_name="movedidentifier",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_holder", models.F("to_holder")), _negated=True), name="moved_identifier_to_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="redirectedentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("named", models.F("holder")), _negated=True), name="redirected_to_another"
            ),
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
