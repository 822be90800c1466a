"""Adjustments: proposals to post by hand, the decisions on them, and what finance and administrators keep for them."""

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.accounts import Account
from ledger_app.models.books import Book
from ledger_app.models.fields import DigestField
from ledger_app.models.people import User
from ledger_app.values.most import AMOUNT_MOST, WINDOW_DAYS, WINDOW_DAYS_MOST


class ReasonCode(models.Model):
    """Why balances are adjusted. It can be used in the books in which it has a contra account."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100)
    may_waive_floor = models.BooleanField(_("may break a floor"), default=False)
    is_active = models.BooleanField(_("in use"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names and rights."""

        verbose_name = _("reason code")
        verbose_name_plural = _("reason codes")
        permissions = [("keep_reasoncode", gettext_noop("Can add reason codes and change them"))]

    def __str__(self) -> str:
        """Return the code."""
        return self.code


class ContraAccount(models.Model):
    """The account that takes the other side of the adjustments with a reason code in a book."""

    reason_code = models.ForeignKey(
        ReasonCode, models.PROTECT, related_name="contra_accounts", verbose_name=_("reason code"), db_index=False
    )
    book = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("book"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("contra account"))

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("contra account")
        verbose_name_plural = _("contra accounts")
        constraints = [models.UniqueConstraint(fields=["reason_code", "book"], name="contra_account_unique")]

    def __str__(self) -> str:
        """Return reason code and account."""
        return f"{self.reason_code} {self.account}"


class AdjustmentLimit(models.Model):
    """How much a member of a group decides in a book, in minor units; above ``two_deciders_above`` a second person is needed.

    Both are for one member of the programme, in sum over ``window_days``. ``day_most`` is for all of them in sum over a day. What everybody
    decides together is added up as well: ``member_day_most`` for one member, ``all_day_most`` for all. Where there is a ``reason_code``, all of
    this is said of what is adjusted with it, beside what is said of everything.
    """

    group = models.ForeignKey(Group, models.PROTECT, related_name="+", verbose_name=_("group"), db_index=False)
    book = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("book"))
    amount_most = models.BigIntegerField(_("decides up to"))
    two_deciders_above = models.BigIntegerField(_("by two above"))
    window_days = models.PositiveSmallIntegerField(_("in sum over days"), default=WINDOW_DAYS)
    day_most = models.BigIntegerField(_("on one day up to"), null=True)
    member_day_most = models.BigIntegerField(_("all together, for one member on one day up to"), null=True)
    all_day_most = models.BigIntegerField(_("all together on one day up to"), null=True)
    # A code and no key: unique keys ignore NULL, and a reason code is never renamed or removed.
    reason_code = models.CharField(_("reason code"), max_length=32, blank=True, default="")

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("limit")
        verbose_name_plural = _("limits of adjustments")
        permissions = [("set_adjustmentlimit", gettext_noop("Can set the limits of adjustments"))]
        constraints = [
            models.UniqueConstraint(fields=["group", "book", "reason_code"], name="adjustment_limit_unique"),
            models.CheckConstraint(
                condition=Q(two_deciders_above__gte=0, amount_most__gte=F("two_deciders_above"), amount_most__lte=AMOUNT_MOST),
                name="adjustment_limit_rises",
            ),
            models.CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=WINDOW_DAYS_MOST)
                & (Q(day_most__isnull=True) | Q(day_most__gte=0))
                & (Q(member_day_most__isnull=True) | Q(member_day_most__gte=0))
                & (Q(all_day_most__isnull=True) | Q(all_day_most__gte=0)),
                name="adjustment_limit_in_sum",
            ),
        ]

    def __str__(self) -> str:
        """Return group and book, and the reason code where there is one."""
        return f"{self.group.name} {self.book.code} {self.reason_code}".rstrip()


