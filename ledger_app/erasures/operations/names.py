"""Corrects what a member is called. What it was called before stays in the history until the member is erased."""

from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.erasures import queries as erasures
from ledger_app.erasures.rules import ANSWER, ANSWERERS
from ledger_app.errors import erasing, members
from ledger_app.members.queries import merges
from ledger_app.members.rules.member_files import NAME_MOST
from ledger_app.models import Holder
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import openings
from ledger_app.values.most import REASON_MOST

CORRECT = _("Correct a name")
ACTION = "correct_name"


def correct(*, holder_id: int, name: str, shown: str, reason: str, caller: Caller) -> Holder:
    """Call a member by another name, and return it. ``shown`` is what it was called where the correction was asked for.

    The audit row says that the name was corrected, by whom and why, and neither name: those stand in the history alone.

    :raises errors.Refused: not_found, not_permitted, reason_required, reason_too_long, name_unfit, member_merged, member_erased, name_moved,
        name_unchanged; each refused attempt that is no slip has its audit row
    """

    def work() -> Holder:
        if not Holder.objects.filter(pk=holder_id).exists():
            raise errors.Refused([errors.NotFound(what=_("member"), name=holder_id)])
        holder = locks.own_row(Holder, holder_id)
        if found := _refusals(holder, name, shown, reason, caller):
            raise errors.Refused(found)
        holder.name = name
        history.save(holder, caller=caller, reason=ACTION)
        _record(holder_id, caller, reason=reason.strip())
        return holder

    try:
        return transactions.run(work)
    except errors.Refused as refusal:
        if not transitions.is_slip(refusal, caller):
            transactions.run(partial(_record, holder_id, caller, outcome="refused", reasons=refusal.reasons))
        raise


def _refusals(holder: Holder, name: str, shown: str, reason: str, caller: Caller) -> list[errors.LedgerError]:
    found: list[errors.LedgerError] = []
    if ANSWER not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=CORRECT, who=ANSWERERS))
    if not reason.strip():
        found.append(errors.ReasonRequired(action=CORRECT))
    if len(reason) > REASON_MOST:
        found.append(errors.ReasonTooLong(most=REASON_MOST, length=len(reason)))
    # An empty name is one as well: members are registered with and without.
    if name and openings.name("name", name, NAME_MOST):
        found.append(erasing.NameUnfit(most=NAME_MOST))
    if holder.merged_into_id is not None:
        found.append(members.MemberMerged(holder=holder.pk, into=merges.survivors([holder.pk])[holder.pk]))
    if (done := erasures.of_member(holder.pk)) is not None:
        found.append(erasing.MemberErased(holder=holder.pk, erasure=done.pk))
    if holder.name != shown:
        found.append(erasing.NameMoved(holder=holder.pk))
    elif holder.name == name:
        found.append(erasing.NameUnchanged(holder=holder.pk))
    return found


def _record(holder_id: int, caller: Caller, **said: Any) -> None:
    audit.record(subject=audit.Subject("member", holder_id, f"#{holder_id}"), action=ACTION, caller=caller, **said)
