"""Merges of members: proposed by one person, decided by another, never rewritten."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.models.entries import Entry
from ledger_app.models.fields import DigestField
from ledger_app.models.people import Holder, Identifier, User


class Merge(models.Model):
    """One proposal to merge a member into another, or to undo a merge, and what became of it.

    Of an undoing, ``holder`` is the member that gives back, and ``survivor`` the new member that it opens; ``amounts`` states what is given back,
    as [book code, role, amount in minor units, in the account's natural direction]. ``preview`` is what the proposal came to when it was made,
    ``decided_preview`` what the decider was shown and what was done.
    """

    class State(models.TextChoices):
        """A proposal is decided once, or withdrawn."""

        PROPOSED = "proposed", _("Proposed")
        DONE = "done", _("Carried out")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(_("version"), default=1)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="merges", verbose_name=_("member"), db_index=False)
    survivor = models.ForeignKey(
        Holder, models.PROTECT, null=True, related_name="merges_taken_in", verbose_name=_("member who remains")
    )
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("undoes"), db_index=False
    )
    # True while the proposal is open or carried out, None afterwards: each member is merged once, and each merge undone once.
    holds_holder = models.BooleanField(null=True)
    holds_undone = models.BooleanField(null=True)
    effective_on = models.DateField(_("date of the entries"), null=True)
    amounts = models.JSONField(_("amounts given back"), null=True)
    preview = models.JSONField(_("what was proposed"))
    digest = DigestField(_("digest of what was proposed"))
    decided_preview = models.JSONField(_("what was decided"), null=True)
    decided_digest = DigestField(_("digest of what was decided"), null=True)
    reason = models.CharField(_("reason"), max_length=500)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        permissions = [
            ("propose_merge", gettext_noop("Can propose and withdraw merges of members")),
            ("decide_merge", gettext_noop("Can decide merges of members")),
        ]
        indexes = [models.Index(fields=["state"], name="merge_state")]
        constraints = [
            models.UniqueConstraint(fields=["holder", "holds_holder"], name="merge_holder_once"),
            models.UniqueConstraint(fields=["undoes", "holds_undone"], name="merge_undone_once"),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "done", "rejected", "withdrawn"]), name="merge_state_known"
            ),
            models.CheckConstraint(condition=Q(survivor__isnull=True) | ~Q(survivor=F("holder")), name="merge_not_into_itself"),
            models.CheckConstraint(condition=Q(undoes__isnull=False) | Q(survivor__isnull=False), name="merge_survivor_given"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(survivor__isnull=False, decided_digest__isnull=False), name="merge_done_is_whole"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "rejected"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True),
                name="merge_decided_by_given",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="merge_decided_by_another"
            ),
            # A merge holds its member while it is open or done; an undoing holds the merge that it undoes.
            models.CheckConstraint(
                condition=Q(state__in=["rejected", "withdrawn"], holds_holder__isnull=True, holds_undone__isnull=True)
                | Q(
                    state__in=["proposed", "done"],
                    undoes__isnull=True,
                    holds_holder=True,
                    holds_holder__isnull=False,
                    holds_undone__isnull=True,
                )
                | Q(
                    state__in=["proposed", "done"],
                    undoes__isnull=False,
                    holds_holder__isnull=True,
                    holds_undone=True,
                    holds_undone__isnull=False,
                ),
                name="merge_holds_while_open",
            ),
        ]

    def __str__(self) -> str:
        """Return the number, and of an undoing what it undoes."""
        return f"#{self.pk}" if self.undoes_id is None else f"#{self.pk} (↺ #{self.undoes_id})"


class MovedIdentifier(models.Model):
    """An identifier that a merge gave to another member. Never changed: the database refuses."""

    merge = models.ForeignKey(Merge, models.PROTECT, related_name="moved_identifiers", verbose_name=_("merge"), db_index=False)
    identifier = models.ForeignKey(Identifier, models.PROTECT, related_name="moves", verbose_name=_("identifier"))
    from_holder = models.ForeignKey(Holder, models.PROTECT, related_name="+", verbose_name=_("from member"))
    to_holder = models.ForeignKey(Holder, models.PROTECT, related_name="+", verbose_name=_("to member"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("moved identifier")
        verbose_name_plural = _("moved identifiers")
        constraints = [
            models.UniqueConstraint(fields=["merge", "identifier"], name="moved_identifier_once"),
            models.CheckConstraint(condition=~Q(from_holder=F("to_holder")), name="moved_identifier_to_another"),
        ]

    def __str__(self) -> str:
        """Return merge and identifier."""
        return f"{self.merge_id}: {self.identifier_id}"


class RedirectedEntry(models.Model):
    """An entry whose record named a member that was merged: it was posted to the member who remains. Never changed: the database refuses.

    Beside the entry and not in it: the entry of the same record is the same, whichever member it found.
    """

    entry = models.OneToOneField(Entry, models.PROTECT, primary_key=True, related_name="redirected", verbose_name=_("entry"))
    named = models.ForeignKey(Holder, models.PROTECT, related_name="+", verbose_name=_("member that was named"))
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+", verbose_name=_("member that was posted to"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("redirected entry")
        verbose_name_plural = _("redirected entries")
        constraints = [models.CheckConstraint(condition=~Q(named=F("holder")), name="redirected_to_another")]

    def __str__(self) -> str:
        """Return the entry's number."""
        return str(self.entry_id)
