"""Tokens: by what a program says, with each request, in whose name it calls."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.fields import DigestField
from ledger_app.values import tokens as rules


class Token(models.Model):
    """A key that was issued to a user, by its digest: the key itself is shown once and kept nowhere. A token that has ended stays, and opens nothing.

    ``operations`` are those of the user's rights to act that it may use, and ``books`` the codes of those that it reaches; None is all that the user
    has. What it is for never changes: another is issued in its place, which ``replaces`` it, and this one ends at a date.
    """

    class Ending(models.TextChoices):
        """Why it ended before its time."""

        REVOKED = "revoked", _("Revoked")
        PASSWORD = "password", _("The password was changed")
        DISABLED = "disabled", _("The user was disabled")
        ADMINISTRATOR = "administrator", _("The user may do everything")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=rules.NAME_MOST)
    prefix = models.CharField(_("beginning of the key"), max_length=rules.PREFIX_MOST)
    digest = DigestField(_("digest"))
    operations = models.JSONField(_("operations"), null=True, blank=True)
    books = models.JSONField(_("books"), null=True, blank=True)
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("issued by"))
    issued_at = models.DateTimeField(_("issued at"))
    ends_at = models.DateTimeField(_("ends at"))
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )
    ending = models.CharField(_("why it ended"), max_length=16, blank=True, default="", choices=Ending.choices)

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        default_permissions = ("view",)
        permissions = [("give_token", gettext_noop("Can issue tokens to programs, and end anybody's"))]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="token_digest_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="token_name_given"),
            models.CheckConstraint(condition=Q(ends_at__gte=F("issued_at")), name="token_ends_later"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ending="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ending="")),
                name="token_ending_whole",
            ),
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name
