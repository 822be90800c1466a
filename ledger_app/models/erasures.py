"""Erasures of members' personal data: asked for by one person, decided by another; and exactly what each of them took away."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.fields import DigestField
from ledger_app.models.people import Holder, User


class Erasure(models.Model):
    """One request that what tells who a member is be erased, and what became of it.

    ``digest`` is that of all that was erased (``traces.rules.erased.digest``), None as long as nothing was. What was asked for never changes, and nothing
    changes once it is decided: the database refuses.
    """

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "proposed", _("Proposed")
        DONE = "done", _("Erased")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    holder = models.ForeignKey(Holder, models.PROTECT, related_name="erasures", verbose_name=_("member"))
    ticket = models.CharField(_("ticket"), max_length=40)
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(_("version"), default=1)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    digest = DigestField(_("digest of what was erased"), null=True)

    history = HistoricalRecords()

    class Meta:
        """Names, rights, indexes and constraints."""

        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        permissions = [
            ("answer_member", gettext_noop("Can answer members: correct a name, hand out what is kept, ask for an erasure")),
            ("decide_erasure", gettext_noop("Can decide that a member's personal data is erased")),
        ]
        indexes = [models.Index(fields=["state"], name="erasure_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "done", "rejected", "withdrawn"]), name="erasure_state_known"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="erasure_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["done", "rejected"], decided_by__isnull=False, decided_at__isnull=False),
                name="erasure_decided_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="done", digest__isnull=False) | (~Q(state="done") & Q(digest__isnull=True)),
                name="erasure_done_has_digest",
            ),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(ticket=""), name="erasure_reason_given"),
        ]

    def __str__(self) -> str:
        """Return the number."""
        return f"⌫ {self.pk}"


class ErasedPart(models.Model):
    """One value of one row that an erasure put something in the place of: ``says`` is what the column says since.

    Writing this row is what erases: a trigger changes the row that it names, and the guards of that row let this change pass and no other. Of a
    trace, the content becomes what the row says now. Never changed: the database refuses.
    """

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="parts", verbose_name=_("erasure"))
    table_name = models.CharField(_("table"), max_length=64)
    row_id = models.BigIntegerField(_("number"))
    column_name = models.CharField(_("column"), max_length=64)
    says = models.TextField(_("says since"), blank=True)

    class Meta:
        """Names and indexes."""

        verbose_name = _("erased part")
        verbose_name_plural = _("erased parts")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["table_name", "row_id"], name="erased_part_row")]

    def __str__(self) -> str:
        """Return table, number and column."""
        return f"{self.table_name} {self.row_id} {self.column_name}"


class ErasedDigest(models.Model):
    """What the digest of a link, or of an approval, comes to since an erasure took something away of what it covers. Never changed: the database refuses.

    The digest that the row itself has stays: it is what was covered when it was written.
    """

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="digests", verbose_name=_("erasure"))
    table_name = models.CharField(_("table"), max_length=64)
    row_id = models.BigIntegerField(_("number"))
    digest = DigestField(_("digest"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("digest after an erasure")
        verbose_name_plural = _("digests after erasures")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["table_name", "row_id", "erasure"], name="erased_digest_once")]

    def __str__(self) -> str:
        """Return table and number."""
        return f"{self.table_name} {self.row_id}"
