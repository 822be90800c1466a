"""How a book's entries become an accounting program's file, and what was handed over of them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.books import Book, Period, Seal
from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class Profile(models.Model):
    """An accounting program that entries of a book are handed to. What it says is in its versions. Never changed: the database refuses."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="profiles", verbose_name=_("book"), db_index=False)
    name = models.CharField(_("name"), max_length=32)

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        permissions = [("set_profile", gettext_noop("Can set how entries are handed to accounting"))]
        constraints = [models.UniqueConstraint(fields=["book", "name"], name="profile_name_unique")]

    def __str__(self) -> str:
        """Return book and name."""
        return f"{self.book.code} {self.name}"


class ProfileVersion(models.Model):
    """One version of a profile: the TOML text, kept to the letter. Never changed: the database refuses."""

    profile = models.ForeignKey(Profile, models.PROTECT, related_name="versions", verbose_name=_("profile"), db_index=False)
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("definition"))
    digest = DigestField(_("digest"))
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("set by"))
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("profile version")
        verbose_name_plural = _("profile versions")
        constraints = [models.UniqueConstraint(fields=["profile", "number"], name="profile_version_unique")]

    def __str__(self) -> str:
        """Return profile and number."""
        return f"{self.profile} v{self.number}"


class Export(models.Model):
    """A frozen period that was handed over by a profile, once. Never changed: the database refuses.

    ``manifest`` says what was in the file: rows, sums by account, the seal. Slips are numbered through the fiscal year, and no number of it comes twice.
    """

    profile = models.ForeignKey(Profile, models.PROTECT, related_name="exports", verbose_name=_("profile"), db_index=False)
    version = models.ForeignKey(ProfileVersion, models.PROTECT, related_name="+", verbose_name=_("profile version"))
    period = models.ForeignKey(Period, models.PROTECT, related_name="exports", verbose_name=_("period"))
    seal = models.ForeignKey(Seal, models.PROTECT, related_name="+", verbose_name=_("seal"))
    fiscal_year = models.PositiveSmallIntegerField(_("fiscal year"))
    first_slip = models.PositiveIntegerField(_("first slip"))
    next_slip = models.PositiveIntegerField(_("slip after the last"))
    row_count = models.PositiveIntegerField(_("rows"))
    sha256 = DigestField(_("SHA-256 of the file"))
    manifest = models.JSONField(_("manifest"))
    handed_over_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("handed over by"))
    handed_over_at = models.DateTimeField(_("handed over at"))

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("export to accounting")
        verbose_name_plural = _("exports to accounting")
        permissions = [("hand_over", gettext_noop("Can hand a frozen period over to accounting"))]
        constraints = [
            models.UniqueConstraint(fields=["profile", "period"], name="export_period_once"),
            models.CheckConstraint(condition=Q(first_slip__gte=1, next_slip__gte=F("first_slip")), name="export_slips_forward"),
        ]

    def __str__(self) -> str:
        """Return the period and the profile."""
        return f"{self.period} {self.profile.name}"
