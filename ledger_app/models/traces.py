"""What the database itself writes down of each row that is written, the chain over it, and digests of what postings wrote."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger_app.models.books import Seal
from ledger_app.models.entries import Posting
from ledger_app.models.fields import DigestField


class Trace(models.Model):
    """What a row said when it was written, kept by triggers: every write of a row leaves one, by whatever means it is done. Never changed: the database refuses.

    ``content`` is the row's columns in the order of its model, each as an SQL literal, with commas between (docs/canonical-form.md).
    """

    class Event(models.TextChoices):
        """What was done to the row."""

        INSERTED = "I", _("Written")
        UPDATED = "U", _("Changed")
        DELETED = "D", _("Removed")
        FOUND = "F", _("Found when the trace began")

    table_name = models.CharField(_("table"), max_length=64)
    row_id = models.BigIntegerField(_("number"))
    event = models.CharField(_("event"), max_length=1, choices=Event)
    content = models.TextField(_("content"))
    at = models.DateTimeField(_("at"))

    class Meta:
        """Names and indexes."""

        verbose_name = _("trace")
        verbose_name_plural = _("traces")
        indexes = [models.Index(fields=["table_name", "row_id"], name="trace_row")]

    def __str__(self) -> str:
        """Return table, number and event."""
        return f"{self.table_name} {self.row_id} {self.event}"


class Link(models.Model):
    """One link of the chain over the traces, written at a distance from open transactions. Never changed: the database refuses.

    ``spans`` are the [first, last] numbers of the traces that it covers; ``gaps`` the [first, last, since when] of numbers up to ``last_trace``
    under which no trace was committed yet: they are covered by a later link, or were given to a transaction that was undone. Number 0 covers nothing.
    """

    number = models.PositiveBigIntegerField(_("number"), unique=True)
    last_trace = models.BigIntegerField(_("last trace"))
    spans = models.JSONField(_("traces"))
    gaps = models.JSONField(_("gaps"))
    trace_count = models.PositiveIntegerField(_("traces covered"))
    digest = DigestField(_("digest"))
    linked_at = models.DateTimeField(_("linked at"))

    class Meta:
        """Names."""

        verbose_name = _("link")
        verbose_name_plural = _("links")

    def __str__(self) -> str:
        """Return number and the beginning of the digest."""
        return f"{self.number} {bytes(self.digest).hex()[:8]}"


class PostingDigest(models.Model):
    """The digest of all that a posting wrote, its lots included, written with it. Never changed: the database refuses."""

    posting = models.OneToOneField(Posting, models.PROTECT, primary_key=True, related_name="proof", verbose_name=_("posting"))
    lot_count = models.PositiveIntegerField(_("lots"))
    use_count = models.PositiveIntegerField(_("uses of lots"))
    digest = DigestField(_("digest"))

    class Meta:
        """Names."""

        verbose_name = _("digest of a posting")
        verbose_name_plural = _("digests of postings")

    def __str__(self) -> str:
        """Return the beginning of the digest."""
        return bytes(self.digest).hex()[:8]


class SealCover(models.Model):
    """What a seal covers beside the entries: the chain's head when it was written, and so all that is linked. Never changed: the database refuses."""

    seal = models.OneToOneField(Seal, models.PROTECT, primary_key=True, related_name="cover", verbose_name=_("seal"))
    link = models.ForeignKey(Link, models.PROTECT, related_name="+", verbose_name=_("link"))
    digest = DigestField(_("digest"))

    class Meta:
        """Names."""

        verbose_name = _("cover of a seal")
        verbose_name_plural = _("covers of seals")

    def __str__(self) -> str:
        """Return the beginning of the digest."""
        return bytes(self.digest).hex()[:8]
