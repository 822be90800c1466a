"""Lots, holds and expiries; the database refuses that lots and their uses change."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement
members = import_module("ledger_app.migrations.0006_members")

APPEND_ONLY = ("lot", "lotuse", "holdlot", "expiryrun", "expirychunk")
# An account that has lines keeps lots or not for ever: what is there before would be in no lot, or in lots that nobody looks after.
KEEPS_LOTS = "NEW.keeps_lots <> OLD.keeps_lots AND EXISTS (SELECT 1 FROM ledger_app_line AS line WHERE line.account_id = OLD.id)"


def refusals() -> list[tuple[str, str, str, str]]:
    """Return (name, event, table, condition) of each trigger."""
    found = [
        (f"kakutei_{table}_no_{event.lower()}", event, f"ledger_app_{table}", "")
        for table in APPEND_ONLY
        for event in ("UPDATE", "DELETE")
    ]
    return [*found, ("kakutei_account_lots_no_update", "UPDATE", "ledger_app_account", KEEPS_LOTS)]


def create(apps: Any, schema_editor: Any) -> None:
    """Create every trigger, and those of accounts again: SQLite makes a table anew to alter it, and the old one's triggers go with it."""
    members.create(apps, schema_editor)
    for name, event, table, condition in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    for name, *_ in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("ledger_app", "0007_adjustments"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExpiryChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_count", models.PositiveIntegerField(verbose_name="entries")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "part of a run of expiry",
                "verbose_name_plural": "parts of a run of expiry",
            },
        ),
        migrations.CreateModel(
            name="ExpiryRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("through", models.DateField(verbose_name="through")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
            ],
            options={
                "verbose_name": "run of expiry",
                "verbose_name_plural": "runs of expiry",
            },
        ),
        migrations.CreateModel(
            name="HistoricalHold",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("placed_at", models.DateTimeField(verbose_name="placed at")),
                ("settled_amount", models.BigIntegerField(null=True, verbose_name="settled")),
                ("settled_on", models.DateField(null=True, verbose_name="settled on")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("settled", "Settled"), ("released", "Released"), ("expired", "Expired")],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
            ],
            options={
                "verbose_name": "historical hold",
                "verbose_name_plural": "historical holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalLotRule",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "expiry",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("days", "Days after granting"),
                            ("months", "Months after granting, to the month's end"),
                            ("fixed", "A fixed date"),
                        ],
                        max_length=8,
                        verbose_name="expiry",
                    ),
                ),
                ("validity", models.PositiveIntegerField(blank=True, null=True, verbose_name="validity in days or months")),
                ("fixed_on", models.DateField(blank=True, null=True, verbose_name="fixed date")),
                (
                    "order",
                    models.CharField(
                        choices=[
                            ("free_first", "Earliest expiry first, free before paid"),
                            ("paid_first", "Earliest expiry first, paid before free"),
                            ("oldest_first", "Oldest first"),
                        ],
                        default="free_first",
                        max_length=12,
                        verbose_name="order of spending",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("paid", "Paid"), ("free", "Free")], default="free", max_length=8, verbose_name="kind of a grant"
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
            ],
            options={
                "verbose_name": "historical rule of lots",
                "verbose_name_plural": "historical rules of lots",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("placed_at", models.DateTimeField(verbose_name="placed at")),
                ("settled_amount", models.BigIntegerField(null=True, verbose_name="settled")),
                ("settled_on", models.DateField(null=True, verbose_name="settled on")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("settled", "Settled"), ("released", "Released"), ("expired", "Expired")],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "permissions": [
                    ("place_hold", "Can hold points"),
                    ("settle_hold", "Can settle a hold"),
                    ("release_hold", "Can release a hold"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HoldLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "lot of a hold",
                "verbose_name_plural": "lots of holds",
            },
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("paid", "Paid"), ("free", "Free"), ("deficit", "Deficit")], max_length=8, verbose_name="kind"
                    ),
                ),
                ("granted_on", models.DateField(verbose_name="granted on")),
                ("expires_on", models.DateField(null=True, verbose_name="expires on")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "lot",
                "verbose_name_plural": "lots",
            },
        ),
        migrations.CreateModel(
            name="LotRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "expiry",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("days", "Days after granting"),
                            ("months", "Months after granting, to the month's end"),
                            ("fixed", "A fixed date"),
                        ],
                        max_length=8,
                        verbose_name="expiry",
                    ),
                ),
                ("validity", models.PositiveIntegerField(blank=True, null=True, verbose_name="validity in days or months")),
                ("fixed_on", models.DateField(blank=True, null=True, verbose_name="fixed date")),
                (
                    "order",
                    models.CharField(
                        choices=[
                            ("free_first", "Earliest expiry first, free before paid"),
                            ("paid_first", "Earliest expiry first, paid before free"),
                            ("oldest_first", "Oldest first"),
                        ],
                        default="free_first",
                        max_length=12,
                        verbose_name="order of spending",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("paid", "Paid"), ("free", "Free")], default="free", max_length=8, verbose_name="kind of a grant"
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of lots",
                "verbose_name_plural": "rules of lots",
                "permissions": [("set_lot_rule", "Can set the rules of lots")],
            },
        ),
        migrations.CreateModel(
            name="LotUse",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "use of a lot",
                "verbose_name_plural": "uses of lots",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="keeps_lots",
            field=models.BooleanField(default=False, verbose_name="keeps lots"),
        ),
        migrations.AddField(
            model_name="historicalaccount",
            name="keeps_lots",
            field=models.BooleanField(default=False, verbose_name="keeps lots"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("keeps_lots", False),
                    models.Q(("stripes", 1), models.Q(("floor__isnull", True), ("floor__lte", 0), _connector="OR")),
                    _connector="OR",
                ),
                name="account_lots_expire_freely",
            ),
        ),
        migrations.AddField(
            model_name="expiryrun",
            name="book",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="expiry_runs", to="ledger_app.book", verbose_name="book"
            ),
        ),
        migrations.AddField(
            model_name="expiryrun",
            name="started_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="started by",
            ),
        ),
        migrations.AddField(
            model_name="expirychunk",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="chunks",
                to="ledger_app.expiryrun",
                verbose_name="run of expiry",
            ),
        ),
        migrations.AddField(
            model_name="historicalhold",
            name="account",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.account",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="historicalhold",
            name="book",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddField(
            model_name="historicalhold",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicalhold",
            name="placed_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="placed by",
            ),
        ),
        migrations.AddField(
            model_name="historicalhold",
            name="target",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.account",
                verbose_name="goes to",
            ),
        ),
        migrations.AddField(
            model_name="historicallotrule",
            name="book",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddField(
            model_name="historicallotrule",
            name="breakage",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="ledger_app.account",
                verbose_name="breakage account",
            ),
        ),
        migrations.AddField(
            model_name="historicallotrule",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="ledger_app.account",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="book",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="placed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="placed by",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="target",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.account", verbose_name="goes to"
            ),
        ),
        migrations.AddField(
            model_name="holdlot",
            name="hold",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parts",
                to="ledger_app.hold",
                verbose_name="hold",
            ),
        ),
        migrations.CreateModel(
            name="OpenLot",
            fields=[
                (
                    "lot",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="remainder",
                        serialize=False,
                        to="ledger_app.lot",
                        verbose_name="lot",
                    ),
                ),
                ("due_on", models.DateField(null=True, verbose_name="due on")),
                ("remaining", models.BigIntegerField(verbose_name="remaining")),
                ("held", models.BigIntegerField(default=0, verbose_name="held")),
            ],
            options={
                "verbose_name": "open lot",
                "verbose_name_plural": "open lots",
            },
        ),
        migrations.AddField(
            model_name="lot",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="ledger_app.account", verbose_name="account"
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="ledger_app.line", verbose_name="line"
            ),
        ),
        migrations.AddField(
            model_name="holdlot",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="held_by", to="ledger_app.lot", verbose_name="lot"
            ),
        ),
        migrations.AddField(
            model_name="lotrule",
            name="book",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot_rules",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddField(
            model_name="lotrule",
            name="breakage",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.account",
                verbose_name="breakage account",
            ),
        ),
        migrations.AddField(
            model_name="lotuse",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lot_uses", to="ledger_app.line", verbose_name="line"
            ),
        ),
        migrations.AddField(
            model_name="lotuse",
            name="lot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="ledger_app.lot", verbose_name="lot"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["account", "state"], name="hold_account"),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["state", "expires_at"], name="hold_over"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(fields=("book", "reference"), name="hold_reference_unique"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 1), models.Q(("reference", ""), _negated=True)), name="hold_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("placed_at"))), name="hold_span_forward"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("settled_amount__gte", 1),
                        ("settled_amount__isnull", False),
                        ("settled_amount__lte", models.F("amount")),
                        ("settled_on__isnull", False),
                        ("state", "settled"),
                    ),
                    models.Q(
                        ("settled_amount__isnull", True),
                        ("settled_on__isnull", True),
                        ("state__in", ["open", "released", "expired"]),
                    ),
                    _connector="OR",
                ),
                name="hold_settled_within",
            ),
        ),
        migrations.AddField(
            model_name="openlot",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="open_lots",
                to="ledger_app.account",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="openlot",
            name="book",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("kind__in", ["paid", "free"])),
                    models.Q(("amount__lt", 0), ("expires_on__isnull", True), ("kind", "deficit")),
                    _connector="OR",
                ),
                name="lot_amount_of_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdlot",
            constraint=models.UniqueConstraint(fields=("hold", "lot"), name="holdlot_once"),
        ),
        migrations.AddConstraint(
            model_name="holdlot",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gte", 1)), name="holdlot_of_something"),
        ),
        migrations.AddConstraint(
            model_name="lotrule",
            constraint=models.UniqueConstraint(fields=("book", "role"), name="lotrule_role_unique"),
        ),
        migrations.AddConstraint(
            model_name="lotrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expiry", "never"), ("fixed_on__isnull", True), ("validity__isnull", True)),
                    models.Q(
                        ("expiry__in", ["days", "months"]),
                        ("fixed_on__isnull", True),
                        ("validity__gte", 1),
                        ("validity__isnull", False),
                    ),
                    models.Q(("expiry", "fixed"), ("fixed_on__isnull", False), ("validity__isnull", True)),
                    _connector="OR",
                ),
                name="lotrule_expiry_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["paid", "free"]), ("order__in", ["free_first", "paid_first", "oldest_first"])),
                name="lotrule_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotuse",
            constraint=models.CheckConstraint(condition=models.Q(("amount", 0), _negated=True), name="lotuse_amount_not_zero"),
        ),
        migrations.AddIndex(
            model_name="openlot",
            index=models.Index(fields=["book", "due_on", "account"], name="openlot_due"),
        ),
        migrations.AddConstraint(
            model_name="openlot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("held__gte", 0), ("held__lte", models.F("remaining")), ("remaining__gt", 0)),
                    models.Q(("held", 0), ("remaining__lt", 0)),
                    _connector="OR",
                ),
                name="openlot_held_within",
            ),
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
