"""Accounts and their balances."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.books import Book
from ledger_app.models.people import Holder
from ledger_app.values.balances import STRIPES_MOST
from ledger_app.values.sides import CATEGORIES


class Account(models.Model):
    """One account of a book. Its floor is stated in its natural direction: debit for assets and expenses, credit for the rest."""

    class Category(models.TextChoices):
        """The five categories of accounts."""

        ASSET = "asset", _("Asset")
        LIABILITY = "liability", _("Liability")
        EQUITY = "equity", _("Equity")
        INCOME = "income", _("Income")
        EXPENSE = "expense", _("Expense")

    class State(models.TextChoices):
        """Only an open account takes lines."""

        OPEN = "open", _("Open")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    book = models.ForeignKey(Book, models.PROTECT, related_name="accounts", verbose_name=_("book"), db_index=False)
    code = models.CharField(_("code"), max_length=64)
    role = models.CharField(_("role"), max_length=32)
    category = models.CharField(_("category"), max_length=10, choices=Category)
    holder = models.ForeignKey(
        Holder, models.PROTECT, null=True, blank=True, related_name="accounts", verbose_name=_("member"), db_index=False
    )
    floor = models.BigIntegerField(_("floor"), null=True, blank=True)
    stripes = models.PositiveSmallIntegerField(_("stripes"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    # Decided when the account is opened, by the rule for its role; the database refuses a change once it has lines.
    keeps_lots = models.BooleanField(_("keeps lots"), default=False)
    version = models.PositiveIntegerField(_("version"), default=1)
    opened_at = models.DateTimeField(_("opened at"))

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        permissions = [
            ("suspend_account", gettext_noop("Can suspend accounts")),
            ("close_account", gettext_noop("Can reopen and close accounts")),
        ]
        indexes = [
            # For the few that are not open.
            models.Index(fields=["book", "state"], name="account_state"),
            # Which roles a book knows is asked by every page of a period.
            models.Index(fields=["book", "role"], name="account_role"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["book", "code"], name="account_code_unique"),
            # Holder first: this index also answers "which accounts has this holder".
            models.UniqueConstraint(fields=["holder", "book", "role"], name="account_role_unique"),
            models.CheckConstraint(condition=Q(category__in=list(CATEGORIES)), name="account_category_known"),
            models.CheckConstraint(condition=Q(state__in=["open", "suspended", "closed"]), name="account_state_known"),
            models.CheckConstraint(condition=Q(stripes__gte=1, stripes__lte=STRIPES_MOST), name="account_stripes_in_range"),
            # A floor is decided under the lock of one balance row; striped balances would need all of theirs.
            models.CheckConstraint(condition=Q(stripes=1) | Q(floor__isnull=True), name="account_floor_not_striped"),
            # The lock of one balance row is that of the account's lots; and what expires must never meet a floor.
            models.CheckConstraint(
                condition=Q(keeps_lots=False) | (Q(stripes=1) & (Q(floor__isnull=True) | Q(floor__lte=0))),
                name="account_lots_expire_freely",
            ),
        ]

    def __str__(self) -> str:
        """Return the code."""
        return self.code


class AccountTemplate(models.Model):
    """An account that each member is opened in a book: every member who is registered gets one of this role."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="templates", verbose_name=_("book"), db_index=False)
    role = models.CharField(_("role"), max_length=32)
    category = models.CharField(_("category"), max_length=10, choices=Account.Category)
    floor = models.BigIntegerField(_("floor"), null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("account template")
        verbose_name_plural = _("account templates")
        constraints = [
            models.UniqueConstraint(fields=["book", "role"], name="template_role_unique"),
            models.CheckConstraint(condition=Q(category__in=list(CATEGORIES)), name="template_category_known"),
        ]

    def __str__(self) -> str:
        """Return book and role."""
        return f"{self.book.code} {self.role}"


class Balance(models.Model):
    """The stored claim about one stripe of an account: signed, debit positive; ``sequence`` is that of its last line.

    ``last_on`` is the latest date of its lines: an entry dated on it or later leaves no day's closing balance unasked (docs/decisions/0033).

    The primary key is ``account × 64 + stripe``, so that the order of the key is the order of the locks.
    """

    id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="balances", verbose_name=_("account"), db_index=False)
    stripe = models.PositiveSmallIntegerField(_("stripe"))
    amount = models.BigIntegerField(_("amount"), default=0)
    sequence = models.PositiveBigIntegerField(_("sequence"), default=0)
    last_on = models.DateField(_("latest date of its lines"), null=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        constraints = [
            models.UniqueConstraint(fields=["account", "stripe"], name="balance_stripe_unique"),
            models.CheckConstraint(
                condition=Q(id=models.F("account_id") * STRIPES_MOST + models.F("stripe")), name="balance_key_computed"
            ),
            models.CheckConstraint(condition=Q(sequence__gt=0) | Q(amount=0), name="balance_unused_is_zero"),
        ]

    def __str__(self) -> str:
        """Return account and stripe."""
        return f"{self.account_id}/{self.stripe}"
