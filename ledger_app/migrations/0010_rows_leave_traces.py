"""Rows leave traces, chained; postings and seals get digests of what they wrote and cover; history, like them, never changes."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import ledger_app.models.fields

statement = import_module("ledger_app.migrations.0002_triggers").statement

APPEND_ONLY = (
    *("trace", "link", "postingdigest", "sealcover", "verification"),
    *("historicalaccount", "historicaladjustment", "historicaladjustmentlimit", "historicalbook", "historicalcontraaccount"),
    *("historicalhold", "historicalholder", "historicallotrule", "historicalmerge", "historicalperiod"),
    *("historicalreasoncode", "historicalreversal", "historicaluser"),
)
# What wrote is there when it writes; of a chunk, the application above knows.
ORIGINS = {"hold": "hold", "merge": "merge", "expiry": "expirychunk", "reversal": "entry"}
NOT_THERE = "NEW.origin_kind NOT IN ('chunk', 'reversal', 'opening', 'adjustment', 'expiry', 'merge', 'hold')" + "".join(
    f" OR (NEW.origin_kind = '{kind}' AND NOT EXISTS (SELECT 1 FROM ledger_app_{table} WHERE id = NEW.origin_id))"
    for kind, table in ORIGINS.items()
)


def refusals() -> list[tuple[str, str, str, str]]:
    """Return (name, event, table, condition) of each trigger."""
    found = [
        (f"kakutei_{table}_no_{event.lower()}", event, f"ledger_app_{table}", "")
        for table in APPEND_ONLY
        for event in ("UPDATE", "DELETE")
    ]
    return [*found, ("kakutei_posting_of_origin", "INSERT", "ledger_app_posting", NOT_THERE)]


def create(_apps: Any, schema_editor: Any) -> None:
    """Create the triggers, dropping what a cut-off run has left."""
    for name, event, table, condition in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement(schema_editor.connection.vendor, name, event, table, condition))


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    for name, *_ in refusals():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


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
    """Creates traces, chain, digests and their triggers."""

    atomic = False

    dependencies = [
        ("ledger_app", "0009_reversal_marks"),
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
        migrations.RunPython(create, drop, atomic=False),
    ]
