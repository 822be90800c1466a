"""The processes that work: which there are, and when each was heard of last."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Worker(models.Model):
    """One process that works, by a name that no other process has or will have (``queries.workers``).

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
