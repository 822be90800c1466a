"""Lots: points granted with a last day, what lines took of them, and what is left.

Lots and their uses are written once, by ``posting.operations.entries.post``; the database refuses every change. What is left of a lot is a claim that
is set, as a balance is, and gone when nothing is left.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.accounts import Account
from ledger_app.models.books import Book
from ledger_app.models.entries import Line
from ledger_app.models.fields import KeyField
from ledger_app.models.people import User


class LotRule(models.Model):
    """What a book says of the lots of the accounts of one role. Accounts opened after it keep lots."""

    class Expiry(models.TextChoices):
        """When a lot's last day is."""

        NEVER = "never", _("Never")
        DAYS = "days", _("Days after granting")
        MONTHS = "months", _("Months after granting, to the month's end")
        FIXED = "fixed", _("A fixed date")

    class Order(models.TextChoices):
        """Which lots a spend takes first."""

        FREE_FIRST = "free_first", _("Earliest expiry first, free before paid")
        PAID_FIRST = "paid_first", _("Earliest expiry first, paid before free")
        OLDEST_FIRST = "oldest_first", _("Oldest first")

    class Kind(models.TextChoices):
        """Whether the member paid for what is granted."""

        PAID = "paid", _("Paid")
        FREE = "free", _("Free")

    book = models.ForeignKey(Book, models.PROTECT, related_name="lot_rules", verbose_name=_("book"), db_index=False)
    role = models.CharField(_("role"), max_length=32)
    expiry = models.CharField(_("expiry"), max_length=8, choices=Expiry)
    validity = models.PositiveIntegerField(_("validity in days or months"), null=True, blank=True)
    fixed_on = models.DateField(_("fixed date"), null=True, blank=True)
    order = models.CharField(_("order of spending"), max_length=12, choices=Order, default=Order.FREE_FIRST)
    kind = models.CharField(_("kind of a grant"), max_length=8, choices=Kind, default=Kind.FREE)
    breakage = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("breakage account"))

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("rule of lots")
        verbose_name_plural = _("rules of lots")
        permissions = [("set_lot_rule", gettext_noop("Can set the rules of lots"))]
        constraints = [
            models.UniqueConstraint(fields=["book", "role"], name="lotrule_role_unique"),
            models.CheckConstraint(
                condition=Q(expiry="never", validity__isnull=True, fixed_on__isnull=True)
                | Q(expiry__in=["days", "months"], validity__isnull=False, validity__gte=1, fixed_on__isnull=True)
                | Q(expiry="fixed", validity__isnull=True, fixed_on__isnull=False),
                name="lotrule_expiry_whole",
            ),
            models.CheckConstraint(
                condition=Q(order__in=["free_first", "paid_first", "oldest_first"], kind__in=["paid", "free"]),
                name="lotrule_words_known",
            ),
        ]

    def __str__(self) -> str:
        """Return book and role."""
        return f"{self.book.code} {self.role}"


class Lot(models.Model):
    """Points that one line granted. A deficit is what a line took beyond all lots: its amount is negative, and later grants pay it off.

    The primary key is made as that of a line is: ``posting × 2²⁰ + place``.
    """

    class Kind(models.TextChoices):
        """What kind of points these are."""

        PAID = "paid", _("Paid")
        FREE = "free", _("Free")
        DEFICIT = "deficit", _("Deficit")

    id = KeyField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", verbose_name=_("account"))
    line = models.ForeignKey(Line, models.PROTECT, related_name="lots", verbose_name=_("line"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    granted_on = models.DateField(_("granted on"))
    expires_on = models.DateField(_("expires on"), null=True)
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["paid", "free"], amount__gt=0) | Q(kind="deficit", amount__lt=0, expires_on__isnull=True),
                name="lot_amount_of_kind",
            ),
        ]

    def __str__(self) -> str:
        """Return the number."""
        return f"#{self.pk}"


class LotUse(models.Model):
    """What a line took of a lot; negative: gave back. The key is made as that of a line is."""

    id = KeyField()
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses", verbose_name=_("lot"))
    line = models.ForeignKey(Line, models.PROTECT, related_name="lot_uses", verbose_name=_("line"))
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("use of a lot")
        verbose_name_plural = _("uses of lots")
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="lotuse_amount_not_zero")]

    def __str__(self) -> str:
        """Return lot and amount."""
        return f"{self.lot_id} {self.amount}"


class OpenLot(models.Model):
    """What is left of a lot, and how much of that is held. ``due_on`` is its last day, which a reversal may have put off."""

    lot = models.OneToOneField(Lot, models.PROTECT, primary_key=True, related_name="remainder", verbose_name=_("lot"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="open_lots", verbose_name=_("account"))
    book = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("book"), db_index=False)
    due_on = models.DateField(_("due on"), null=True)
    remaining = models.BigIntegerField(_("remaining"))
    held = models.BigIntegerField(_("held"), default=0)

    class Meta:
        """Names and constraints."""

        verbose_name = _("open lot")
        verbose_name_plural = _("open lots")
        # What is due in a book is found without reading what is not.
        indexes = [models.Index(fields=["book", "due_on", "account"], name="openlot_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gt=0, held__gte=0, held__lte=F("remaining")) | Q(remaining__lt=0, held=0),
                name="openlot_held_within",
            ),
        ]

    def __str__(self) -> str:
        """Return lot and remainder."""
        return f"{self.lot_id} {self.remaining}"


class ExpiryRun(models.Model):
    """One run of ``expire``: through which day, and by whom."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="expiry_runs", verbose_name=_("book"))
    through = models.DateField(_("through"))
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("started by"))
    started_at = models.DateTimeField(_("started at"))

    class Meta:
        """Names."""

        verbose_name = _("run of expiry")
        verbose_name_plural = _("runs of expiry")

    def __str__(self) -> str:
        """Return book and day."""
        return f"{self.book.code} {self.through}"


class ExpiryChunk(models.Model):
    """The expiries of some accounts of a run, posted in one transaction: the origin of their entries."""

    run = models.ForeignKey(ExpiryRun, models.PROTECT, related_name="chunks", verbose_name=_("run of expiry"))
    entry_count = models.PositiveIntegerField(_("entries"))
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        """Names."""

        verbose_name = _("part of a run of expiry")
        verbose_name_plural = _("parts of a run of expiry")

    def __str__(self) -> str:
        """Return run and number."""
        return f"{self.run_id}/{self.pk}"
