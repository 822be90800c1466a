"""Postings, entries and lines. Written once by ``posting.operations.entries.post``; the database refuses every change."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.accounts import Account
from ledger_app.models.books import Book
from ledger_app.models.fields import DigestField, KeyField
from ledger_app.models.people import User


class Posting(models.Model):
    """One call of ``post``: who, when, and on whose behalf. What a hundred thousand entries have in common is written once.

    ``origin_kind`` and ``origin_id`` name what the entries come from, once: a chunk cannot be posted twice.
    """

    class Origin(models.TextChoices):
        """Where entries come from."""

        CHUNK = "chunk", _("Chunk of a batch")
        REVERSAL = "reversal", _("Reversal")
        ADJUSTMENT = "adjustment", _("Adjustment")
        EXPIRY = "expiry", _("Expiry")
        MERGE = "merge", _("Merge")
        HOLD = "hold", _("Hold")
        SUBMISSION = "submission", _("Request of a program")

    origin_kind = models.CharField(_("origin"), max_length=12, choices=Origin)
    origin_id = models.PositiveBigIntegerField(_("origin's number"))
    posted_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("posted by"))
    posted_at = models.DateTimeField(_("posted at"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    entry_count = models.PositiveIntegerField(_("entries"))
    line_count = models.PositiveIntegerField(_("lines"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        # The last instant that was given: no later posting has an earlier one.
        indexes = [models.Index(fields=["posted_at"], name="posting_posted_at")]
        constraints = [models.UniqueConstraint(fields=["origin_kind", "origin_id"], name="posting_origin_unique")]

    def __str__(self) -> str:
        """Return the origin."""
        return f"{self.origin_kind} {self.origin_id}"


PLACES = 1 << 20  # entries, and lines, that one posting may have


class Entry(models.Model):
    """A journal entry: a balanced, dated, referenced fact of one book.

    The primary key is ``posting × 2²⁰ + place``, counted from 0 in the posting: anyone who writes a hundred thousand entries knows their ids
    beforehand, and no writer waits for another one's counter (docs/decisions/0018).

    A reference names the entry that stands. Once that one is reversed, the next entry may bear the reference: ``turn`` counts how many did
    before it, and the database refuses a turn before which none was reversed (docs/decisions/0036).
    """

    id = KeyField()
    posting = models.ForeignKey(Posting, models.PROTECT, related_name="entries", verbose_name=_("posting"))
    book = models.ForeignKey(Book, models.PROTECT, related_name="entries", verbose_name=_("book"), db_index=False)
    effective_on = models.DateField(_("date"))
    reference = models.CharField(_("reference"), max_length=100)
    turn = models.PositiveIntegerField(_("turn"), default=0, db_default=0)
    description = models.CharField(_("description"), max_length=200, blank=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name=_("reverses")
    )
    digest = DigestField(_("digest"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        permissions = [("reverse_entry", gettext_noop("Can reverse an entry"))]
        indexes = [models.Index(fields=["book", "effective_on"], name="entry_date")]
        constraints = [
            models.UniqueConstraint(fields=["book", "reference", "turn"], name="entry_reference_unique"),
            models.CheckConstraint(condition=~Q(reference=""), name="entry_reference_given"),
        ]

    def __str__(self) -> str:
        """Return the reference."""
        return self.reference


class Line(models.Model):
    """One side of an entry: signed, debit positive; ``balance_after`` is the balance of the account's stripe after it.

    The primary key is made as an entry's is: the lines of a posting stand together, in the order of its entries. The date is its entry's, kept
    here so that the lines of an account are read in the order of their dates, a page at a time (docs/decisions/0049).
    """

    id = KeyField()
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="lines", verbose_name=_("entry"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="lines", verbose_name=_("account"), db_index=False)
    stripe = models.PositiveSmallIntegerField(_("stripe"))
    sequence = models.PositiveBigIntegerField(_("sequence"))
    amount = models.BigIntegerField(_("amount"))
    balance_after = models.BigIntegerField(_("balance after"))
    effective_on = models.DateField(_("date"), null=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("line")
        verbose_name_plural = _("lines")
        # Sums of a span, and pages of it, are read from the index alone.
        indexes = [models.Index(fields=["account", "effective_on", "id", "amount"], name="line_date")]
        constraints = [
            # Two writers that both believed in the same balance collide here.
            models.UniqueConstraint(fields=["account", "stripe", "sequence"], name="line_sequence_unique"),
            models.CheckConstraint(condition=~Q(amount=0), name="line_amount_not_zero"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="line_sequence_positive"),
        ]

    def __str__(self) -> str:
        """Return account and amount."""
        return f"{self.account_id} {self.amount}"
