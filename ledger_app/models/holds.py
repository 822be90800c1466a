"""Holds: points that are reserved until they are taken, given back, or their time is over."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy
from simple_history.models import HistoricalRecords

from ledger_app.models.accounts import Account
from ledger_app.models.books import Book
from ledger_app.models.lots import Lot
from ledger_app.models.people import User
from ledger_app.values.most import HOURS_MOST


class HoldRule(models.Model):
    """What a book says of holds: how much, how long, and to which accounts. Where it says nothing, ``posting.rules.holds`` does."""

    book = models.OneToOneField(Book, models.PROTECT, related_name="hold_rule", verbose_name=_("book"))
    amount_most = models.BigIntegerField(_("a hold at most"), null=True, blank=True)
    amount_a_day = models.BigIntegerField(_("an account a day at most"), null=True, blank=True)
    hours_most = models.PositiveIntegerField(_("hours at most"), default=HOURS_MOST)
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("rule of holds")
        verbose_name_plural = _("rules of holds")
        permissions = [("set_hold_rule", gettext_noop("Can set the rules of holds"))]
        constraints = [
            models.CheckConstraint(
                condition=(Q(amount_most__isnull=True) | Q(amount_most__gte=1))
                & (Q(amount_a_day__isnull=True) | Q(amount_a_day__gte=1))
                & Q(hours_most__gte=1),
                name="holdrule_of_something",
            ),
        ]

    def __str__(self) -> str:
        """Return the book's code."""
        return self.book.code


class HoldTarget(models.Model):
    """An account to which what is held may go. Without any, each account of the book that is nobody's and keeps no lots."""

    rule = models.ForeignKey(HoldRule, models.PROTECT, related_name="targets", verbose_name=_("rule of holds"), db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("goes to"))

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("target of holds")
        verbose_name_plural = _("targets of holds")
        constraints = [models.UniqueConstraint(fields=["rule", "account"], name="holdtarget_once")]

    def __str__(self) -> str:
        """Return the account's code."""
        return self.account.code


class Hold(models.Model):
    """Points of an account that are promised to another, ``target``, until ``expires_at``. Resolved at most once."""

    class State(models.TextChoices):
        """What has become of it."""

        OPEN = "open", _("Open")
        SETTLED = "settled", _("Settled")
        RELEASED = "released", _("Released")
        EXPIRED = "expired", _("Expired")

    book = models.ForeignKey(Book, models.PROTECT, related_name="holds", verbose_name=_("book"), db_index=False)
    reference = models.CharField(_("reference"), max_length=100)
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", verbose_name=_("account"), db_index=False)
    target = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("goes to"))
    amount = models.BigIntegerField(_("amount"))
    description = models.CharField(_("description"), max_length=200, blank=True)
    expires_at = models.DateTimeField(_("good until"))
    placed_at = models.DateTimeField(_("placed at"))
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("placed by"))
    settled_amount = models.BigIntegerField(_("settled"), null=True)
    settled_on = models.DateField(_("settled on"), null=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("hold")
        verbose_name_plural = pgettext_lazy("reserved points", "holds")
        permissions = [
            ("place_hold", gettext_noop("Can hold points")),
            ("settle_hold", gettext_noop("Can settle a hold")),
            ("release_hold", gettext_noop("Can release a hold")),
            ("resolve_any_hold", gettext_noop("Can settle and release the holds that others placed")),
        ]
        indexes = [
            models.Index(fields=["account", "state"], name="hold_account"),
            models.Index(fields=["state", "expires_at"], name="hold_over"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["book", "reference"], name="hold_reference_unique"),
            models.CheckConstraint(condition=Q(amount__gte=1) & ~Q(reference=""), name="hold_of_something"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("placed_at")), name="hold_span_forward"),
            models.CheckConstraint(
                condition=Q(
                    state="settled",
                    settled_amount__isnull=False,
                    settled_amount__gte=1,
                    settled_amount__lte=F("amount"),
                    settled_on__isnull=False,
                )
                | Q(state__in=["open", "released", "expired"], settled_amount__isnull=True, settled_on__isnull=True),
                name="hold_settled_within",
            ),
        ]

    def __str__(self) -> str:
        """Return the reference."""
        return self.reference


class HoldLot(models.Model):
    """What a hold reserved of one lot. Written once, with the hold."""

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="parts", verbose_name=_("hold"), db_index=False)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="held_by", verbose_name=_("lot"))
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("lot of a hold")
        verbose_name_plural = _("lots of holds")
        constraints = [
            models.UniqueConstraint(fields=["hold", "lot"], name="holdlot_once"),
            models.CheckConstraint(condition=Q(amount__gte=1), name="holdlot_of_something"),
        ]

    def __str__(self) -> str:
        """Return hold and lot."""
        return f"{self.hold_id} {self.lot_id}"
