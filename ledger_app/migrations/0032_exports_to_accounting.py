"""Profiles of exports to accounting, their versions, and what was handed over; profiles are settings that two people change."""

from importlib import import_module
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields

# SQLite makes a table anew to alter it, and the old one's triggers go with it.
create = import_module("ledger_app.migrations.0021_changes_of_settings").create
KINDS = [
    ("limit", "Limit of adjustments"),
    ("reason_code", "Reason code"),
    ("template", "Account template"),
    ("lot_rule", "Rule of lots"),
    ("hold_rule", "Rule of holds"),
    ("profile", "Profile of an export"),
    ("rights", "Rights of a user"),
]


def link(to: str, name: str, **more: Any) -> models.ForeignKey:
    return models.ForeignKey(
        **{"on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": to, "verbose_name": name, **more}
    )


def number() -> tuple[str, models.Field]:
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    """Creates the profiles, their versions and the exports, and lets changes of settings be of profiles."""

    atomic = False

    dependencies = [
        ("ledger_app", "0031_postings_of_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                number(),
                ("name", models.CharField(max_length=32, verbose_name="name")),
                ("book", link("ledger_app.book", "book", related_name="profiles", db_index=False)),
            ],
            options={
                "verbose_name": "profile",
                "verbose_name_plural": "profiles",
                "permissions": [("set_profile", "Can set how entries are handed to accounting")],
                "constraints": [models.UniqueConstraint(fields=("book", "name"), name="profile_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="ProfileVersion",
            fields=[
                number(),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("text", models.TextField(verbose_name="definition")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("set_at", models.DateTimeField(verbose_name="set at")),
                ("profile", link("ledger_app.profile", "profile", related_name="versions", db_index=False)),
                ("set_by", link(settings.AUTH_USER_MODEL, "set by")),
            ],
            options={
                "verbose_name": "profile version",
                "verbose_name_plural": "profile versions",
                "constraints": [models.UniqueConstraint(fields=("profile", "number"), name="profile_version_unique")],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                number(),
                ("fiscal_year", models.PositiveSmallIntegerField(verbose_name="fiscal year")),
                ("first_slip", models.PositiveIntegerField(verbose_name="first slip")),
                ("next_slip", models.PositiveIntegerField(verbose_name="slip after the last")),
                ("row_count", models.PositiveIntegerField(verbose_name="rows")),
                ("sha256", ledger_app.models.fields.DigestField(max_length=32, verbose_name="SHA-256 of the file")),
                ("manifest", models.JSONField(verbose_name="manifest")),
                ("handed_over_at", models.DateTimeField(verbose_name="handed over at")),
                ("handed_over_by", link(settings.AUTH_USER_MODEL, "handed over by")),
                ("period", link("ledger_app.period", "period", related_name="exports")),
                ("profile", link("ledger_app.profile", "profile", related_name="exports", db_index=False)),
                ("seal", link("ledger_app.seal", "seal")),
                ("version", link("ledger_app.profileversion", "profile version")),
            ],
            options={
                "verbose_name": "export to accounting",
                "verbose_name_plural": "exports to accounting",
                "permissions": [("hand_over", "Can hand a frozen period over to accounting")],
                "constraints": [
                    models.UniqueConstraint(fields=("profile", "period"), name="export_period_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first_slip__gte", 1), ("next_slip__gte", models.F("first_slip"))),
                        name="export_slips_forward",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="settingchange", name="setting_change_kind_known"),
        migrations.AlterField(
            model_name="historicalsettingchange",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=12, verbose_name="kind"),
        ),
        migrations.AlterField(
            model_name="settingchange",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=12, verbose_name="kind"),
        ),
        migrations.AddConstraint(
            model_name="settingchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", [name for name, _label in KINDS])), name="setting_change_kind_known"
            ),
        ),
        migrations.RunPython(create, migrations.RunPython.noop, atomic=False),
    ]
