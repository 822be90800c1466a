"""The ledger's tables as a new database gets them."""

import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import ledger_app.models.fields
import ledger_app.models.people


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("axes", "0010_accessattemptexpiration"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "secret_known_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="password set by",
                    ),
                ),
                (
                    "decider_ended_by",
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
                    "username_folded",
                    ledger_app.models.people.FoldedName(editable=False, max_length=150, verbose_name="name, folded"),
                ),
                (
                    "session_generation",
                    ledger_app.models.people.Generation(default=0, editable=False, verbose_name="generation of sessions"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "constraints": [
                    models.UniqueConstraint(fields=("username_folded",), name="user_folded_unique"),
                    models.CheckConstraint(condition=models.Q(("username_folded", ""), _negated=True), name="user_folded_given"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("username_folded", django.db.models.functions.text.Lower("username")),
                            django.db.models.lookups.GreaterThan(
                                ledger_app.models.people.Bytes("username"), django.db.models.functions.text.Length("username")
                            ),
                            _connector="OR",
                        ),
                        name="user_folded_follows",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalUser",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        db_index=True,
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
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
                "verbose_name": "historical user",
                "verbose_name_plural": "historical users",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalUser_user_permissions",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
                (
                    "history",
                    models.ForeignKey(
                        db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to="ledger_app.historicaluser"
                    ),
                ),
                ("m2m_history_id", models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "HistoricalUser_user_permissions",
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalUser_groups",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_tablespace="",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "history",
                    models.ForeignKey(
                        db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to="ledger_app.historicaluser"
                    ),
                ),
                ("m2m_history_id", models.AutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "HistoricalUser_groups",
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="FailedTry",
            fields=[],
            options={
                "verbose_name": "failed try to sign in",
                "verbose_name_plural": "failed tries to sign in",
                "proxy": True,
                "default_permissions": ("view",),
            },
            bases=("axes.accessattempt",),
        ),
        migrations.CreateModel(
            name="Holder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_from",
                        to="ledger_app.holder",
                        verbose_name="merged into",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
            ],
            options={
                "verbose_name": "member",
                "verbose_name_plural": "members",
                "permissions": [("register_holder", "Can register members")],
                "indexes": [models.Index(fields=["name"], name="holder_name")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalHolder",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="merged into",
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
                "verbose_name": "historical member",
                "verbose_name_plural": "historical members",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Identifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20, verbose_name="kind")),
                ("value", models.CharField(max_length=64, verbose_name="value")),
                ("key_name", models.CharField(blank=True, default="", max_length=16, verbose_name="key")),
                ("last_four", models.CharField(blank=True, default="", max_length=4, verbose_name="last four")),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identifiers",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                ("active_from", models.DateField(blank=True, null=True, verbose_name="active from")),
                ("active_to", models.DateField(blank=True, null=True, verbose_name="active to")),
            ],
            options={
                "verbose_name": "identifier",
                "verbose_name_plural": "identifiers",
                "permissions": [("change_identifiers", "Can give identifiers to members and end them")],
                "indexes": [models.Index(fields=["last_four"], name="identifier_last_four")],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "value"), name="identifier_unique"),
                    models.CheckConstraint(condition=models.Q(("value", ""), _negated=True), name="identifier_value_given"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("active_from__isnull", True),
                            ("active_to__isnull", True),
                            ("active_from__lte", models.F("active_to")),
                            _connector="OR",
                        ),
                        name="identifier_span_forward",
                    ),
                    models.CheckConstraint(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalBook",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("code", models.CharField(db_index=True, max_length=20, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("unit", models.CharField(max_length=12, verbose_name="unit")),
                ("exponent", models.PositiveSmallIntegerField(default=0, verbose_name="decimals of the unit")),
                ("time_zone", models.CharField(max_length=64, verbose_name="time zone")),
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
                "verbose_name": "historical book",
                "verbose_name_plural": "historical books",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Book",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("unit", models.CharField(max_length=12, verbose_name="unit")),
                ("exponent", models.PositiveSmallIntegerField(default=0, verbose_name="decimals of the unit")),
                ("time_zone", models.CharField(max_length=64, verbose_name="time zone")),
            ],
            options={
                "verbose_name": "book",
                "verbose_name_plural": "books",
                "permissions": [("open_book", "Can open books, their periods and accounts, and say which accounts members get")],
                "constraints": [models.CheckConstraint(condition=models.Q(("exponent__lte", 6)), name="book_exponent_small")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalPeriod",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(max_length=20, verbose_name="name")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("provisional", "Provisional"), ("frozen", "Frozen")],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
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
                "verbose_name": "historical period",
                "verbose_name_plural": "historical periods",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Period",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("name", models.CharField(max_length=20, verbose_name="name")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("provisional", "Provisional"), ("frozen", "Frozen")],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ],
            options={
                "verbose_name": "period",
                "verbose_name_plural": "periods",
                "permissions": [
                    ("close_period", "Can mark a period provisional and reopen it"),
                    ("freeze_period", "Can freeze a period"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("book", "starts_on"), name="period_start_unique"),
                    models.UniqueConstraint(fields=("book", "name"), name="period_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("starts_on__lte", models.F("ends_on"))), name="period_span_forward"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "provisional", "frozen"])), name="period_state_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seals",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "period",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seal",
                        to="ledger_app.period",
                        verbose_name="period",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                (
                    "previous",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next",
                        to="ledger_app.seal",
                        verbose_name="previous seal",
                    ),
                ),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("form", models.CharField(max_length=20, verbose_name="canonical form")),
                ("entry_count", models.PositiveBigIntegerField(verbose_name="entries")),
                ("line_count", models.PositiveBigIntegerField(verbose_name="lines")),
                ("debit_total", models.BigIntegerField(verbose_name="sum of debits")),
                ("trial_balance", models.JSONField(verbose_name="trial balance")),
                ("controls", models.JSONField(verbose_name="control totals")),
                ("code_version", models.CharField(max_length=64, verbose_name="code version")),
                (
                    "sealed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sealed by",
                    ),
                ),
                ("sealed_at", models.DateTimeField(verbose_name="sealed at")),
            ],
            options={
                "verbose_name": "seal",
                "verbose_name_plural": "seals",
                "constraints": [
                    models.UniqueConstraint(fields=("book", "number"), name="seal_number_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", 1), ("previous__isnull", True)),
                            models.Q(("number__gt", 1), ("previous__isnull", False)),
                            _connector="OR",
                        ),
                        name="seal_chained",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalClosePolicy",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("provisional_after_hours", models.PositiveIntegerField(verbose_name="provisional after so many hours")),
                ("freeze_after_hours", models.PositiveIntegerField(verbose_name="frozen after so many hours at the earliest")),
                ("months_ahead", models.PositiveSmallIntegerField(verbose_name="months opened ahead")),
                ("controls", models.JSONField(verbose_name="control totals that a freeze needs")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
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
                "verbose_name": "historical policy of the close",
                "verbose_name_plural": "historical policies of the close",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ClosePolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="close_policy",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("provisional_after_hours", models.PositiveIntegerField(verbose_name="provisional after so many hours")),
                ("freeze_after_hours", models.PositiveIntegerField(verbose_name="frozen after so many hours at the earliest")),
                ("months_ahead", models.PositiveSmallIntegerField(verbose_name="months opened ahead")),
                ("controls", models.JSONField(verbose_name="control totals that a freeze needs")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ],
            options={
                "verbose_name": "policy of the close",
                "verbose_name_plural": "policies of the close",
                "permissions": [
                    ("set_close_policy", "Can set the policies of the close"),
                    ("keep_close_times", "Can mark periods provisional whose time is over"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("freeze_after_hours__gte", models.F("provisional_after_hours"))),
                        name="closepolicy_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAccount",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("equity", "Equity"),
                            ("income", "Income"),
                            ("expense", "Expense"),
                        ],
                        max_length=10,
                        verbose_name="category",
                    ),
                ),
                ("floor", models.BigIntegerField(blank=True, null=True, verbose_name="floor")),
                ("stripes", models.PositiveSmallIntegerField(default=1, verbose_name="stripes")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("suspended", "Suspended"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("keeps_lots", models.BooleanField(default=False, verbose_name="keeps lots")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
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
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member",
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
                "verbose_name": "historical account",
                "verbose_name_plural": "historical accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("code", models.CharField(max_length=64, verbose_name="code")),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("equity", "Equity"),
                            ("income", "Income"),
                            ("expense", "Expense"),
                        ],
                        max_length=10,
                        verbose_name="category",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                ("floor", models.BigIntegerField(blank=True, null=True, verbose_name="floor")),
                ("stripes", models.PositiveSmallIntegerField(default=1, verbose_name="stripes")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("suspended", "Suspended"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("keeps_lots", models.BooleanField(default=False, verbose_name="keeps lots")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "permissions": [("suspend_account", "Can suspend accounts"), ("close_account", "Can reopen and close accounts")],
                "indexes": [
                    models.Index(fields=["book", "state"], name="account_state"),
                    models.Index(fields=["book", "role"], name="account_role"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("book", "code"), name="account_code_unique"),
                    models.UniqueConstraint(fields=("holder", "book", "role"), name="account_role_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ["asset", "liability", "equity", "income", "expense"])),
                        name="account_category_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "suspended", "closed"])), name="account_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stripes__gte", 1), ("stripes__lte", 64)), name="account_stripes_in_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stripes", 1), ("floor__isnull", True), _connector="OR"),
                        name="account_floor_not_striped",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("keeps_lots", False),
                            models.Q(("stripes", 1), models.Q(("floor__isnull", True), ("floor__lte", 0), _connector="OR")),
                            _connector="OR",
                        ),
                        name="account_lots_expire_freely",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAccountTemplate",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("equity", "Equity"),
                            ("income", "Income"),
                            ("expense", "Expense"),
                        ],
                        max_length=10,
                        verbose_name="category",
                    ),
                ),
                ("floor", models.BigIntegerField(blank=True, null=True, verbose_name="floor")),
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
                "verbose_name": "historical account template",
                "verbose_name_plural": "historical account templates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="AccountTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="templates",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("role", models.CharField(max_length=32, verbose_name="role")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("equity", "Equity"),
                            ("income", "Income"),
                            ("expense", "Expense"),
                        ],
                        max_length=10,
                        verbose_name="category",
                    ),
                ),
                ("floor", models.BigIntegerField(blank=True, null=True, verbose_name="floor")),
            ],
            options={
                "verbose_name": "account template",
                "verbose_name_plural": "account templates",
                "constraints": [
                    models.UniqueConstraint(fields=("book", "role"), name="template_role_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ["asset", "liability", "equity", "income", "expense"])),
                        name="template_category_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                ("stripe", models.PositiveSmallIntegerField(verbose_name="stripe")),
                ("amount", models.BigIntegerField(default=0, verbose_name="amount")),
                ("sequence", models.PositiveBigIntegerField(default=0, verbose_name="sequence")),
                ("last_on", models.DateField(null=True, verbose_name="latest date of its lines")),
            ],
            options={
                "verbose_name": "balance",
                "verbose_name_plural": "balances",
                "constraints": [
                    models.UniqueConstraint(fields=("account", "stripe"), name="balance_stripe_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "id",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("account_id"), "*", models.Value(64)
                                    ),
                                    "+",
                                    models.F("stripe"),
                                ),
                            )
                        ),
                        name="balance_key_computed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gt", 0), ("amount", 0), _connector="OR"), name="balance_unused_is_zero"
                    ),
                ],
            },
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
            name="HistoricalContraAccount",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
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
                "verbose_name": "historical contra account",
                "verbose_name_plural": "historical contra accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ContraAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.book", verbose_name="book"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="contra account",
                    ),
                ),
            ],
            options={
                "verbose_name": "contra account",
                "verbose_name_plural": "contra accounts",
                "constraints": [models.UniqueConstraint(fields=("reason_code", "book"), name="contra_account_unique")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAdjustmentLimit",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("amount_most", models.BigIntegerField(verbose_name="decides up to")),
                ("two_deciders_above", models.BigIntegerField(verbose_name="by two above")),
                ("window_days", models.PositiveSmallIntegerField(default=30, verbose_name="in sum over days")),
                ("day_most", models.BigIntegerField(null=True, verbose_name="on one day up to")),
                (
                    "member_day_most",
                    models.BigIntegerField(null=True, verbose_name="all together, for one member on one day up to"),
                ),
                ("all_day_most", models.BigIntegerField(null=True, verbose_name="all together on one day up to")),
                ("reason_code", models.CharField(blank=True, default="", max_length=32, verbose_name="reason code")),
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
                "verbose_name": "historical limit",
                "verbose_name_plural": "historical limits of adjustments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="AdjustmentLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.book", verbose_name="book"
                    ),
                ),
                ("amount_most", models.BigIntegerField(verbose_name="decides up to")),
                ("two_deciders_above", models.BigIntegerField(verbose_name="by two above")),
                ("window_days", models.PositiveSmallIntegerField(default=30, verbose_name="in sum over days")),
                ("day_most", models.BigIntegerField(null=True, verbose_name="on one day up to")),
                (
                    "member_day_most",
                    models.BigIntegerField(null=True, verbose_name="all together, for one member on one day up to"),
                ),
                ("all_day_most", models.BigIntegerField(null=True, verbose_name="all together on one day up to")),
                ("reason_code", models.CharField(blank=True, default="", max_length=32, verbose_name="reason code")),
            ],
            options={
                "verbose_name": "limit",
                "verbose_name_plural": "limits of adjustments",
                "permissions": [("set_adjustmentlimit", "Can set the limits of adjustments")],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "book", "reason_code"), name="adjustment_limit_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_most__gte", models.F("two_deciders_above")),
                            ("amount_most__lte", 1000000000000000),
                            ("two_deciders_above__gte", 0),
                        ),
                        name="adjustment_limit_rises",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("window_days__gte", 1),
                            ("window_days__lte", 366),
                            models.Q(("day_most__isnull", True), ("day_most__gte", 0), _connector="OR"),
                            models.Q(("member_day_most__isnull", True), ("member_day_most__gte", 0), _connector="OR"),
                            models.Q(("all_day_most__isnull", True), ("all_day_most__gte", 0), _connector="OR"),
                        ),
                        name="adjustment_limit_in_sum",
                    ),
                ],
            },
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
                "verbose_name": "historical adjustment",
                "verbose_name_plural": "historical adjustments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, verbose_name="key")),
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
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="ledger_app.account",
                        verbose_name="account",
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
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("effective_on", models.DateField(verbose_name="date")),
                (
                    "reason_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
                ("text", models.CharField(max_length=500, verbose_name="why")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("waives_floor", models.BooleanField(default=False, verbose_name="breaks a floor")),
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
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "permissions": [
                    ("propose_adjustment", "Can propose adjustments"),
                    ("decide_adjustment", "Can approve and reject adjustments"),
                    ("expire_adjustment", "Can mark proposals that nobody decided in time"),
                ],
                "indexes": [
                    models.Index(fields=["state", "expires_at"], name="adjustment_state"),
                    models.Index(fields=["ticket"], name="adjustment_ticket"),
                    models.Index(fields=["book", "effective_on"], name="adjustment_dated"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("proposed_by", "key"), name="adjustment_key_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", 0), _negated=True),
                            ("amount__gte", -1000000000000000),
                            ("amount__lte", 1000000000000000),
                        ),
                        name="adjustment_amount_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account", models.F("contra_account")), _negated=True),
                        name="adjustment_accounts_differ",
                    ),
                    models.CheckConstraint(condition=models.Q(("text", ""), _negated=True), name="adjustment_text_given"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "endorsed", "approved", "rejected", "withdrawn", "expired"])
                        ),
                        name="adjustment_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AdjustmentDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                    "decision",
                    models.CharField(
                        choices=[("approved", "Approved"), ("rejected", "Rejected")], max_length=8, verbose_name="decision"
                    ),
                ),
                ("is_sole", models.BooleanField(default=False, verbose_name="sole")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note")),
                ("version", models.PositiveIntegerField(verbose_name="version shown")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest")),
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
            name="DecidedAmount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("batch", "Batch"), ("reversal", "Reversal")], max_length=8, verbose_name="kind"),
                ),
                ("subject_id", models.PositiveBigIntegerField(verbose_name="number")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "reason_code",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.reasoncode",
                        verbose_name="reason code",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                ("voided_at", models.DateTimeField(null=True, verbose_name="void since")),
            ],
            options={
                "verbose_name": "decided amount",
                "verbose_name_plural": "decided amounts",
                "indexes": [
                    models.Index(fields=["kind", "subject_id"], name="decided_amount_of"),
                    models.Index(fields=["book", "decided_at"], name="decided_amount_at"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["batch", "reversal"])), name="decided_amount_kind_known"
                    ),
                    models.CheckConstraint(condition=models.Q(("amount__gte", 1)), name="decided_amount_above_zero"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("media_type", models.CharField(max_length=100, verbose_name="media type")),
                ("size", models.PositiveBigIntegerField(verbose_name="bytes")),
                ("sha256", ledger_app.models.fields.DigestField(max_length=32, verbose_name="SHA-256")),
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
            name="AuditRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_type", models.CharField(max_length=20, verbose_name="of")),
                ("subject_id", models.PositiveBigIntegerField(verbose_name="number")),
                ("subject", models.CharField(max_length=120, verbose_name="what")),
                ("action", models.CharField(max_length=30, verbose_name="action")),
                (
                    "outcome",
                    models.CharField(choices=[("done", "Done"), ("refused", "Refused")], max_length=8, verbose_name="outcome"),
                ),
                ("from_state", models.CharField(blank=True, max_length=12, verbose_name="from")),
                ("to_state", models.CharField(blank=True, max_length=12, verbose_name="to")),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("reasons", models.JSONField(default=list, verbose_name="why refused")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                ("door", models.CharField(max_length=12, verbose_name="door")),
                ("request", models.CharField(blank=True, max_length=64, verbose_name="request")),
                ("os_user", models.CharField(blank=True, max_length=64, verbose_name="system user")),
                ("host", models.CharField(blank=True, max_length=64, verbose_name="host")),
            ],
            options={
                "verbose_name": "audit row",
                "verbose_name_plural": "audit rows",
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
                    models.Index(fields=["outcome"], name="audit_outcome"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("finished_at", models.DateTimeField(verbose_name="finished at")),
                ("breaches", models.PositiveIntegerField(verbose_name="breaches")),
                ("results", models.JSONField(verbose_name="results")),
            ],
            options={
                "verbose_name": "verification",
                "verbose_name_plural": "verifications",
                "permissions": [("run_verification", "Can run the verification")],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "origin_kind",
                    models.CharField(
                        choices=[
                            ("chunk", "Chunk of a batch"),
                            ("reversal", "Reversal"),
                            ("adjustment", "Adjustment"),
                            ("expiry", "Expiry"),
                            ("merge", "Merge"),
                            ("hold", "Hold"),
                            ("submission", "Request of a program"),
                        ],
                        max_length=12,
                        verbose_name="origin",
                    ),
                ),
                ("origin_id", models.PositiveBigIntegerField(verbose_name="origin's number")),
                (
                    "posted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="posted by",
                    ),
                ),
                ("posted_at", models.DateTimeField(verbose_name="posted at")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("entry_count", models.PositiveIntegerField(verbose_name="entries")),
                ("line_count", models.PositiveIntegerField(verbose_name="lines")),
            ],
            options={
                "verbose_name": "posting",
                "verbose_name_plural": "postings",
                "indexes": [models.Index(fields=["posted_at"], name="posting_posted_at")],
                "constraints": [models.UniqueConstraint(fields=("origin_kind", "origin_id"), name="posting_origin_unique")],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                (
                    "posting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger_app.posting",
                        verbose_name="posting",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("effective_on", models.DateField(verbose_name="date")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("turn", models.PositiveIntegerField(db_default=0, default=0, verbose_name="turn")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="ledger_app.entry",
                        verbose_name="reverses",
                    ),
                ),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "entry",
                "verbose_name_plural": "entries",
                "permissions": [("reverse_entry", "Can reverse an entry")],
                "indexes": [models.Index(fields=["book", "effective_on"], name="entry_date")],
                "constraints": [
                    models.UniqueConstraint(fields=("book", "reference", "turn"), name="entry_reference_unique"),
                    models.CheckConstraint(condition=models.Q(("reference", ""), _negated=True), name="entry_reference_given"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger_app.entry",
                        verbose_name="entry",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                ("stripe", models.PositiveSmallIntegerField(verbose_name="stripe")),
                ("sequence", models.PositiveBigIntegerField(verbose_name="sequence")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("balance_after", models.BigIntegerField(verbose_name="balance after")),
                ("effective_on", models.DateField(null=True, verbose_name="date")),
            ],
            options={
                "verbose_name": "line",
                "verbose_name_plural": "lines",
                "indexes": [models.Index(fields=["account", "effective_on", "id", "amount"], name="line_date")],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "stripe", "sequence"), name="line_sequence_unique"),
                    models.CheckConstraint(condition=models.Q(("amount", 0), _negated=True), name="line_amount_not_zero"),
                    models.CheckConstraint(condition=models.Q(("sequence__gte", 1)), name="line_sequence_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalErasure",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("ticket", models.CharField(max_length=40, verbose_name="ticket")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Erased"),
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
                    "digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was erased"),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member",
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
                "verbose_name": "historical erasure",
                "verbose_name_plural": "historical erasures",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                ("ticket", models.CharField(max_length=40, verbose_name="ticket")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("done", "Erased"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
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
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was erased"),
                ),
            ],
            options={
                "verbose_name": "erasure",
                "verbose_name_plural": "erasures",
                "permissions": [
                    ("answer_member", "Can answer members: correct a name, hand out what is kept, ask for an erasure"),
                    ("decide_erasure", "Can decide that a member's personal data is erased"),
                ],
                "indexes": [models.Index(fields=["state"], name="erasure_state")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "done", "rejected", "withdrawn"])),
                        name="erasure_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="erasure_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state__in", ["proposed", "withdrawn"]),
                            ),
                            models.Q(
                                ("decided_at__isnull", False), ("decided_by__isnull", False), ("state__in", ["done", "rejected"])
                            ),
                            _connector="OR",
                        ),
                        name="erasure_decided_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("digest__isnull", False), ("state", "done")),
                            models.Q(models.Q(("state", "done"), _negated=True), ("digest__isnull", True)),
                            _connector="OR",
                        ),
                        name="erasure_done_has_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("ticket", ""), _negated=True)),
                        name="erasure_reason_given",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasedPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="ledger_app.erasure",
                        verbose_name="erasure",
                    ),
                ),
                ("table_name", models.CharField(max_length=64, verbose_name="table")),
                ("row_id", models.BigIntegerField(verbose_name="number")),
                ("column_name", models.CharField(max_length=64, verbose_name="column")),
                ("says", models.TextField(blank=True, verbose_name="says since")),
            ],
            options={
                "verbose_name": "erased part",
                "verbose_name_plural": "erased parts",
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["table_name", "row_id"], name="erased_part_row")],
            },
        ),
        migrations.CreateModel(
            name="ErasedDigest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="digests",
                        to="ledger_app.erasure",
                        verbose_name="erasure",
                    ),
                ),
                ("table_name", models.CharField(max_length=64, verbose_name="table")),
                ("row_id", models.BigIntegerField(verbose_name="number")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "digest after an erasure",
                "verbose_name_plural": "digests after erasures",
                "default_permissions": ("view",),
                "constraints": [models.UniqueConstraint(fields=("table_name", "row_id", "erasure"), name="erased_digest_once")],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_factors",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
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
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
            ],
            options={
                "verbose_name": "recovery code",
                "verbose_name_plural": "recovery codes",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user", "digest"), name="recovery_code_unique")],
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("issuer", models.CharField(max_length=255, verbose_name="issuer")),
                ("subject", models.CharField(max_length=255, verbose_name="subject")),
                (
                    "bound_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="bound by",
                    ),
                ),
                ("bound_at", models.DateTimeField(verbose_name="bound at")),
            ],
            options={
                "verbose_name": "identity at the provider",
                "verbose_name_plural": "identities at the provider",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "subject"), name="identity_subject_unique"),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(("issuer", ""), _negated=True), models.Q(("subject", ""), _negated=True)),
                        name="identity_given",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FreezeAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="freezes",
                        to="ledger_app.period",
                        verbose_name="period",
                    ),
                ),
                ("controls", models.JSONField(verbose_name="control totals")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("shown_version", models.PositiveIntegerField(null=True, verbose_name="version that was shown")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("sealed", "Sealed"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("superseded", "Superseded"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
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
                ("started_at", models.DateTimeField(null=True, verbose_name="started at")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="last sign of life")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                ("proved_count", models.PositiveBigIntegerField(default=0, verbose_name="entries proved")),
                ("reasons", models.JSONField(default=list, verbose_name="why it did not end with a seal")),
            ],
            options={
                "verbose_name": "attempt at a freeze",
                "verbose_name_plural": "attempts at a freeze",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state__in", ["waiting", "running"])),
                            models.Q(("ended_at__isnull", False), ("state__in", ["sealed", "refused", "failed", "superseded"])),
                            _connector="OR",
                        ),
                        name="freezeattempt_ended",
                    )
                ],
            },
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
                    "breakage",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="breakage account",
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
                "verbose_name": "historical rule of lots",
                "verbose_name_plural": "historical rules of lots",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="LotRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lot_rules",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
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
                (
                    "breakage",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="breakage account",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of lots",
                "verbose_name_plural": "rules of lots",
                "permissions": [("set_lot_rule", "Can set the rules of lots")],
                "constraints": [
                    models.UniqueConstraint(fields=("book", "role"), name="lotrule_role_unique"),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["paid", "free"]), ("order__in", ["free_first", "paid_first", "oldest_first"])
                        ),
                        name="lotrule_words_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lots",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lots",
                        to="ledger_app.line",
                        verbose_name="line",
                    ),
                ),
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
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount__gt", 0), ("kind__in", ["paid", "free"])),
                            models.Q(("amount__lt", 0), ("expires_on__isnull", True), ("kind", "deficit")),
                            _connector="OR",
                        ),
                        name="lot_amount_of_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LotUse",
            fields=[
                ("id", ledger_app.models.fields.KeyField(primary_key=True, serialize=False)),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="ledger_app.lot", verbose_name="lot"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lot_uses",
                        to="ledger_app.line",
                        verbose_name="line",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "use of a lot",
                "verbose_name_plural": "uses of lots",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount", 0), _negated=True), name="lotuse_amount_not_zero")
                ],
            },
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
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="open_lots",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("due_on", models.DateField(null=True, verbose_name="due on")),
                ("remaining", models.BigIntegerField(verbose_name="remaining")),
                ("held", models.BigIntegerField(default=0, verbose_name="held")),
            ],
            options={
                "verbose_name": "open lot",
                "verbose_name_plural": "open lots",
                "indexes": [models.Index(fields=["book", "due_on", "account"], name="openlot_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("held__gte", 0), ("held__lte", models.F("remaining")), ("remaining__gt", 0)),
                            models.Q(("held", 0), ("remaining__lt", 0)),
                            _connector="OR",
                        ),
                        name="openlot_held_within",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExpiryRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="expiry_runs",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("through", models.DateField(verbose_name="through")),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started at")),
            ],
            options={
                "verbose_name": "run of expiry",
                "verbose_name_plural": "runs of expiry",
            },
        ),
        migrations.CreateModel(
            name="ExpiryChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="ledger_app.expiryrun",
                        verbose_name="run of expiry",
                    ),
                ),
                ("entry_count", models.PositiveIntegerField(verbose_name="entries")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "part of a run of expiry",
                "verbose_name_plural": "parts of a run of expiry",
            },
        ),
        migrations.CreateModel(
            name="HistoricalHoldRule",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("amount_most", models.BigIntegerField(blank=True, null=True, verbose_name="a hold at most")),
                ("amount_a_day", models.BigIntegerField(blank=True, null=True, verbose_name="an account a day at most")),
                ("hours_most", models.PositiveIntegerField(default=4392, verbose_name="hours at most")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
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
                "verbose_name": "historical rule of holds",
                "verbose_name_plural": "historical rules of holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HoldRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hold_rule",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("amount_most", models.BigIntegerField(blank=True, null=True, verbose_name="a hold at most")),
                ("amount_a_day", models.BigIntegerField(blank=True, null=True, verbose_name="an account a day at most")),
                ("hours_most", models.PositiveIntegerField(default=4392, verbose_name="hours at most")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
            ],
            options={
                "verbose_name": "rule of holds",
                "verbose_name_plural": "rules of holds",
                "permissions": [("set_hold_rule", "Can set the rules of holds")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount_most__isnull", True), ("amount_most__gte", 1), _connector="OR"),
                            models.Q(("amount_a_day__isnull", True), ("amount_a_day__gte", 1), _connector="OR"),
                            ("hours_most__gte", 1),
                        ),
                        name="holdrule_of_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalHoldTarget",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holdrule",
                        verbose_name="rule of holds",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="goes to",
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
                "verbose_name": "historical target of holds",
                "verbose_name_plural": "historical targets of holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HoldTarget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="targets",
                        to="ledger_app.holdrule",
                        verbose_name="rule of holds",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="goes to",
                    ),
                ),
            ],
            options={
                "verbose_name": "target of holds",
                "verbose_name_plural": "targets of holds",
                "constraints": [models.UniqueConstraint(fields=("rule", "account"), name="holdtarget_once")],
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
                    "target",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="goes to",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="placed by",
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
                "verbose_name": "historical hold",
                "verbose_name_plural": "historical holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="ledger_app.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.account",
                        verbose_name="goes to",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("placed_at", models.DateTimeField(verbose_name="placed at")),
                (
                    "placed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="placed by",
                    ),
                ),
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
                    ("resolve_any_hold", "Can settle and release the holds that others placed"),
                ],
                "indexes": [
                    models.Index(fields=["account", "state"], name="hold_account"),
                    models.Index(fields=["state", "expires_at"], name="hold_over"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("book", "reference"), name="hold_reference_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 1), models.Q(("reference", ""), _negated=True)),
                        name="hold_of_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("placed_at"))), name="hold_span_forward"
                    ),
                    models.CheckConstraint(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="HoldLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "hold",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="ledger_app.hold",
                        verbose_name="hold",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_by",
                        to="ledger_app.lot",
                        verbose_name="lot",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "lot of a hold",
                "verbose_name_plural": "lots of holds",
                "constraints": [
                    models.UniqueConstraint(fields=("hold", "lot"), name="holdlot_once"),
                    models.CheckConstraint(condition=models.Q(("amount__gte", 1)), name="holdlot_of_something"),
                ],
            },
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
                (
                    "holder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_taken_in",
                        to="ledger_app.holder",
                        verbose_name="member who remains",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="ledger_app.merge",
                        verbose_name="undoes",
                    ),
                ),
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
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
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
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "permissions": [
                    ("propose_merge", "Can propose and withdraw merges of members"),
                    ("decide_merge", "Can decide merges of members"),
                ],
                "indexes": [models.Index(fields=["state"], name="merge_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("holder", "holds_holder"), name="merge_holder_once"),
                    models.UniqueConstraint(fields=("undoes", "holds_undone"), name="merge_undone_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "done", "rejected", "withdrawn"])), name="merge_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("survivor__isnull", True), models.Q(("survivor", models.F("holder")), _negated=True), _connector="OR"
                        ),
                        name="merge_not_into_itself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("undoes__isnull", False), ("survivor__isnull", False), _connector="OR"),
                        name="merge_survivor_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(("decided_digest__isnull", False), ("survivor__isnull", False)),
                            _connector="OR",
                        ),
                        name="merge_done_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", False), ("decided_by__isnull", False), ("state__in", ["done", "rejected"])
                            ),
                            models.Q(("decided_by__isnull", True), ("state__in", ["proposed", "withdrawn"])),
                            _connector="OR",
                        ),
                        name="merge_decided_by_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="merge_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("holds_holder__isnull", True),
                                ("holds_undone__isnull", True),
                                ("state__in", ["rejected", "withdrawn"]),
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
                ],
            },
        ),
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
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member who remains",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.merge",
                        verbose_name="undoes",
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
                "verbose_name": "historical merge",
                "verbose_name_plural": "historical merges",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="MovedIdentifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "merge",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moved_identifiers",
                        to="ledger_app.merge",
                        verbose_name="merge",
                    ),
                ),
                (
                    "identifier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="ledger_app.identifier",
                        verbose_name="identifier",
                    ),
                ),
                (
                    "from_holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="from member",
                    ),
                ),
                (
                    "to_holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="to member",
                    ),
                ),
            ],
            options={
                "verbose_name": "moved identifier",
                "verbose_name_plural": "moved identifiers",
                "constraints": [
                    models.UniqueConstraint(fields=("merge", "identifier"), name="moved_identifier_once"),
                    models.CheckConstraint(
                        condition=models.Q(("from_holder", models.F("to_holder")), _negated=True),
                        name="moved_identifier_to_another",
                    ),
                ],
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
                (
                    "named",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member that was named",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.holder",
                        verbose_name="member that was posted to",
                    ),
                ),
            ],
            options={
                "verbose_name": "redirected entry",
                "verbose_name_plural": "redirected entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("named", models.F("holder")), _negated=True), name="redirected_to_another"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="profiles",
                        to="ledger_app.book",
                        verbose_name="book",
                    ),
                ),
                ("name", models.CharField(max_length=32, verbose_name="name")),
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
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "profile",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="ledger_app.profile",
                        verbose_name="profile",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("text", models.TextField(verbose_name="definition")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="set by",
                    ),
                ),
                ("set_at", models.DateTimeField(verbose_name="set at")),
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
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "profile",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to="ledger_app.profile",
                        verbose_name="profile",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger_app.profileversion",
                        verbose_name="profile version",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to="ledger_app.period",
                        verbose_name="period",
                    ),
                ),
                (
                    "seal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.seal", verbose_name="seal"
                    ),
                ),
                ("fiscal_year", models.PositiveSmallIntegerField(verbose_name="fiscal year")),
                ("first_slip", models.PositiveIntegerField(verbose_name="first slip")),
                ("next_slip", models.PositiveIntegerField(verbose_name="slip after the last")),
                ("row_count", models.PositiveIntegerField(verbose_name="rows")),
                ("sha256", ledger_app.models.fields.DigestField(max_length=32, verbose_name="SHA-256 of the file")),
                ("manifest", models.JSONField(verbose_name="manifest")),
                (
                    "handed_over_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="handed over by",
                    ),
                ),
                ("handed_over_at", models.DateTimeField(verbose_name="handed over at")),
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
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
                ("key", models.CharField(max_length=255, verbose_name="key")),
                ("path", models.CharField(max_length=500, verbose_name="address")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the request")),
                ("fields", models.JSONField(verbose_name="digests of its fields")),
                ("status", models.PositiveSmallIntegerField(verbose_name="status")),
                ("location", models.CharField(blank=True, max_length=500, verbose_name="location")),
                ("body", models.TextField(blank=True, verbose_name="answer")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "idempotency key",
                "verbose_name_plural": "idempotency keys",
                "indexes": [models.Index(fields=["at"], name="idempotency_key_at")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_unique"),
                    models.CheckConstraint(condition=models.Q(("key", ""), _negated=True), name="idempotency_key_given"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("request", models.CharField(blank=True, max_length=64, verbose_name="request")),
                ("host", models.CharField(blank=True, max_length=64, verbose_name="host")),
                ("given_count", models.PositiveIntegerField(verbose_name="entries that were sent")),
            ],
            options={
                "verbose_name": "submission",
                "verbose_name_plural": "submissions",
                "permissions": [("post_entry", "Can post entries by program")],
                "constraints": [models.CheckConstraint(condition=models.Q(("given_count__gte", 1)), name="submission_not_empty")],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(null=True, unique=True, verbose_name="number")),
                ("kind", models.CharField(max_length=52, verbose_name="kind")),
                ("subject_type", models.CharField(max_length=20, verbose_name="of")),
                ("subject_id", models.PositiveBigIntegerField(verbose_name="number of it")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [models.Index(fields=["subject_type", "subject_id"], name="event_subject")],
            },
        ),
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_number", models.PositiveBigIntegerField(default=0, verbose_name="last number")),
            ],
            options={
                "verbose_name": "feed",
                "verbose_name_plural": "feeds",
            },
        ),
        migrations.CreateModel(
            name="HistoricalReversal",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("effective_on", models.DateField(verbose_name="date of the reversal")),
                ("prior_period", models.CharField(blank=True, max_length=20, verbose_name="corrects the prior period")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("posted", "Posted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_entry", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds the entry")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.entry",
                        verbose_name="entry",
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
                    "reversal",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="ledger_app.entry",
                        verbose_name="entry that reverses",
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
                "verbose_name": "historical reversal",
                "verbose_name_plural": "historical reversals",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Reversal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="ledger_app.entry",
                        verbose_name="entry",
                    ),
                ),
                ("effective_on", models.DateField(verbose_name="date of the reversal")),
                ("prior_period", models.CharField(blank=True, max_length=20, verbose_name="corrects the prior period")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("ticket", models.CharField(blank=True, max_length=40, verbose_name="ticket")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of what was proposed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("posted", "Posted"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("holds_entry", models.BooleanField(default=True, editable=False, null=True, verbose_name="holds the entry")),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
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
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decided_digest",
                    ledger_app.models.fields.DigestField(max_length=32, null=True, verbose_name="digest of what was decided"),
                ),
                (
                    "reversal",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decided_reversal",
                        to="ledger_app.entry",
                        verbose_name="entry that reverses",
                    ),
                ),
            ],
            options={
                "verbose_name": "reversal",
                "verbose_name_plural": "reversals",
                "permissions": [("propose_reversal", "Can propose to reverse an entry")],
                "indexes": [models.Index(fields=["state", "effective_on"], name="reversal_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "holds_entry"), name="reversal_entry_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "posted", "rejected", "withdrawn"])),
                        name="reversal_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="reversal_decided_by_another",
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
                                ("state__in", ["posted", "rejected"]),
                            ),
                            _connector="OR",
                        ),
                        name="reversal_decided_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_digest__isnull", False), ("reversal__isnull", False), ("state", "posted")),
                            models.Q(
                                models.Q(("state", "posted"), _negated=True),
                                ("decided_digest__isnull", True),
                                ("reversal__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="reversal_posted_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("holds_entry", True), ("holds_entry__isnull", False), ("state__in", ["proposed", "posted"])
                            ),
                            models.Q(("holds_entry__isnull", True), ("state__in", ["rejected", "withdrawn"])),
                            _connector="OR",
                        ),
                        name="reversal_holds_while_it_may",
                    ),
                    models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="reversal_reason_given"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest of the grants")),
                ("grant_count", models.PositiveIntegerField(verbose_name="grants")),
                ("own", models.JSONField(default=list, verbose_name="given alone by who signed")),
                ("note", models.CharField(max_length=500, verbose_name="note")),
                (
                    "signed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="signed off by",
                    ),
                ),
                ("signed_at", models.DateTimeField(verbose_name="signed off at")),
            ],
            options={
                "verbose_name": "access review",
                "verbose_name_plural": "access reviews",
                "permissions": [
                    ("look_accessreview", "Can look at access reviews"),
                    ("sign_accessreview", "Can sign access reviews off"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("note", ""), _negated=True), name="access_review_note_given")
                ],
            },
        ),
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
                            ("close_policy", "Policy of the close"),
                            ("profile", "Profile of an export"),
                            ("rights", "Rights of a user"),
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
                            ("close_policy", "Policy of the close"),
                            ("profile", "Profile of an export"),
                            ("rights", "Rights of a user"),
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
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
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
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
            ],
            options={
                "verbose_name": "change of a setting",
                "verbose_name_plural": "changes of settings",
                "indexes": [models.Index(fields=["state"], name="setting_change_state")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "limit",
                                    "reason_code",
                                    "template",
                                    "lot_rule",
                                    "hold_rule",
                                    "close_policy",
                                    "profile",
                                    "rights",
                                ],
                            )
                        ),
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
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("prefix", models.CharField(max_length=16, verbose_name="beginning of the key")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("operations", models.JSONField(blank=True, null=True, verbose_name="operations")),
                ("books", models.JSONField(blank=True, null=True, verbose_name="books")),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="issued by",
                    ),
                ),
                ("issued_at", models.DateTimeField(verbose_name="issued at")),
                ("ends_at", models.DateTimeField(verbose_name="ends at")),
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
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
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
        migrations.CreateModel(
            name="Trace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table_name", models.CharField(max_length=64, verbose_name="table")),
                ("row_id", models.BigIntegerField(verbose_name="number")),
                (
                    "event",
                    models.CharField(
                        choices=[("I", "Written"), ("U", "Changed"), ("D", "Removed"), ("F", "Found when the trace began")],
                        max_length=1,
                        verbose_name="event",
                    ),
                ),
                ("content", models.TextField(verbose_name="content")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "trace",
                "verbose_name_plural": "traces",
                "indexes": [models.Index(fields=["table_name", "row_id"], name="trace_row")],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(unique=True, verbose_name="number")),
                ("last_trace", models.BigIntegerField(verbose_name="last trace")),
                ("spans", models.JSONField(verbose_name="traces")),
                ("gaps", models.JSONField(verbose_name="gaps")),
                ("trace_count", models.PositiveIntegerField(verbose_name="traces covered")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                ("linked_at", models.DateTimeField(verbose_name="linked at")),
            ],
            options={
                "verbose_name": "link",
                "verbose_name_plural": "links",
            },
        ),
        migrations.CreateModel(
            name="PostingDigest",
            fields=[
                (
                    "posting",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="proof",
                        serialize=False,
                        to="ledger_app.posting",
                        verbose_name="posting",
                    ),
                ),
                ("lot_count", models.PositiveIntegerField(verbose_name="lots")),
                ("use_count", models.PositiveIntegerField(verbose_name="uses of lots")),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "digest of a posting",
                "verbose_name_plural": "digests of postings",
            },
        ),
        migrations.CreateModel(
            name="SealCover",
            fields=[
                (
                    "seal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="cover",
                        serialize=False,
                        to="ledger_app.seal",
                        verbose_name="seal",
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.link", verbose_name="link"
                    ),
                ),
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "cover of a seal",
                "verbose_name_plural": "covers of seals",
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, unique=True, verbose_name="name")),
                ("url", models.CharField(max_length=300, verbose_name="address")),
                ("kinds", models.JSONField(default=list, verbose_name="kinds of events")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("generation", models.PositiveIntegerField(default=1, verbose_name="generation of the secret")),
                ("overlap_until", models.DateTimeField(null=True, verbose_name="signed under both until")),
                (
                    "kept_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="kept by",
                    ),
                ),
                ("cursor", models.PositiveBigIntegerField(default=0, verbose_name="delivered up to")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failed tries")),
                ("why", models.CharField(blank=True, max_length=100, verbose_name="why it failed")),
                ("next_at", models.DateTimeField(null=True, verbose_name="tried again at")),
                ("lease", models.CharField(blank=True, max_length=32, verbose_name="lease")),
                ("leased_until", models.DateTimeField(null=True, verbose_name="leased until")),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "permissions": [("keep_webhook", "Can keep webhooks")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="webhook_named"),
                    models.CheckConstraint(condition=models.Q(("generation__gte", 1)), name="webhook_generation_counted"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease", ""), ("leased_until__isnull", True)),
                            models.Q(models.Q(("lease", ""), _negated=True), ("leased_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="webhook_lease_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "webhook",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="ledger_app.webhook",
                        verbose_name="webhook",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.event", verbose_name="event"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("dead", "not delivered"), ("again", "to be sent again"), ("sent", "delivered")],
                        default="dead",
                        max_length=5,
                        verbose_name="state",
                    ),
                ),
                ("tries", models.PositiveIntegerField(verbose_name="tries")),
                ("why", models.CharField(max_length=100, verbose_name="why it failed")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "constraints": [
                    models.UniqueConstraint(fields=("webhook", "event"), name="dead_letter_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["dead", "again", "sent"])), name="dead_letter_state_known"
                    ),
                ],
            },
        ),
    ]
