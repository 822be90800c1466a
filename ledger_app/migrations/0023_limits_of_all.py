"""Limits of what all decide together and of reason codes; what is decided beside adjustments counts against them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

IN_SUM = models.CheckConstraint(
    condition=models.Q(
        ("window_days__gte", 1),
        ("window_days__lte", 366),
        models.Q(("day_most__isnull", True), ("day_most__gte", 0), _connector="OR"),
        models.Q(("member_day_most__isnull", True), ("member_day_most__gte", 0), _connector="OR"),
        models.Q(("all_day_most__isnull", True), ("all_day_most__gte", 0), _connector="OR"),
    ),
    name="adjustment_limit_in_sum",
)


def unique(*fields: str, name: str) -> migrations.AddConstraint:
    """Return the addition of a unique key of limits."""
    return migrations.AddConstraint("adjustmentlimit", models.UniqueConstraint(fields=fields, name=name))


class Migration(migrations.Migration):
    """Creates the table, and widens the limits."""

    atomic = False
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ledger_app", "0022_requests_of_programs"),
    ]

    operations = [
        migrations.CreateModel(
            name="DecidedAmount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("batch", "Batch"), ("reversal", "Reversal")], max_length=8, verbose_name="kind"),
                ),
                ("subject_id", models.PositiveBigIntegerField(verbose_name="number")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                ("voided_at", models.DateTimeField(null=True, verbose_name="void since")),
            ],
            options={
                "verbose_name": "decided amount",
                "verbose_name_plural": "decided amounts",
            },
        ),
        migrations.RemoveConstraint(
            model_name="adjustmentlimit",
            name="adjustment_limit_in_sum",
        ),
        migrations.AddField(
            model_name="adjustmentlimit",
            name="all_day_most",
            field=models.BigIntegerField(null=True, verbose_name="all together on one day up to"),
        ),
        migrations.AddField(
            model_name="adjustmentlimit",
            name="member_day_most",
            field=models.BigIntegerField(null=True, verbose_name="all together, for one member on one day up to"),
        ),
        migrations.AddField(
            model_name="adjustmentlimit",
            name="reason_code",
            field=models.CharField(blank=True, default="", max_length=32, verbose_name="reason code"),
        ),
        migrations.AddField(
            model_name="historicaladjustmentlimit",
            name="all_day_most",
            field=models.BigIntegerField(null=True, verbose_name="all together on one day up to"),
        ),
        migrations.AddField(
            model_name="historicaladjustmentlimit",
            name="member_day_most",
            field=models.BigIntegerField(null=True, verbose_name="all together, for one member on one day up to"),
        ),
        migrations.AddField(
            model_name="historicaladjustmentlimit",
            name="reason_code",
            field=models.CharField(blank=True, default="", max_length=32, verbose_name="reason code"),
        ),
        # The old key goes last, as the group's foreign key rests on it; then the new one gets its name.
        unique("group", "book", "reason_code", name="adjustment_limit_unique_anew"),
        migrations.RemoveConstraint("adjustmentlimit", "adjustment_limit_unique"),
        unique("group", "book", "reason_code", name="adjustment_limit_unique"),
        migrations.RemoveConstraint("adjustmentlimit", "adjustment_limit_unique_anew"),
        migrations.AddConstraint("adjustmentlimit", IN_SUM),
        migrations.AddField(
            model_name="decidedamount",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.account", verbose_name="account"
            ),
        ),
        migrations.AddField(
            model_name="decidedamount",
            name="book",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.book",
                verbose_name="book",
            ),
        ),
        migrations.AddField(
            model_name="decidedamount",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="decidedamount",
            name="reason_code",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger_app.reasoncode",
                verbose_name="reason code",
            ),
        ),
        migrations.AddIndex(
            model_name="decidedamount",
            index=models.Index(fields=["kind", "subject_id"], name="decided_amount_of"),
        ),
        migrations.AddIndex(
            model_name="decidedamount",
            index=models.Index(fields=["book", "decided_at"], name="decided_amount_at"),
        ),
        migrations.AddConstraint(
            model_name="decidedamount",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["batch", "reversal"])), name="decided_amount_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="decidedamount",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gte", 1)), name="decided_amount_above_zero"),
        ),
    ]
