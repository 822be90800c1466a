"""The processes that work: which there are, and when each was heard of last."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ingestion_app.models.batches import Batch
from ledger_app.models.people import User


class Worker(models.Model):
    """One process that works, by a name that no other process has or will have (``batches.queries.workers``).

    The times are the database's own: one clock for all hosts.
    """

    class Kind(models.TextChoices):
        """What a process is there for."""

        WORKER = "worker", _("Worker")
        WAKER = "waker", _("Waker")
        APPLY = "apply", _("Apply")
        VALIDATE = "validate", _("Validate")

    instance = models.CharField(_("instance"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    host = models.CharField(_("host"), max_length=64)
    process = models.PositiveIntegerField(_("process"))
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("last sign of life"), db_index=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["worker", "waker", "apply", "validate"]), name="worker_kind_known"
            ),
        ]

    def __str__(self) -> str:
        """Return host and process."""
        return f"{self.host}:{self.process}"


class ValidationRequest(models.Model):
    """A validation that somebody asked a worker for, until it is answered: the queue may lose its entry, and this says that it should be there."""

    batch = models.OneToOneField(
        Batch, models.PROTECT, primary_key=True, related_name="validation_request", verbose_name=_("batch")
    )
    # The batch's when it was asked for: once another has changed the batch, nobody waits for it any more.
    batch_version = models.PositiveIntegerField(_("version of the batch"))
    # The number of the last attempt before it: what failed earlier does not count.
    after_attempt = models.PositiveIntegerField(_("last attempt before"))
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked at"))

    class Meta:
        """Names."""

        verbose_name = _("validation that was asked for")
        verbose_name_plural = _("validations that were asked for")

    def __str__(self) -> str:
        """Return the number of the batch."""
        return str(self.batch_id)
