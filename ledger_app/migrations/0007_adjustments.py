"""Adjustments, their decisions, limits and reason codes; and the triggers that keep them."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement

CONTENT = (
    *("id", "key", "book_id", "account_id", "contra_account_id", "amount", "effective_on", "reason_code_id", "text", "ticket"),
    *("waives_floor", "proposed_by_id", "proposed_at", "expires_at", "shown_digest"),
)
# By bytes: a comparison of texts passes over spaces at their end.
CHANGES_CONTENT = " OR ".join(f"HEX(OLD.{column}) <> HEX(NEW.{column})" for column in CONTENT)
APPROVALS = (
    "SELECT {what} FROM ledger_app_adjustmentdecision AS word WHERE word.adjustment_id = {of} AND word.decision = 'approved'"
)
IS_POSTED = "EXISTS (SELECT 1 FROM ledger_app_posting WHERE origin_kind = 'adjustment' AND origin_id = NEW.id)"
IS_DECIDED = (
    f"(EXISTS ({APPROVALS.format(what='1', of='NEW.id')} AND word.is_sole)"
    f" OR ({APPROVALS.format(what='COUNT(*)', of='NEW.id')}) >= 2)"
)
OWN_OR_LATE = (
    "NOT EXISTS (SELECT 1 FROM ledger_app_adjustment AS proposal WHERE proposal.id = NEW.adjustment_id"
    " AND proposal.proposed_by_id <> NEW.decided_by_id AND proposal.state IN ('proposed', 'endorsed'))"
)
SENT_ALREADY = (
    "NOT EXISTS (SELECT 1 FROM ledger_app_adjustment AS proposal WHERE proposal.id = NEW.adjustment_id"
    " AND proposal.state = 'proposed' AND proposal.version = 1)"
)


def refusals() -> list[tuple[str, str, str, str]]:
    """Return (name, event, table, condition) of each trigger."""
    proposal, word, file = ("ledger_app_adjustment", "ledger_app_adjustmentdecision", "ledger_app_attachment")
    return [
        ("kakutei_adjustment_no_delete", "DELETE", proposal, ""),
        ("kakutei_adjustment_begins_proposed", "INSERT", proposal, "NEW.state <> 'proposed' OR NEW.version <> 1"),
        ("kakutei_adjustment_says_the_same", "UPDATE", proposal, CHANGES_CONTENT),
        ("kakutei_adjustment_ended_no_update", "UPDATE", proposal, "OLD.state NOT IN ('proposed', 'endorsed')"),
        (
            "kakutei_adjustment_approved_and_posted",
            "UPDATE",
            proposal,
            f"NEW.state = 'approved' AND NOT ({IS_DECIDED} AND {IS_POSTED})",
        ),
        ("kakutei_adjustmentdecision_by_another", "INSERT", word, OWN_OR_LATE),
        ("kakutei_adjustmentdecision_no_update", "UPDATE", word, ""),
        ("kakutei_adjustmentdecision_no_delete", "DELETE", word, ""),
        ("kakutei_attachment_with_its_proposal", "INSERT", file, SENT_ALREADY),
        ("kakutei_attachment_no_update", "UPDATE", file, ""),
        ("kakutei_attachment_no_delete", "DELETE", file, ""),
        (
            "kakutei_posting_of_approved_adjustment",
            "INSERT",
            "ledger_app_posting",
            f"NEW.origin_kind = 'adjustment' AND NOT EXISTS ({APPROVALS.format(what='1', of='NEW.origin_id')})",
        ),
    ]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create every trigger of adjustments."""
    for name, event, table, condition in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger of adjustments."""
    for name, *_ in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    """Creates the tables of adjustments and their triggers."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ledger_app", "0006_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReasonCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=32, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("may_waive_floor", models.BooleanField(default=False, verbose_name="may break a floor")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ],
            options={
                "verbose_name": "reason code",
                "verbose_name_plural": "reason codes",
                "permissions": [("keep_reasoncode", "Can add reason codes and change them")],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, verbose_name="key")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("effective_on", models.DateField(verbose_name="date")),
                ("text", models.CharField(max_length=500, verbose_name="why")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("waives_floor", models.BooleanField(default=False, verbose_name="breaks a floor")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("expires_at", models.DateTimeField(verbose_name="to be decided until")),
                ("shown_digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("endorsed", "Approved once"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        default="proposed",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "contra_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="contra account",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                (
                    "reason_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "permissions": [
                    ("propose_adjustment", "Can propose adjustments"),
                    ("decide_adjustment", "Can approve and reject adjustments"),
                    ("expire_adjustment", "Can mark proposals that nobody decided in time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAdjustmentLimit",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("amount_most", models.BigIntegerField(verbose_name="decides up to")),
                ("two_deciders_above", models.BigIntegerField(verbose_name="by two above")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "book",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="auth.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical limit",
                "verbose_name_plural": "historical limits of adjustments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReasonCode",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("code", models.CharField(db_index=True, max_length=32, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("may_waive_floor", models.BooleanField(default=False, verbose_name="may break a floor")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
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
                "verbose_name": "historical reason code",
                "verbose_name_plural": "historical reason codes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalContraAccount",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="contra account",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "reason_code",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical contra account",
                "verbose_name_plural": "historical contra accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalAdjustment",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("key", models.CharField(max_length=64, verbose_name="key")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("effective_on", models.DateField(verbose_name="date")),
                ("text", models.CharField(max_length=500, verbose_name="why")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("waives_floor", models.BooleanField(default=False, verbose_name="breaks a floor")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("expires_at", models.DateTimeField(verbose_name="to be decided until")),
                ("shown_digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("endorsed", "Approved once"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        default="proposed",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "contra_account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="contra account",
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
                    "reason_code",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical adjustment",
                "verbose_name_plural": "historical adjustments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="AdjustmentDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(
                        choices=[("approved", "Approved"), ("rejected", "Rejected")], max_length=8, verbose_name="decision"
                    ),
                ),
                ("is_sole", models.BooleanField(default=False, verbose_name="sole")),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note")),
                ("version", models.PositiveIntegerField(verbose_name="version shown")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest")),
                (
                    "adjustment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="ledger_app.adjustment",
                        verbose_name="adjustment",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "constraints": [
                    models.UniqueConstraint(fields=("adjustment", "decided_by"), name="adjustment_decision_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["approved", "rejected"])), name="adjustment_decision_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decision", "rejected"), ("digest__isnull", False), _connector="OR"),
                        name="adjustment_approval_covers",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AdjustmentLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_most", models.BigIntegerField(verbose_name="decides up to")),
                ("two_deciders_above", models.BigIntegerField(verbose_name="by two above")),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.book", verbose_name="book"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                        verbose_name="group",
                    ),
                ),
            ],
            options={
                "verbose_name": "limit",
                "verbose_name_plural": "limits of adjustments",
                "permissions": [("set_adjustmentlimit", "Can set the limits of adjustments")],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "book"), name="adjustment_limit_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_most__gte", models.F("two_deciders_above")),
                            ("amount_most__lte", 1000000000000000),
                            ("two_deciders_above__gte", 0),
                        ),
                        name="adjustment_limit_rises",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("media_type", models.CharField(max_length=100, verbose_name="media type")),
                ("size", models.PositiveBigIntegerField(verbose_name="bytes")),
                ("sha256", ledger_app.models.fields.DigestField(max_length=32, verbose_name="SHA-256")),
                (
                    "adjustment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="ledger_app.adjustment",
                        verbose_name="adjustment",
                    ),
                ),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "constraints": [
                    models.UniqueConstraint(fields=("adjustment", "name"), name="attachment_name_unique"),
                    models.CheckConstraint(condition=models.Q(("size__gte", 1)), name="attachment_not_empty"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContraAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="contra account",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.book", verbose_name="book"
                    ),
                ),
                (
                    "reason_code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contra_accounts",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
            ],
            options={
                "verbose_name": "contra account",
                "verbose_name_plural": "contra accounts",
                "constraints": [models.UniqueConstraint(fields=("reason_code", "book"), name="contra_account_unique")],
            },
        ),
        migrations.AddIndex(
            model_name="adjustment",
            index=models.Index(fields=["state", "expires_at"], name="adjustment_state"),
        ),
        migrations.AddIndex(
            model_name="adjustment",
            index=models.Index(fields=["ticket"], name="adjustment_ticket"),
        ),
        migrations.AddIndex(
            model_name="adjustment",
            index=models.Index(fields=["book", "effective_on"], name="adjustment_dated"),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.UniqueConstraint(fields=("proposed_by", "key"), name="adjustment_key_unique"),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount", 0), _negated=True), ("amount__gte", -1000000000000000), ("amount__lte", 1000000000000000)
                ),
                name="adjustment_amount_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("account", models.F("contra_account")), _negated=True), name="adjustment_accounts_differ"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(condition=models.Q(("text", ""), _negated=True), name="adjustment_text_given"),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "endorsed", "approved", "rejected", "withdrawn", "expired"])),
                name="adjustment_state_known",
            ),
        ),
        migrations.RunPython(create, drop, atomic=False),
    ]
