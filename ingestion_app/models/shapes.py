"""What a file looked like, and who has acknowledged what looked wrong with it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ingestion_app.models.batches import Attempt, Batch
from ledger_app.models import User
from ledger_app.models.fields import DigestField


class FileShape(models.Model):
    """The shape of a validated file: counts of what its records hold, and never a record; made anew when the batch is validated again."""

    batch = models.OneToOneField(Batch, models.PROTECT, primary_key=True, related_name="shape", verbose_name=_("batch"))
    content = models.JSONField(_("shape"))
    # The batches that it was compared with; fewer than four: it was compared with none.
    compared = models.JSONField(_("compared with"), default=list)

    class Meta:
        """Names."""

        verbose_name = _("shape of a file")
        verbose_name_plural = _("shapes of files")

    def __str__(self) -> str:
        """Return the batch."""
        return str(self.batch)


class Acknowledgement(models.Model):
    """What somebody of finance wrote of the alerts of one validation, having looked at them. Never changed; another validation asks anew."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="acknowledgements", verbose_name=_("batch"))
    validation = models.OneToOneField(Attempt, models.PROTECT, related_name="acknowledgement", verbose_name=_("validation"))
    alerts = models.PositiveIntegerField(_("alerts"))
    digest = DigestField(_("digest of the alerts"))
    reason = models.CharField(_("reason"), max_length=500)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("acknowledged by"))
    acknowledged_at = models.DateTimeField(_("acknowledged at"))

    class Meta:
        """Names."""

        verbose_name = _("acknowledgement of alerts")
        verbose_name_plural = _("acknowledgements of alerts")

    def __str__(self) -> str:
        """Return the batch."""
        return str(self.batch)
