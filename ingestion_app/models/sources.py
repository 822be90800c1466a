"""Who sends files, and how they are read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.errors.printable import escaped
from ledger_app.models import User
from ledger_app.models.fields import DigestField


class Source(models.Model):
    """An external sender of files."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100)

    history = HistoricalRecords()

    class Meta:
        """Names and rights."""

        verbose_name = _("source")
        verbose_name_plural = _("sources")
        permissions = [("load_source", gettext_noop("Can load a new version of a source"))]

    def __str__(self) -> str:
        """Return the code."""
        return self.code


class SourceVersion(models.Model):
    """One version of a source's layout and rules: the TOML text, kept to the letter. Never changed."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="versions", verbose_name=_("source"), db_index=False)
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("definition"))
    digest = DigestField(_("digest"))
    loaded_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("loaded by"))
    loaded_at = models.DateTimeField(_("loaded at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("source version")
        verbose_name_plural = _("source versions")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="source_version_unique")]

    def __str__(self) -> str:
        """Return source and number."""
        return f"{self.source.code} v{self.number}"


class File(models.Model):
    """Immutable bytes, named by their SHA-256. The bytes lie in the files directory, under that name."""

    sha256 = DigestField(_("SHA-256"), unique=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    stored_at = models.DateTimeField(_("stored at"))

    class Meta:
        """Names."""

        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self) -> str:
        """Return the SHA-256 in hexadecimal."""
        return bytes(self.sha256).hex()


class Receipt(models.Model):
    """The arrival of a file; duplicates, conflicts and refusals included. Never changed."""

    class Outcome(models.TextChoices):
        """What became of the arrival."""

        ACCEPTED = "accepted", _("Accepted")
        DUPLICATE = "duplicate", _("Duplicate")
        CONFLICT = "conflict", _("Conflict")
        REFUSED = "refused", _("Refused")

    source = models.ForeignKey(Source, models.PROTECT, related_name="receipts", verbose_name=_("source"))
    file = models.ForeignKey(File, models.PROTECT, related_name="receipts", verbose_name=_("file"))
    name = models.CharField(_("name as received"), max_length=255)
    business_date = models.DateField(_("business date"), null=True)
    sequence = models.PositiveIntegerField(_("sequence"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    first = models.ForeignKey("self", models.PROTECT, null=True, related_name="repeats", verbose_name=_("first receipt"))
    received_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("received by"))
    received_at = models.DateTimeField(_("received at"))
    door = models.CharField(_("door"), max_length=12)
    os_user = models.CharField(_("system user"), max_length=64, blank=True)
    host = models.CharField(_("host"), max_length=64, blank=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["accepted", "refused"], first__isnull=True)
                | Q(outcome__in=["duplicate", "conflict"], first__isnull=False),
                name="receipt_points_to_first",
            ),
            models.CheckConstraint(
                condition=Q(outcome="refused") | Q(business_date__isnull=False, sequence__isnull=False), name="receipt_slot_known"
            ),
        ]

    def __str__(self) -> str:
        """Return the name as received, with what would act on a page or a terminal as escapes."""
        return escaped(self.name)


class PrunedFile(models.Model):
    """A file whose bytes were removed, as no batch ever rested on them and the policy says so. Never changed."""

    file = models.OneToOneField(File, models.PROTECT, primary_key=True, related_name="pruned", verbose_name=_("file"))
    pruned_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("removed by"))
    pruned_at = models.DateTimeField(_("removed at"))

    class Meta:
        """Names."""

        verbose_name = _("file whose bytes were removed")
        verbose_name_plural = _("files whose bytes were removed")

    def __str__(self) -> str:
        """Return the SHA-256 of the file."""
        return str(self.file)
