"""The records of a batch have a digest of all of them."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import ledger_app.models.fields


def fill(apps: Any, _schema_editor: Any) -> None:
    """Give the batches that are there the digests of their records. May run again."""
    from ingestion_app.queries.record_proofs import computed

    batches, digests = apps.get_model("ingestion_app", "Batch"), apps.get_model("ingestion_app", "RecordsDigest")
    for key in batches.objects.filter(records_proof__isnull=True).order_by("id").values_list("id", flat=True):
        count, digest = computed(key)
        if count:
            digests.objects.create(batch_id=key, record_count=count, digest=digest)


class Migration(migrations.Migration):
    """Creates the digests."""

    atomic = False

    dependencies = [
        ("ingestion_app", "0006_what_works_and_what_was_decided"),
    ]

    operations = [
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
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
    ]
