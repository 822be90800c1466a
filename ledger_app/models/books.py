"""Books and their periods, and the seals that end them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class Book(models.Model):
    """One ledger in one unit. ``exponent`` places the decimal point: 2 where the minor unit is a hundredth."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100)
    unit = models.CharField(_("unit"), max_length=12)
    exponent = models.PositiveSmallIntegerField(_("decimals of the unit"), default=0)
    time_zone = models.CharField(_("time zone"), max_length=64)

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("book")
        verbose_name_plural = _("books")
        permissions = [
            ("open_book", gettext_noop("Can open books, their periods and accounts, and say which accounts members get"))
        ]
        constraints = [models.CheckConstraint(condition=Q(exponent__lte=6), name="book_exponent_small")]

    def __str__(self) -> str:
        """Return the code."""
        return self.code


class Period(models.Model):
    """A span of a book's dates, both ends included."""

    class State(models.TextChoices):
        """What a period accepts: all entries, corrections by hand only, none for ever."""

        OPEN = "open", _("Open")
        PROVISIONAL = "provisional", _("Provisional")
        FROZEN = "frozen", _("Frozen")

    book = models.ForeignKey(Book, models.PROTECT, related_name="periods", verbose_name=_("book"), db_index=False)
    name = models.CharField(_("name"), max_length=20)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("period")
        verbose_name_plural = _("periods")
        permissions = [
            ("close_period", gettext_noop("Can mark a period provisional and reopen it")),
            ("freeze_period", gettext_noop("Can freeze a period")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["book", "starts_on"], name="period_start_unique"),
            models.UniqueConstraint(fields=["book", "name"], name="period_name_unique"),
            models.CheckConstraint(condition=Q(starts_on__lte=models.F("ends_on")), name="period_span_forward"),
            models.CheckConstraint(condition=Q(state__in=["open", "provisional", "frozen"]), name="period_state_known"),
        ]

    def __str__(self) -> str:
        """Return book and name."""
        return f"{self.book.code} {self.name}"


class ClosePolicy(models.Model):
    """When a book's periods are to be provisional and may be frozen, which control totals a freeze needs, and how many months are opened ahead.

    Hours are counted from the end of a period's last day in the book's zone. A book without one waits for nothing, and opens nothing by itself.
    """

    book = models.OneToOneField(Book, models.PROTECT, related_name="close_policy", verbose_name=_("book"))
    provisional_after_hours = models.PositiveIntegerField(_("provisional after so many hours"))
    freeze_after_hours = models.PositiveIntegerField(_("frozen after so many hours at the earliest"))
    months_ahead = models.PositiveSmallIntegerField(_("months opened ahead"))
    controls = models.JSONField(_("control totals that a freeze needs"))
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("policy of the close")
        verbose_name_plural = _("policies of the close")
        permissions = [
            ("set_close_policy", gettext_noop("Can set the policies of the close")),
            ("keep_close_times", gettext_noop("Can mark periods provisional whose time is over")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(freeze_after_hours__gte=models.F("provisional_after_hours")), name="closepolicy_in_order"
            ),
        ]

    def __str__(self) -> str:
        """Return the book's code."""
        return self.book.code


class Seal(models.Model):
    """The evidence of a freeze, chained to the seal before it. Never changed: the database refuses."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="seals", verbose_name=_("book"), db_index=False)
    period = models.OneToOneField(Period, models.PROTECT, related_name="seal", verbose_name=_("period"))
    number = models.PositiveIntegerField(_("number"))
    previous = models.OneToOneField("self", models.PROTECT, null=True, related_name="next", verbose_name=_("previous seal"))
    digest = DigestField(_("digest"))
    form = models.CharField(_("canonical form"), max_length=20)
    entry_count = models.PositiveBigIntegerField(_("entries"))
    line_count = models.PositiveBigIntegerField(_("lines"))
    debit_total = models.BigIntegerField(_("sum of debits"))
    trial_balance = models.JSONField(_("trial balance"))
    controls = models.JSONField(_("control totals"))
    code_version = models.CharField(_("code version"), max_length=64)
    sealed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("sealed by"))
    sealed_at = models.DateTimeField(_("sealed at"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        constraints = [
            models.UniqueConstraint(fields=["book", "number"], name="seal_number_unique"),
            models.CheckConstraint(
                condition=Q(number=1, previous__isnull=True) | Q(number__gt=1, previous__isnull=False), name="seal_chained"
            ),
        ]

    def __str__(self) -> str:
        """Return the period and the beginning of the digest."""
        return f"{self.period} {bytes(self.digest).hex()[:8]}"
