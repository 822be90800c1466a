"""Keeps that all that is kept of a member was handed out, and under which request: before it is."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.erasures.rules import ANSWER, ANSWERERS
from ledger_app.errors import erasing, members
from ledger_app.members.queries import merges
from ledger_app.models import Holder
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import TICKET_MOST

DISCLOSE = _("Hand out what is kept of a member")
ACTION = "disclose"


def disclose(*, holder_id: int, ticket: str, caller: Caller) -> Holder:
    """Write the audit row of a disclosure, and return the member; the caller writes the data out (``reports.member_data``).

    :raises errors.Refused: not_found, not_permitted, ticket_required, member_merged
    """
    holder = Holder.objects.filter(pk=holder_id).first()
    if holder is None:
        raise errors.Refused([errors.NotFound(what=_("member"), name=holder_id)])
    ticket = ticket.strip()
    found: list[errors.LedgerError] = []
    if ANSWER not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=DISCLOSE, who=ANSWERERS))
    if not 0 < len(ticket) <= TICKET_MOST:
        found.append(erasing.TicketRequired(most=TICKET_MOST))
    if holder.merged_into_id is not None:
        found.append(members.MemberMerged(holder=holder_id, into=merges.survivors([holder_id])[holder_id]))
    record = partial(audit.record, subject=audit.Subject("member", holder_id, f"#{holder_id}"), action=ACTION, caller=caller)
    if found:
        transactions.run(partial(record, outcome="refused", reasons=found))
        raise errors.Refused(found)
    transactions.run(partial(record, facts={"ticket": ticket}))
    return holder
