"""Attempts at a freeze: who asked for it with which totals, and what became of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger_app.models.books import Period
from ledger_app.models.fields import ReasonsField
from ledger_app.models.people import User


class FreezeAttempt(models.Model):
    """A freeze that was asked for. The freeze checks all it rests on when it is carried out; this row only says what was asked, and how it ended."""

    class State(models.TextChoices):
        """Not begun, under way, or one of its ends."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        SEALED = "sealed", _("Sealed")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")
        SUPERSEDED = "superseded", _("Superseded")

    UNDER_WAY = (State.WAITING, State.RUNNING)

    period = models.ForeignKey(Period, models.PROTECT, related_name="freezes", verbose_name=_("period"))
    controls = models.JSONField(_("control totals"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    shown_version = models.PositiveIntegerField(_("version that was shown"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    # By the database's clock, which all hosts have in common.
    seen_at = models.DateTimeField(_("last sign of life"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    proved_count = models.PositiveBigIntegerField(_("entries proved"), default=0)
    reasons = ReasonsField(_("why it did not end with a seal"), default=list)

    class Meta:
        """Names and constraints."""

        verbose_name = _("attempt at a freeze")
        verbose_name_plural = _("attempts at a freeze")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at__isnull=True)
                | Q(state__in=["sealed", "refused", "failed", "superseded"], ended_at__isnull=False),
                name="freezeattempt_ended",
            )
        ]

    def __str__(self) -> str:
        """Return period and state."""
        return f"{self.period} {self.state}"
