"""Reviews of who may do what: looked through and signed off by a person, every half year."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ledger_app.models.fields import DigestField
from ledger_app.models.people import User
from ledger_app.values import instants


class AccessReview(models.Model):
    """One review, signed off: which state of the grants it was about, by its digest. Never changed: the database refuses.

    ``own`` are the grants of that state that the signer had given with nobody to decide, as (user, grant): another has to look at those.
    """

    digest = DigestField(_("digest of the grants"))
    grant_count = models.PositiveIntegerField(_("grants"))
    own = models.JSONField(_("given alone by who signed"), default=list)
    note = models.CharField(_("note"), max_length=500)
    signed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("signed off by"))
    signed_at = models.DateTimeField(_("signed off at"))

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("access review")
        verbose_name_plural = _("access reviews")
        permissions = [
            ("look_accessreview", gettext_noop("Can look at access reviews")),
            ("sign_accessreview", gettext_noop("Can sign access reviews off")),
        ]
        constraints = [models.CheckConstraint(condition=~Q(note=""), name="access_review_note_given")]

    def __str__(self) -> str:
        """Return when it was signed off."""
        return instants.text(self.signed_at)
