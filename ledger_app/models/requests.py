"""What programs ask for: the requests that may be sent again, what they posted, and the feed of what changed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class IdempotencyKey(models.Model):
    """A key under which a request was sent, and what was answered: written in the transaction of its effect, so both are there or neither is.

    ``fields`` are keyed digests of what the request said, by name: they tell which field of another request differs, and hold none of it.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("sent by"), db_index=False)
    key = models.CharField(_("key"), max_length=255)
    path = models.CharField(_("address"), max_length=500)
    digest = DigestField(_("digest of the request"))
    fields = models.JSONField(_("digests of its fields"))
    status = models.PositiveSmallIntegerField(_("status"))
    location = models.CharField(_("location"), max_length=500, blank=True)
    body = models.TextField(_("answer"), blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        """Names, indexes and constraints."""

        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        indexes = [models.Index(fields=["at"], name="idempotency_key_at")]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_unique"),
            models.CheckConstraint(condition=~Q(key=""), name="idempotency_key_given"),
        ]

    def __str__(self) -> str:
        """Return the key."""
        return self.key


class Submission(models.Model):
    """Entries that a program sent in one request to be posted. Never changed: the database refuses.

    ``given_count`` is how many were sent; how many of them are new is what the posting of this origin says.
    """

    sent_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("sent by"))
    sent_at = models.DateTimeField(_("sent at"))
    request = models.CharField(_("request"), max_length=64, blank=True)
    host = models.CharField(_("host"), max_length=64, blank=True)
    given_count = models.PositiveIntegerField(_("entries that were sent"))

    class Meta:
        """Names and rights."""

        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        permissions = [("post_entry", gettext_noop("Can post entries by program"))]
        constraints = [models.CheckConstraint(condition=Q(given_count__gte=1), name="submission_not_empty")]

    def __str__(self) -> str:
        """Return the number."""
        return f"#{self.pk}"


class Event(models.Model):
    """One thing that changed, written in the transaction that changed it; only its number is given afterwards.

    Numbers are given in the order in which changes became visible, without gaps: anyone who has read up to a number has missed nothing before it.
    """

    number = models.PositiveBigIntegerField(_("number"), null=True, unique=True)
    kind = models.CharField(_("kind"), max_length=52)
    subject_type = models.CharField(_("of"), max_length=20)
    subject_id = models.PositiveBigIntegerField(_("number of it"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        """Names and indexes."""

        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="event_subject")]

    def __str__(self) -> str:
        """Return the kind and what it is about."""
        return f"{self.kind} {self.subject_id}"


class Feed(models.Model):
    """The one row that is held while numbers are given to events, with the last number that was given."""

    last_number = models.PositiveBigIntegerField(_("last number"), default=0)

    class Meta:
        """Names."""

        verbose_name = _("feed")
        verbose_name_plural = _("feeds")

    def __str__(self) -> str:
        """Return the last number."""
        return str(self.last_number)