class Adjustment(models.Model):
    """A proposal to move an account's balance by hand, decided by another person. What it says never changes: the database refuses.

    ``amount`` is in minor units and in the account's natural direction. ``shown_digest`` is that of what the proposer was shown.
    """

    class State(models.TextChoices):
        """What became of the proposal."""

        PROPOSED = "proposed", _("Proposed")
        ENDORSED = "endorsed", _("Approved once")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    key = models.CharField(_("key"), max_length=64)
    book = models.ForeignKey(Book, models.PROTECT, related_name="adjustments", verbose_name=_("book"), db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="adjustments", verbose_name=_("account"))
    contra_account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("contra account"))
    amount = models.BigIntegerField(_("amount"))
    effective_on = models.DateField(_("date"))
    reason_code = models.ForeignKey(ReasonCode, models.PROTECT, related_name="+", verbose_name=_("reason code"))
    text = models.CharField(_("why"), max_length=500)
    ticket = models.CharField(_("ticket"), max_length=40, blank=True)
    waives_floor = models.BooleanField(_("breaks a floor"), default=False)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"), db_index=False)
    proposed_at = models.DateTimeField(_("proposed at"))
    expires_at = models.DateTimeField(_("to be decided until"))
    shown_digest = DigestField(_("digest"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(_("version"), default=1)

    history = HistoricalRecords()

    class Meta:
        """Names, rights, indexes and constraints."""

        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        permissions = [
            ("propose_adjustment", gettext_noop("Can propose adjustments")),
            ("decide_adjustment", gettext_noop("Can approve and reject adjustments")),
            ("expire_adjustment", gettext_noop("Can mark proposals that nobody decided in time")),
        ]
        indexes = [
            # The few that are undecided: what waits, what is over its time, what keeps a period from freezing.
            models.Index(fields=["state", "expires_at"], name="adjustment_state"),
            models.Index(fields=["ticket"], name="adjustment_ticket"),
            models.Index(fields=["book", "effective_on"], name="adjustment_dated"),
        ]
        constraints = [
            # The same proposal sent twice is one.
            models.UniqueConstraint(fields=["proposed_by", "key"], name="adjustment_key_unique"),
            models.CheckConstraint(
                condition=~Q(amount=0) & Q(amount__gte=-AMOUNT_MOST, amount__lte=AMOUNT_MOST), name="adjustment_amount_in_range"
            ),
            models.CheckConstraint(condition=~Q(account=F("contra_account")), name="adjustment_accounts_differ"),
            models.CheckConstraint(condition=~Q(text=""), name="adjustment_text_given"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "endorsed", "approved", "rejected", "withdrawn", "expired"]),
                name="adjustment_state_known",
            ),
        ]

    def __str__(self) -> str:
        """Return what people call it."""
        return f"#{self.pk}"


class AdjustmentDecision(models.Model):
    """One person's word on an adjustment. Never changed, and never the proposer's: the database refuses.

    ``digest`` is that of what was shown to the one who decided; ``is_sole`` says that the approval needed no second.
    """

    class Decision(models.TextChoices):
        """What was said."""

        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    adjustment = models.ForeignKey(
        Adjustment, models.PROTECT, related_name="decisions", verbose_name=_("adjustment"), db_index=False
    )
    decision = models.CharField(_("decision"), max_length=8, choices=Decision)
    is_sole = models.BooleanField(_("sole"), default=False)
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    version = models.PositiveIntegerField(_("version shown"))
    digest = DigestField(_("digest"), null=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(fields=["adjustment", "decided_by"], name="adjustment_decision_unique"),
            models.CheckConstraint(condition=Q(decision__in=["approved", "rejected"]), name="adjustment_decision_known"),
            models.CheckConstraint(condition=Q(decision="rejected") | Q(digest__isnull=False), name="adjustment_approval_covers"),
        ]

    def __str__(self) -> str:
        """Return the adjustment and what was said."""
        return f"#{self.adjustment_id} {self.decision}"


class DecidedAmount(models.Model):
    """What somebody's approval of another thing than an adjustment moved by hand on an account, without its sign: it counts against the limits.

    ``subject_id`` is a batch of adjustments, a batch that reverses one, or the reversal of an entry. ``reason_code`` is that of what was adjusted;
    None of an entry that was none. Where the approval was void before anything was posted, ``voided_at`` says since when.
    """

    class Kind(models.TextChoices):
        """What was approved."""

        BATCH = "batch", _("Batch")
        REVERSAL = "reversal", _("Reversal")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    subject_id = models.PositiveBigIntegerField(_("number"))
    book = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("book"), db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    reason_code = models.ForeignKey(
        ReasonCode, models.PROTECT, null=True, related_name="+", verbose_name=_("reason code"), db_index=False
    )
    amount = models.BigIntegerField(_("amount"))
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("decided by"), db_index=False)
    decided_at = models.DateTimeField(_("decided at"))
    voided_at = models.DateTimeField(_("void since"), null=True)

    class Meta:
        """Names, indexes and constraints."""

        verbose_name = _("decided amount")
        verbose_name_plural = _("decided amounts")
        indexes = [
            models.Index(fields=["kind", "subject_id"], name="decided_amount_of"),
            models.Index(fields=["book", "decided_at"], name="decided_amount_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["batch", "reversal"]), name="decided_amount_kind_known"),
            models.CheckConstraint(condition=Q(amount__gte=1), name="decided_amount_above_zero"),
        ]

    def __str__(self) -> str:
        """Return what was approved."""
        return f"{self.kind} #{self.subject_id}"


class Attachment(models.Model):
    """A file that belongs to a proposal. Its bytes lie outside the database, under their SHA-256. Never changed: the database refuses."""

    adjustment = models.ForeignKey(
        Adjustment, models.PROTECT, related_name="attachments", verbose_name=_("adjustment"), db_index=False
    )
    name = models.CharField(_("name"), max_length=120)
    media_type = models.CharField(_("media type"), max_length=100)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = DigestField("SHA-256")

    class Meta:
        """Names and constraints."""

        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = [
            models.UniqueConstraint(fields=["adjustment", "name"], name="attachment_name_unique"),
            models.CheckConstraint(condition=Q(size__gte=1), name="attachment_not_empty"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name
