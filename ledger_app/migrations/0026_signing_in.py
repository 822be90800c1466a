"""What signing in rests on: failed tries by their name here, second factors and the codes in their place, and what ends a user's sessions."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields
import ledger_app.models.people


class Migration(migrations.Migration):
    dependencies = [
        ("axes", "0010_accessattemptexpiration"),
        ("ledger_app", "0025_names_folded"),
    ]

    operations = [
        migrations.CreateModel(
            name="FailedTry",
            fields=[],
            options={
                "verbose_name": "failed try to sign in",
                "verbose_name_plural": "failed tries to sign in",
                "proxy": True,
                "default_permissions": ("view",),
                "indexes": [],
                "constraints": [],
            },
            bases=("axes.accessattempt",),
        ),
        migrations.AddField(
            model_name="user",
            name="session_generation",
            field=ledger_app.models.people.Generation(default=0, editable=False, verbose_name="generation of sessions"),
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "recovery code",
                "verbose_name_plural": "recovery codes",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user", "digest"), name="recovery_code_unique")],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("app", "App with codes"), ("passkey", "Passkey")], max_length=8, verbose_name="kind"
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("key_name", models.CharField(blank=True, default="", max_length=16, verbose_name="key")),
                ("content", models.BinaryField(max_length=2000, verbose_name="content")),
                (
                    "credential_digest",
                    ledger_app.models.fields.DigestField(
                        blank=True, max_length=32, null=True, verbose_name="digest of the credential"
                    ),
                ),
                ("step", models.BigIntegerField(default=0, verbose_name="step")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="wrong codes")),
                ("added_at", models.DateTimeField(verbose_name="added at")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_factors",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "second factor",
                "verbose_name_plural": "second factors",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("credential_digest",), name="second_factor_credential_unique"),
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="second_factor_name_given"),
                    models.CheckConstraint(condition=models.Q(("step__gte", 0)), name="second_factor_step_forward"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("credential_digest__isnull", True), ("kind", "app"), models.Q(("key_name", ""), _negated=True)
                            ),
                            models.Q(("credential_digest__isnull", False), ("key_name", ""), ("kind", "passkey")),
                            _connector="OR",
                        ),
                        name="second_factor_kind_whole",
                    ),
                ],
            },
        ),
    ]
