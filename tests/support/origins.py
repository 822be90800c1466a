"""What entries of tests come from: a request of a program, which is the origin that needs nothing else to be there."""

from ledger_app.base.operations.audit import Caller
from ledger_app.models import Posting, Submission
from ledger_app.models.entries import PLACES
from ledger_app.posting.operations.entries import Origin


def of_request(caller: Caller, *, count: int = PLACES) -> Origin:
    """Write down a request of ``count`` entries, sent by the caller, and return it as an origin."""
    row = Submission.objects.create(sent_by=caller.user, sent_at=caller.at, given_count=count)
    return Origin(Posting.Origin.SUBMISSION, row.pk)
