"""What is kept to prove the records of a batch by."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ingestion_app.models.batches import Batch
from ledger_app.models.fields import DigestField


class RecordsDigest(models.Model):
    """The digest of all records of a batch, set aside or not, with where their bytes are; made anew when the batch is validated again."""

    batch = models.OneToOneField(Batch, models.PROTECT, primary_key=True, related_name="records_proof", verbose_name=_("batch"))
    record_count = models.PositiveIntegerField(_("records"))
    digest = DigestField(_("digest"))

    class Meta:
        """Names."""

        verbose_name = _("digest of records")
        verbose_name_plural = _("digests of records")

    def __str__(self) -> str:
        """Return the beginning of the digest."""
        return bytes(self.digest).hex()[:8]
