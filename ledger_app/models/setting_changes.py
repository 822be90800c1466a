"""Changes of settings that could move money, and of who may do what: proposed by one person, decided by another."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from ledger_app.models.fields import DigestField
from ledger_app.models.people import User


class SettingChange(models.Model):
    """One proposal to change a setting, and what became of it.

    ``arguments`` are what the operation that sets it takes; ``before`` is what the setting said when it was proposed, None where there was none, and
    ``after`` what it would say. What was proposed never changes, and nothing changes once it is decided: the database refuses.
    """

    class Kind(models.TextChoices):
        """What is set."""

        LIMIT = "limit", _("Limit of adjustments")
        REASON_CODE = "reason_code", _("Reason code")
        TEMPLATE = "template", _("Account template")
        LOT_RULE = "lot_rule", _("Rule of lots")
        HOLD_RULE = "hold_rule", _("Rule of holds")
        CLOSE_POLICY = "close_policy", _("Policy of the close")
        PROFILE = "profile", _("Profile of an export")
        RIGHTS = "rights", _("Rights of a user")

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "proposed", _("Proposed")
        APPLIED = "applied", _("Applied")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    setting = models.CharField(_("setting"), max_length=200)
    arguments = models.JSONField(_("what is set"))
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"))
    digest = DigestField(_("digest of what was proposed"))
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PROPOSED)
    version = models.PositiveIntegerField(_("version"), default=1)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)

    history = HistoricalRecords()

    class Meta:
        """Names, indexes and constraints."""

        verbose_name = _("change of a setting")
        verbose_name_plural = _("changes of settings")
        indexes = [models.Index(fields=["state"], name="setting_change_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=["limit", "reason_code", "template", "lot_rule", "hold_rule", "close_policy", "profile", "rights"]
                ),
                name="setting_change_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "applied", "rejected", "withdrawn"]), name="setting_change_state_known"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="setting_change_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["applied", "rejected"], decided_by__isnull=False, decided_at__isnull=False),
                name="setting_change_decided_is_whole",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="setting_change_reason_given"),
        ]

    def __str__(self) -> str:
        """Return the number and what is set."""
        return f"⚙ {self.pk} · {self.setting}"
