"""Proposals to reverse one entry by hand."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.entries import Entry
from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class Reversal(models.Model):
    """One proposal to take an entry back, and what became of it.

    ``holds_entry`` is True or NULL, as unique keys ignore NULL: a proposal that was rejected or withdrawn frees the entry for another. What was
    proposed never changes, and nothing changes once it is decided: the database refuses.
    """

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "proposed", _("Proposed")
        POSTED = "posted", _("Posted")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="proposals", verbose_name=_("entry"), db_index=False)
    effective_on = models.DateField(_("date of the reversal"))
    prior_period = models.CharField(_("corrects the prior period"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    ticket = models.CharField(_("ticket"), max_length=40, blank=True)
    digest = DigestField(_("digest of what was proposed"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(_("version"), default=1)
    holds_entry = models.BooleanField(_("holds the entry"), null=True, default=True, editable=False)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_digest = DigestField(_("digest of what was decided"), null=True)
    reversal = models.OneToOneField(
        Entry, models.PROTECT, null=True, related_name="decided_reversal", verbose_name=_("entry that reverses")
    )

    history = HistoricalRecords()

    class Meta:
        """Names, rights, indexes and constraints."""

        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        permissions = [("propose_reversal", gettext_noop("Can propose to reverse an entry"))]
        # For the few that are undecided: the work page and the close ask for them.
        indexes = [models.Index(fields=["state", "effective_on"], name="reversal_state")]
        constraints = [
            models.UniqueConstraint(fields=["entry", "holds_entry"], name="reversal_entry_unique"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "posted", "rejected", "withdrawn"]), name="reversal_state_known"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="reversal_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["posted", "rejected"], decided_by__isnull=False, decided_at__isnull=False),
                name="reversal_decided_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="posted", reversal__isnull=False, decided_digest__isnull=False)
                | (~Q(state="posted") & Q(reversal__isnull=True, decided_digest__isnull=True)),
                name="reversal_posted_is_whole",
            ),
            models.CheckConstraint(
                # Asked for by itself: a comparison with NULL is not false, and a check lets it pass.
                condition=Q(state__in=["proposed", "posted"], holds_entry__isnull=False, holds_entry=True)
                | Q(state__in=["rejected", "withdrawn"], holds_entry__isnull=True),
                name="reversal_holds_while_it_may",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reversal_reason_given"),
        ]

    def __str__(self) -> str:
        """Return the number and the reference of the entry."""
        return f"↶ {self.pk} · {self.entry.reference}"
