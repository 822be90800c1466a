"""What a user signs in with beside a name and a password: codes of an app, passkeys, the codes that help where those are lost, and an identity at a provider."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class SecondFactor(models.Model):
    """A thing that a user has: an app that shows codes, or a passkey. Gone when it is removed or reset; the audit rows stay.

    ``content`` is, of an app, its secret, sealed under the key of ``key_name``; of a passkey what the device told of itself, nothing of which is secret, and
    ``credential_digest`` the SHA-256 of the name that it goes by. ``step`` is the highest that was ever used: of an app the time step, so that no
    code counts twice; of a passkey its own count, which a copy of it does not share.
    """

    class Kind(models.TextChoices):
        """What it is."""

        APP = "app", _("App with codes")
        PASSKEY = "passkey", _("Passkey")

    user = models.ForeignKey(User, models.PROTECT, related_name="second_factors", verbose_name=_("user"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=60)
    key_name = models.CharField(_("key"), max_length=16, blank=True, default="")
    content = models.BinaryField(_("content"), max_length=2000)
    credential_digest = DigestField(_("digest of the credential"), null=True, blank=True)
    step = models.BigIntegerField(_("step"), default=0)
    # Wrong codes one after another, from wherever they came.
    failures = models.PositiveIntegerField(_("wrong codes"), default=0)
    added_at = models.DateTimeField(_("added at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["credential_digest"], name="second_factor_credential_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="second_factor_name_given"),
            models.CheckConstraint(condition=Q(step__gte=0), name="second_factor_step_forward"),
            models.CheckConstraint(
                condition=(Q(kind="app", credential_digest__isnull=True) & ~Q(key_name=""))
                | Q(kind="passkey", credential_digest__isnull=False, key_name=""),
                name="second_factor_kind_whole",
            ),
        ]

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class RecoveryCode(models.Model):
    """A code that counts once in the place of a second factor, by its digest. Gone when it was used."""

    user = models.ForeignKey(User, models.PROTECT, related_name="recovery_codes", verbose_name=_("user"))
    digest = DigestField(_("digest"))
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        """Return whose it is: the code itself is known to its owner alone."""
        return self.user.username


class Identity(models.Model):
    """Whom the provider of single sign-on knows a user as: its issuer, and the name that it never gives to another. Gone when it is unbound; the audit rows stay.

    ``bound_by`` is the user, or the system, which an operator at the shell stands for. Nobody else binds: anyone who chose the subject could sign in as the user.
    """

    SUBJECT_MOST = 255
    ISSUER_MOST = 255

    user = models.OneToOneField(User, models.PROTECT, related_name="identity", verbose_name=_("user"))
    issuer = models.CharField(_("issuer"), max_length=ISSUER_MOST)
    subject = models.CharField(_("subject"), max_length=SUBJECT_MOST)
    bound_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("bound by"))
    bound_at = models.DateTimeField(_("bound at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("identity at the provider")
        verbose_name_plural = _("identities at the provider")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_subject_unique"),
            models.CheckConstraint(condition=~Q(issuer="") & ~Q(subject=""), name="identity_given"),
        ]

    def __str__(self) -> str:
        """Return whose it is: the subject may say who somebody is elsewhere."""
        return self.user.username
