"""Signs off a review of who may do what: the grants that were shown, by their digest."""

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import reviews as review_errors
from ledger_app.models import AccessReview
from ledger_app.people.queries import reviews
from ledger_app.rights.operations import granting
from ledger_app.values.most import REASON_MOST

SIGN = "ledger_app.sign_accessreview"
SIGNING = _("Sign the access review off")


def sign(*, digest: str, note: str, caller: Caller) -> AccessReview:
    """Sign off the grants that were shown, and return the review. What the caller had given alone is kept with it: another has to look at that.

    The same person signing the same grants off on the same day has signed them off already, and is given that review.

    :raises errors.Refused: not_permitted, reason_required, reason_too_long, grants_moved
    """
    words = note.strip()
    found: list[errors.LedgerError] = []
    if not words:
        found.append(errors.ReasonRequired(action=SIGNING))
    if len(words) > REASON_MOST:
        found.append(errors.ReasonTooLong(most=REASON_MOST, length=len(words)))

    def work() -> AccessReview:
        granting.hold()
        granting.check_right(caller, SIGN, SIGNING, who=_("Finance"))
        grants = reviews.grants(at=caller.at)
        if reviews.digest(grants) != digest:
            found.append(review_errors.GrantsMoved())
        if found:
            raise errors.Refused(found)
        state = bytes.fromhex(digest)
        there = AccessReview.objects.filter(digest=state, signed_by=caller.user).order_by("-id").first()
        if there is not None and there.signed_at.date() == caller.at.date():
            return there
        own = [[each.user, each.grant] for each in grants if each.is_alone and each.given_by == caller.user.username]
        row = AccessReview.objects.create(
            digest=state, grant_count=len(grants), own=own, note=words, signed_by=caller.user, signed_at=caller.at
        )
        audit.record(
            subject=audit.Subject("accessreview", row.pk, str(row)),
            action="sign_review",
            caller=caller,
            reason=words,
            facts={"digest": digest, "grants": len(grants), "own": own},
        )
        return row

    return transactions.run(work)
