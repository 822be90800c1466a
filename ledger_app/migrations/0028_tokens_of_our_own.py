"""Tokens by their digests, many for a user; the table of plain keys goes, and with it every key that was given out."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import ledger_app.models.fields

OLD = "authtoken_token"


def drop_old(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the table of the application that is no part of this any more: it has keys as they are sent. A new database has none."""
    if OLD in schema_editor.connection.introspection.table_names():
        schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(OLD)}")


class Migration(migrations.Migration):
    """Creates the tokens, and drops those that were."""

    atomic = False

    dependencies = [
        ("ledger_app", "0027_rights_by_two"),
    ]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("prefix", models.CharField(max_length=16, verbose_name="beginning of the key")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("operations", models.JSONField(blank=True, null=True, verbose_name="operations")),
                ("books", models.JSONField(blank=True, null=True, verbose_name="books")),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                ("ends_at", models.DateTimeField(verbose_name="ends at")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("revoked", "Revoked"),
                            ("password", "The password was changed"),
                            ("disabled", "The user was disabled"),
                            ("administrator", "The user may do everything"),
                        ],
                        default="",
                        max_length=16,
                        verbose_name="why it ended",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="ended by",
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="issued by",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="ledger_app.token",
                        verbose_name="replaces",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "token",
                "verbose_name_plural": "tokens",
                "permissions": [("give_token", "Can issue tokens to programs, and end anybody's")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("digest",), name="token_digest_unique"),
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="token_name_given"),
                    models.CheckConstraint(condition=models.Q(("ends_at__gte", models.F("issued_at"))), name="token_ends_later"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True), ("ending", "")),
                            models.Q(
                                ("ended_at__isnull", False), ("ended_by__isnull", False), models.Q(("ending", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="token_ending_whole",
                    ),
                ],
            },
        ),
        migrations.RunPython(drop_old, migrations.RunPython.noop, atomic=False),
    ]
