"""Those who work here (users), and those whose points these are (holders)."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class User(AbstractUser):
    """A person or a system that acts. ``system`` stands for what the machine does by itself."""

    SYSTEM = "system"

    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        """Names."""

        verbose_name = _("user")
        verbose_name_plural = _("users")


class Holder(models.Model):
    """A member: the one to whom accounts belong, found by identifiers."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", verbose_name=_("merged into")
    )
    opened_at = models.DateTimeField(_("opened at"))

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        """Return the name, or the number where there is none."""
        return self.name or f"#{self.pk}"


class Identifier(models.Model):
    """One of the ways to name a holder. An identifier is given out once and never to somebody else."""

    MEMBER_NUMBER = "member_number"
    CARD_TOKEN = "card_token"  # noqa: S105 - a kind, not a secret

    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("value"), max_length=64)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="identifiers", verbose_name=_("member"))
    active_from = models.DateField(_("active from"), null=True, blank=True)
    active_to = models.DateField(_("active to"), null=True, blank=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="identifier_unique"),
            models.CheckConstraint(condition=~Q(value=""), name="identifier_value_given"),
            models.CheckConstraint(
                condition=Q(active_from__isnull=True) | Q(active_to__isnull=True) | Q(active_from__lte=models.F("active_to")),
                name="identifier_span_forward",
            ),
        ]

    def __str__(self) -> str:
        """Return kind and value."""
        return f"{self.kind} {self.value}"
