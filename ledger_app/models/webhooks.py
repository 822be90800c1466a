"""Where events are sent to: the addresses that are told, how far each has come, and what could not be delivered."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.people import User
from ledger_app.models.requests import Event


class Webhook(models.Model):
    """An address that events are sent to, in the order of their numbers.

    ``cursor`` is the number of the last event that is done with. The secret is not kept: it is made of the key of the installation, the number of
    the row and its generation. Until ``overlap_until`` what is sent is signed under the generation before, too. Anyone who delivers holds the row by
    ``lease`` until ``leased_until``.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    url = models.CharField(_("address"), max_length=300)
    kinds = models.JSONField(_("kinds of events"), default=list)
    is_active = models.BooleanField(_("in use"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    generation = models.PositiveIntegerField(_("generation of the secret"), default=1)
    overlap_until = models.DateTimeField(_("signed under both until"), null=True)
    kept_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("kept by"))
    cursor = models.PositiveBigIntegerField(_("delivered up to"), default=0)
    failures = models.PositiveIntegerField(_("failed tries"), default=0)
    why = models.CharField(_("why it failed"), max_length=100, blank=True)
    next_at = models.DateTimeField(_("tried again at"), null=True)
    lease = models.CharField(_("lease"), max_length=32, blank=True)
    leased_until = models.DateTimeField(_("leased until"), null=True)

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        permissions = [("keep_webhook", gettext_noop("Can keep webhooks"))]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="webhook_named"),
            models.CheckConstraint(condition=Q(generation__gte=1), name="webhook_generation_counted"),
            models.CheckConstraint(
                condition=Q(lease="", leased_until__isnull=True) | Q(~Q(lease=""), leased_until__isnull=False),
                name="webhook_lease_whole",
            ),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def is_gone(self) -> bool:
        """Whether the webhook is out of use because its receiver said that it is gone. A change of the webhook clears this."""
        return not self.is_active and bool(self.why)


class DeadLetter(models.Model):
    """An event that a webhook did not take, after so many tries. It is sent again where somebody asks for it."""

    class State(models.TextChoices):
        """What became of it."""

        DEAD = "dead", _("not delivered")
        AGAIN = "again", _("to be sent again")
        SENT = "sent", _("delivered")

    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="letters", verbose_name=_("webhook"), db_index=False)
    event = models.ForeignKey(Event, models.PROTECT, related_name="+", verbose_name=_("event"))
    state = models.CharField(_("state"), max_length=5, choices=State.choices, default=State.DEAD)
    tries = models.PositiveIntegerField(_("tries"))
    why = models.CharField(_("why it failed"), max_length=100)
    at = models.DateTimeField(_("at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="dead_letter_once"),
            models.CheckConstraint(condition=Q(state__in=["dead", "again", "sent"]), name="dead_letter_state_known"),
        ]

    def __str__(self) -> str:
        """Return the number."""
        return f"#{self.pk}"
