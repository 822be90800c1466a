"""What was done and what was refused, and when the books were last proved."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.books import Book
from ledger_app.models.fields import ReasonsField
from ledger_app.models.people import User
from ledger_app.values import instants


class AuditRow(models.Model):
    """One change of state, or one refused attempt at it. Never changed: the database refuses."""

    class Outcome(models.TextChoices):
        """Whether it happened."""

        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    subject_type = models.CharField(_("of"), max_length=20)
    subject_id = models.PositiveBigIntegerField(_("number"))
    subject = models.CharField(_("what"), max_length=120)
    action = models.CharField(_("action"), max_length=30)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    from_state = models.CharField(_("from"), max_length=12, blank=True)
    to_state = models.CharField(_("to"), max_length=12, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    reasons = ReasonsField(_("why refused"), default=list)
    facts = models.JSONField(_("facts"), default=dict)
    door = models.CharField(_("door"), max_length=12)
    request = models.CharField(_("request"), max_length=64, blank=True)
    os_user = models.CharField(_("system user"), max_length=64, blank=True)
    host = models.CharField(_("host"), max_length=64, blank=True)

    class Meta:
        """Names and indexes."""

        verbose_name = _("audit row")
        verbose_name_plural = _("audit rows")
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["outcome"], name="audit_outcome"),
        ]

    def __str__(self) -> str:
        """Return action and subject."""
        return f"{self.action} {self.subject}"


class Verification(models.Model):
    """One run of ``verify``: what it looked at and what it found."""

    book = models.ForeignKey(Book, models.PROTECT, null=True, related_name="+", verbose_name=_("book"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))
    breaches = models.PositiveIntegerField(_("breaches"))
    results = models.JSONField(_("results"))

    class Meta:
        """Names."""

        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        permissions = [("run_verification", gettext_noop("Can run the verification"))]

    def __str__(self) -> str:
        """Return when it finished."""
        return instants.text(self.finished_at)
