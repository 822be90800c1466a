"""Chunks that are applied one after the other say so: those that touch the same account, and parts of one member's records."""

from typing import Any

from django.db import migrations, models


def fill(apps: Any, _schema_editor: Any) -> None:
    """Put the parts of one member's records that are still to be applied into a series of their own. May run again."""
    chunks = apps.get_model("ingestion_app", "Chunk")
    parts = chunks.objects.filter(holder__isnull=False)
    firsts: dict[tuple[int, int], int] = {}
    for batch_id, holder_id, number in parts.order_by("-number").values_list("batch_id", "holder_id", "number"):
        firsts[batch_id, holder_id] = number
    for (batch_id, holder_id), first in firsts.items():
        parts.filter(batch=batch_id, holder=holder_id).exclude(state="applied").update(series=first)


class Migration(migrations.Migration):
    """Adds the series."""

    atomic = False

    dependencies = [
        ("ingestion_app", "0007_records_digest"),
    ]

    operations = [
        migrations.AddField(
            model_name="chunk",
            name="series",
            field=models.PositiveIntegerField(editable=False, null=True, verbose_name="number of its series"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
    ]
