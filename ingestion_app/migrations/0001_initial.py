"""The tables of ingestion as a new database gets them."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger_app", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalSource",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("code", models.CharField(db_index=True, max_length=32, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical source",
                "verbose_name_plural": "historical sources",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=32, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
            ],
            options={
                "verbose_name": "source",
                "verbose_name_plural": "sources",
                "permissions": [("load_source", "Can load a new version of a source")],
            },
        ),
        migrations.CreateModel(
            name="SourceVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="ingestion_app.source",
                        verbose_name="source",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("text", models.TextField(verbose_name="definition")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "loaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="loaded by",
                    ),
                ),
                ("loaded_at", models.DateTimeField(verbose_name="loaded at")),
            ],
            options={
                "verbose_name": "source version",
                "verbose_name_plural": "source versions",
                "constraints": [models.UniqueConstraint(fields=("source", "number"), name="source_version_unique")],
            },
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", ledger_app.models.fields.DigestField(max_length=32, unique=True, verbose_name="SHA-256")),
                ("size", models.PositiveBigIntegerField(verbose_name="bytes")),
                ("stored_at", models.DateTimeField(verbose_name="stored at")),
            ],
            options={
                "verbose_name": "file",
                "verbose_name_plural": "files",
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="ingestion_app.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="ingestion_app.file",
                        verbose_name="file",
                    ),
                ),
                ("name", models.CharField(max_length=255, verbose_name="name as received")),
                ("business_date", models.DateField(null=True, verbose_name="business date")),
                ("sequence", models.PositiveIntegerField(null=True, verbose_name="sequence")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Duplicate"),
                            ("conflict", "Conflict"),
                            ("refused", "Refused"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repeats",
                        to="ingestion_app.receipt",
                        verbose_name="first receipt",
                    ),
                ),
                (
                    "received_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="received by",
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("door", models.CharField(max_length=12, verbose_name="door")),
                ("os_user", models.CharField(blank=True, max_length=64, verbose_name="system user")),
                ("host", models.CharField(blank=True, max_length=64, verbose_name="host")),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("first__isnull", True), ("outcome__in", ["accepted", "refused"])),
                            models.Q(("first__isnull", False), ("outcome__in", ["duplicate", "conflict"])),
                            _connector="OR",
                        ),
                        name="receipt_points_to_first",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "refused"),
                            models.Q(("business_date__isnull", False), ("sequence__isnull", False)),
                            _connector="OR",
                        ),
                        name="receipt_slot_known",
                    ),
                ],
            },
        ),
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
                (
                    "pruned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="removed by",
                    ),
                ),
                ("pruned_at", models.DateTimeField(verbose_name="removed at")),
            ],
            options={
                "verbose_name": "file whose bytes were removed",
                "verbose_name_plural": "files whose bytes were removed",
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="ingestion_app.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "source_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="ingestion_app.sourceversion",
                        verbose_name="source version",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="ingestion_app.file",
                        verbose_name="file",
                    ),
                ),
                (
                    "receipt",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch",
                        to="ingestion_app.receipt",
                        verbose_name="receipt",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="ingestion_app.batch",
                        verbose_name="reverses",
                    ),
                ),
                ("business_date", models.DateField(verbose_name="business date")),
                ("sequence", models.PositiveIntegerField(verbose_name="sequence")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("rejected", "Rejected"),
                            ("validated", "Validated"),
                            ("approved", "Approved"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("frozen", "Frozen"),
                            ("withdrawn", "Withdrawn"),
                            ("reversed", "Reversed"),
                        ],
                        default="received",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_slot", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds its slot")),
                ("holds_file", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds its file")),
                (
                    "holds_original",
                    models.BooleanField(default=None, editable=False, null=True, verbose_name="holds what it reverses"),
                ),
                ("is_paused", models.BooleanField(default=False, verbose_name="paused")),
                (
                    "received_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="received by",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="validated by",
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                ("plan_digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="plan")),
                ("approved_digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="approved plan")),
                ("record_count", models.PositiveIntegerField(null=True, verbose_name="records")),
                ("record_sum", models.BigIntegerField(null=True, verbose_name="sum of records")),
                ("trailer_count", models.BigIntegerField(null=True, verbose_name="count in the trailer")),
                ("trailer_sum", models.BigIntegerField(null=True, verbose_name="sum in the trailer")),
                ("without_effect_count", models.PositiveIntegerField(default=0, verbose_name="records without effect")),
                ("set_aside_count", models.PositiveIntegerField(default=0, verbose_name="records set aside")),
                ("set_aside_sum", models.BigIntegerField(default=0, verbose_name="sum set aside")),
                ("first_on", models.DateField(null=True, verbose_name="first date")),
                ("last_on", models.DateField(null=True, verbose_name="last date")),
                ("totals", models.JSONField(default=dict, verbose_name="planned totals by book")),
                ("reversal_dates", models.JSONField(editable=False, null=True, verbose_name="dates of the reversal")),
                ("contra_accounts", models.JSONField(editable=False, null=True, verbose_name="accounts of reason codes")),
                ("lot_rules", models.JSONField(editable=False, null=True, verbose_name="rules of lots")),
                ("finding_counts", models.JSONField(default=dict, verbose_name="findings by rule")),
            ],
            options={
                "verbose_name": "batch",
                "verbose_name_plural": "batches",
                "permissions": [
                    ("receive_batch", "Can receive a file"),
                    ("validate_batch", "Can validate a batch"),
                    ("approve_batch", "Can approve a batch"),
                    ("apply_batch", "Can apply a batch"),
                    ("withdraw_batch", "Can withdraw a batch"),
                    ("freeze_batch", "Can freeze a batch"),
                    ("reverse_batch", "Can propose the reversal of a batch"),
                ],
                "indexes": [models.Index(fields=["state"], name="batch_state")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "business_date", "sequence", "holds_slot"), name="batch_slot_unique"
                    ),
                    models.UniqueConstraint(fields=("source", "file", "holds_file"), name="batch_file_unique"),
                    models.UniqueConstraint(fields=("reverses", "holds_original"), name="batch_reversal_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("holds_slot__isnull", True), ("holds_slot", True), _connector="OR"),
                            models.Q(("holds_file__isnull", True), ("holds_file", True), _connector="OR"),
                            models.Q(("holds_original__isnull", True), ("holds_original", True), _connector="OR"),
                        ),
                        name="batch_holds_true_or_null",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("holds_original__isnull", True), ("receipt__isnull", False), ("reverses__isnull", True)),
                            models.Q(
                                ("holds_file__isnull", True),
                                ("holds_slot__isnull", True),
                                ("receipt__isnull", True),
                                ("reverses__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="batch_received_or_reversal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_paused", False), ("state", "applying"), _connector="OR"),
                        name="batch_paused_applying",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "received",
                                    "rejected",
                                    "validated",
                                    "approved",
                                    "applying",
                                    "applied",
                                    "frozen",
                                    "withdrawn",
                                    "reversed",
                                ],
                            )
                        ),
                        name="batch_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(
                                models.Q(("approved_by", models.F("received_by")), _negated=True),
                                models.Q(("approved_by", models.F("planned_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["approved", "applying", "applied", "frozen", "reversed"]), _negated=True),
                            models.Q(
                                ("approved_by__isnull", False),
                                ("approved_digest", models.F("plan_digest")),
                                ("approved_digest__isnull", False),
                                ("plan_digest__isnull", False),
                                ("planned_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="batch_approved_plan",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalBatch",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("business_date", models.DateField(verbose_name="business date")),
                ("sequence", models.PositiveIntegerField(verbose_name="sequence")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("rejected", "Rejected"),
                            ("validated", "Validated"),
                            ("approved", "Approved"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("frozen", "Frozen"),
                            ("withdrawn", "Withdrawn"),
                            ("reversed", "Reversed"),
                        ],
                        default="received",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_slot", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds its slot")),
                ("holds_file", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds its file")),
                (
                    "holds_original",
                    models.BooleanField(default=None, editable=False, null=True, verbose_name="holds what it reverses"),
                ),
                ("is_paused", models.BooleanField(default=False, verbose_name="paused")),
                ("plan_digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="plan")),
                ("approved_digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="approved plan")),
                ("record_count", models.PositiveIntegerField(null=True, verbose_name="records")),
                ("record_sum", models.BigIntegerField(null=True, verbose_name="sum of records")),
                ("trailer_count", models.BigIntegerField(null=True, verbose_name="count in the trailer")),
                ("trailer_sum", models.BigIntegerField(null=True, verbose_name="sum in the trailer")),
                ("without_effect_count", models.PositiveIntegerField(default=0, verbose_name="records without effect")),
                ("set_aside_count", models.PositiveIntegerField(default=0, verbose_name="records set aside")),
                ("set_aside_sum", models.BigIntegerField(default=0, verbose_name="sum set aside")),
                ("first_on", models.DateField(null=True, verbose_name="first date")),
                ("last_on", models.DateField(null=True, verbose_name="last date")),
                ("totals", models.JSONField(default=dict, verbose_name="planned totals by book")),
                ("reversal_dates", models.JSONField(editable=False, null=True, verbose_name="dates of the reversal")),
                ("contra_accounts", models.JSONField(editable=False, null=True, verbose_name="accounts of reason codes")),
                ("lot_rules", models.JSONField(editable=False, null=True, verbose_name="rules of lots")),
                ("finding_counts", models.JSONField(default=dict, verbose_name="findings by rule")),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ingestion_app.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "source_version",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ingestion_app.sourceversion",
                        verbose_name="source version",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ingestion_app.file",
                        verbose_name="file",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ingestion_app.receipt",
                        verbose_name="receipt",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ingestion_app.batch",
                        verbose_name="reverses",
                    ),
                ),
                (
                    "received_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="received by",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="validated by",
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical batch",
                "verbose_name_plural": "historical batches",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "step",
                    models.CharField(choices=[("validate", "Validate"), ("apply", "Apply")], max_length=10, verbose_name="step"),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("paused", "Paused"),
                        ],
                        default="running",
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                ("host", models.CharField(max_length=64, verbose_name="host")),
                ("process", models.PositiveIntegerField(verbose_name="process")),
                ("worker", models.CharField(editable=False, max_length=40, null=True, verbose_name="instance")),
                ("batch_version", models.PositiveIntegerField(editable=False, null=True, verbose_name="version of the batch")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("heartbeat_at", models.DateTimeField(verbose_name="last sign of life")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                ("phase", models.CharField(blank=True, max_length=10, verbose_name="phase")),
                ("done_records", models.PositiveIntegerField(default=0, verbose_name="records done")),
                ("reasons", models.JSONField(default=list, verbose_name="why it stopped")),
                ("seconds", models.JSONField(default=dict, verbose_name="seconds by phase")),
                ("counts", models.JSONField(default=dict, verbose_name="counts")),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
                "constraints": [models.UniqueConstraint(fields=("batch", "step", "number"), name="attempt_number_unique")],
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Waiting"), ("stopped", "Stopped"), ("applied", "Applied")],
                        default="pending",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("record_count", models.PositiveIntegerField(verbose_name="records")),
                ("record_sum", models.BigIntegerField(verbose_name="sum of records")),
                ("totals", models.JSONField(verbose_name="planned totals by book")),
                (
                    "records_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of its records"),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="the only member",
                    ),
                ),
                ("series", models.PositiveIntegerField(editable=False, null=True, verbose_name="number of its series")),
                (
                    "undoes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="ingestion_app.chunk",
                        verbose_name="undoes",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="ingestion_app.attempt",
                        verbose_name="attempt",
                    ),
                ),
                ("lease_token", models.PositiveIntegerField(default=0, verbose_name="fencing token")),
                ("applied_token", models.PositiveIntegerField(default=0, verbose_name="fencing token when it was applied")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="leased until")),
                ("leased_by", models.CharField(blank=True, max_length=120, verbose_name="leased by")),
                ("applied_at", models.DateTimeField(null=True, verbose_name="applied at")),
                ("reasons", models.JSONField(default=list, verbose_name="why it stopped")),
            ],
            options={
                "verbose_name": "chunk",
                "verbose_name_plural": "chunks",
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="chunk_number_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "stopped", "applied"])), name="chunk_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "applied"), _negated=True), ("applied_at__isnull", False), _connector="OR"
                        ),
                        name="chunk_applied_at_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "applied"), _negated=True),
                            ("applied_token", models.F("lease_token")),
                            _connector="OR",
                        ),
                        name="chunk_applied_by_last",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Record",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                ("offset", models.PositiveBigIntegerField(verbose_name="offset")),
                ("length", models.PositiveIntegerField(verbose_name="length")),
                (
                    "status",
                    models.CharField(
                        choices=[("planned", "To apply"), ("no_effect", "Without effect"), ("set_aside", "Set aside")],
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                (
                    "chunk",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="ingestion_app.chunk",
                        verbose_name="chunk",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=100, verbose_name="key")),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                ("amount", models.BigIntegerField(null=True, verbose_name="amount")),
                ("values", models.JSONField(null=True, verbose_name="values")),
            ],
            options={
                "verbose_name": "record",
                "verbose_name_plural": "records",
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "line"), name="record_line_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount__isnull", False),
                                ("chunk__isnull", False),
                                ("holder__isnull", False),
                                ("status", "planned"),
                            ),
                            models.Q(("chunk__isnull", True), ("status__in", ["no_effect", "set_aside"])),
                            _connector="OR",
                        ),
                        name="record_planned_is_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("severity", models.CharField(max_length=8, verbose_name="severity")),
                ("rule", models.CharField(max_length=40, verbose_name="rule")),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                ("column", models.PositiveIntegerField(verbose_name="column")),
                ("offset", models.PositiveBigIntegerField(verbose_name="offset")),
                ("raw", models.BinaryField(max_length=200, verbose_name="bytes")),
                ("facts", models.JSONField(verbose_name="facts")),
            ],
            options={
                "verbose_name": "finding",
                "verbose_name_plural": "findings",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["error", "alert", "warning", "note"])), name="finding_severity_known"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordsDigest",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="records_proof",
                        serialize=False,
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("record_count", models.PositiveIntegerField(verbose_name="records")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "digest of records",
                "verbose_name_plural": "digests of records",
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
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acknowledgements",
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "validation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acknowledgement",
                        to="ingestion_app.attempt",
                        verbose_name="validation",
                    ),
                ),
                ("alerts", models.PositiveIntegerField(verbose_name="alerts")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the alerts")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="acknowledged by",
                    ),
                ),
                ("acknowledged_at", models.DateTimeField(verbose_name="acknowledged at")),
            ],
            options={
                "verbose_name": "acknowledgement of alerts",
                "verbose_name_plural": "acknowledgements of alerts",
            },
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
        migrations.CreateModel(
            name="ValidationRequest",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="validation_request",
                        serialize=False,
                        to="ingestion_app.batch",
                        verbose_name="batch",
                    ),
                ),
                ("batch_version", models.PositiveIntegerField(verbose_name="version of the batch")),
                ("after_attempt", models.PositiveIntegerField(verbose_name="last attempt before")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
            ],
            options={
                "verbose_name": "validation that was asked for",
                "verbose_name_plural": "validations that were asked for",
            },
        ),
    ]
