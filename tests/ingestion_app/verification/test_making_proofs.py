"""What came in, or was removed, without the audit row of the person who did it is named by the verification."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ingestion_app.models import Batch, File, PrunedFile, Receipt, SourceVersion
from ingestion_app.verification.proofs import making as making_proofs
from tests.support.world import World

pytestmark = pytest.mark.django_db


def breaches() -> list[str]:
    return list(making_proofs.what_was_made_has_its_audit_row([]))


def test_what_the_program_made_has_its_audit_row(world: World) -> None:
    world.applied()
    assert breaches() == []


@pytest.mark.parametrize("what", ["source", "file", "batch", "another"])
def test_what_was_put_beside_the_program_is_named(world: World, what: str) -> None:
    batch = world.applied()
    now = timezone.now()
    version = SourceVersion.objects.latest("id")
    if what == "source":
        version.pk, version.number, version.digest = None, version.number + 1, bytes(32)
        version.save(force_insert=True)
        said = "was loaded, and no audit row says so."
    elif what == "file":
        file = File.objects.create(sha256=bytes(32), size=1, stored_at=now)
        PrunedFile.objects.create(file=file, pruned_by=world.engineer, pruned_at=now - timedelta(days=1))
        said = "were removed, and no audit row says so."
    elif what == "batch":
        receipt = Receipt.objects.get(batch=batch)
        receipt.pk = None
        receipt.save(force_insert=True)
        batch.pk, batch.receipt, batch.sequence, batch.state, batch.holds_file, batch.version = (
            None,
            receipt,
            99,
            "received",
            None,
            1,
        )
        Batch.objects.bulk_create([batch])
        said = "is there, and no audit row says who brought it."
    else:
        # By somebody else than the audit row says.
        version.pk, version.number, version.loaded_by = None, version.number + 1, world.finance
        version.save(force_insert=True)
        said = "was loaded, and no audit row says so."
    (breach,) = breaches()
    assert breach.endswith(said)
