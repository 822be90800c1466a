"""Each user has a folded name: two names that differ only in case, width or what cannot be seen are one."""

from typing import Any

import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models

import ledger_app.models.people
from ledger_app.rules import names


def look_for_twins(apps: Any, _schema_editor: Any) -> None:
    """Stop before anything is changed where two users have one name: a person must say which of them is renamed."""
    found: dict[str, list[str]] = {}
    for name in apps.get_model("ledger_app", "User").objects.order_by("id").values_list("username", flat=True):
        found.setdefault(names.fold(name), []).append(name)
    twins = [each for folded, each in found.items() if len(each) > 1 or not 0 < len(folded) <= names.FOLDED_MOST]
    if twins:
        told = "; ".join(", ".join(map(repr, each)) for each in twins)
        raise RuntimeError(
            f"These users' names are one, or cannot be read; rename all but one of each, then migrate again: {told}"
        )


def fill(apps: Any, _schema_editor: Any) -> None:
    """Fold the name of each user. Run again it does the same."""
    users = apps.get_model("ledger_app", "User").objects
    for key, name in users.values_list("id", "username"):
        users.filter(pk=key).update(username_folded=names.fold(name))


class Migration(migrations.Migration):
    """Looks for twins, adds the column, fills it, and then has it unique."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ledger_app", "0024_webhooks"),
    ]
    operations = [
        migrations.RunPython(look_for_twins, migrations.RunPython.noop),
        migrations.AlterModelManagers(name="user", managers=[]),
        migrations.AddField(
            model_name="user",
            name="username_folded",
            field=ledger_app.models.people.FoldedName(default="", editable=False, max_length=150, verbose_name="name, folded"),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("username_folded",), name="user_folded_unique"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("username_folded", ""), _negated=True), name="user_folded_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("username_folded", django.db.models.functions.text.Lower("username")),
                    django.db.models.lookups.GreaterThan(
                        ledger_app.models.people.Bytes("username"), django.db.models.functions.text.Length("username")
                    ),
                    _connector="OR",
                ),
                name="user_folded_follows",
            ),
        ),
    ]
