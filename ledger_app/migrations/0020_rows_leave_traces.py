"""Rows leave traces, chained; postings and seals get digests of what they wrote and cover.

The triggers are made after the migrations, from the models as they are then (ledger_app/operations/traces.py).
"""

from datetime import UTC, datetime
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import ledger_app.models.fields


def fill(apps: Any, _schema_editor: Any) -> None:
    """Begin the chain, and give the postings and seals that are there what later ones are written with. May run again."""
    from ledger_app.queries import posting_proofs
    from ledger_app.rules import traces

    links, postings = apps.get_model("ledger_app", "Link"), apps.get_model("ledger_app", "Posting")
    digests, seals = apps.get_model("ledger_app", "PostingDigest"), apps.get_model("ledger_app", "Seal")
    covers = apps.get_model("ledger_app", "SealCover")
    first, _created = links.objects.get_or_create(
        number=0,
        defaults={
            "last_trace": 0,
            "spans": [],
            "gaps": [],
            "trace_count": 0,
            "digest": bytes(32),
            "linked_at": datetime.now(UTC),
        },
    )
    for posting in postings.objects.filter(proof__isnull=True).order_by("id").iterator(chunk_size=500):
        lots, uses, digest = posting_proofs.computed(posting)
        digests.objects.create(posting=posting, lot_count=lots, use_count=uses, digest=digest)
    for seal in seals.objects.filter(cover__isnull=True).order_by("book_id", "number"):
        before = covers.objects.filter(seal_id=seal.previous_id).first()
        digest = traces.cover(
            seal=bytes(seal.digest),
            previous=bytes(before.digest) if before else b"",
            link_number=first.number,
            link=bytes(first.digest),
        )
        covers.objects.create(seal=seal, link=first, digest=digest)


class Migration(migrations.Migration):
    """Creates traces, chain and digests."""

    atomic = False

    dependencies = [
        ("ledger_app", "0019_account_templates"),
    ]

    operations = [
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
                ("digest", ledger_app.models.fields.DigestField(max_length=32, verbose_name="digest")),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger_app.link", verbose_name="link"
                    ),
                ),
            ],
            options={
                "verbose_name": "cover of a seal",
                "verbose_name_plural": "covers of seals",
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
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=False),
    ]
