"""Rights are given by two, and looked through every half year."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

# SQLite makes a table anew to alter it, and the old one's triggers go with it.
create = import_module("ledger_app.migrations.0021_changes_of_settings").create


class Migration(migrations.Migration):
    """Creates the reviews, and lets changes of settings be of rights."""

    atomic = False
    dependencies = [
        ("ledger_app", "0026_signing_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the grants")),
                ("grant_count", models.PositiveIntegerField(verbose_name="grants")),
                ("own", models.JSONField(default=list, verbose_name="given alone by who signed")),
                ("note", models.CharField(max_length=500, verbose_name="note")),
                ("signed_at", models.DateTimeField(verbose_name="signed off at")),
            ],
            options={
                "verbose_name": "access review",
                "verbose_name_plural": "access reviews",
                "permissions": [
                    ("look_accessreview", "Can look at access reviews"),
                    ("sign_accessreview", "Can sign access reviews off"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="settingchange",
            name="setting_change_kind_known",
        ),
        migrations.AddField(
            model_name="user",
            name="decider_ended_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="ended by",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="secret_known_to",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="password set by",
            ),
        ),
        migrations.AlterField(
            model_name="historicalsettingchange",
            name="kind",
            field=models.CharField(
                choices=[
                    ("limit", "Limit of adjustments"),
                    ("reason_code", "Reason code"),
                    ("template", "Account template"),
                    ("lot_rule", "Rule of lots"),
                    ("hold_rule", "Rule of holds"),
                    ("rights", "Rights of a user"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="settingchange",
            name="kind",
            field=models.CharField(
                choices=[
                    ("limit", "Limit of adjustments"),
                    ("reason_code", "Reason code"),
                    ("template", "Account template"),
                    ("lot_rule", "Rule of lots"),
                    ("hold_rule", "Rule of holds"),
                    ("rights", "Rights of a user"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="settingchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["limit", "reason_code", "template", "lot_rule", "hold_rule", "rights"])),
                name="setting_change_kind_known",
            ),
        ),
        migrations.AddField(
            model_name="accessreview",
            name="signed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="signed off by",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(condition=models.Q(("note", ""), _negated=True), name="access_review_note_given"),
        ),
        migrations.RunPython(create, migrations.RunPython.noop, atomic=False),
    ]
