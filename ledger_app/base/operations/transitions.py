"""Carries transitions out: lock, ask the guards, compare and set, audit; one transaction. A refused attempt leaves a row too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import models

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.rules.transitions import Facts, Machine, Transition
from ledger_app.errors import units
from ledger_app.values.most import REASON_MOST

UNTOLD = "untold"  # the name in an audit row's facts of what was told to nobody who asked

Row = TypeVar("Row", bound=models.Model)
Case = TypeVar("Case", bound=Facts)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Request(Generic[Row, Case]):
    """One request for a transition.

    ``facts`` gathers, under the row's lock, what the guards are asked with; ``write`` writes what the transition writes beside the state
    and returns the columns to be set with it. ``version`` is the version that was shown to the user, where one was.
    """

    machine: Machine
    name: str
    model: type[Row]
    pk: int
    caller: audit.Caller
    facts: Callable[[Row], Case]
    write: Callable[[Row, Case], Mapping[str, Any]] = lambda _row, _facts: {}
    reason: str = ""
    version: int | None = None
    audit_facts: Callable[[Row], Mapping[str, Any]] = lambda _row: {}


def perform(request: Request[Row, Case]) -> Row:
    """Carry the transition out and return the row as it is afterwards.

    :raises errors.Refused: with every reason; a refused attempt has its audit row
    :raises errors.TryAgain: when the database was busy or away
    """
    try:
        return transactions.run(lambda: within(request))
    except errors.Refused as refusal:
        if not is_slip(refusal, request.caller):
            transactions.run(partial(_record_refusal, request, refusal))
        raise


def ask(request: Request[Row, Case], *, then: Callable[[Row, Case], Result]) -> Result:
    """Ask under the row's lock whether the transition may happen, and do ``then`` in its place where it may: it is left to be carried out later.

    :raises errors.Refused: with every reason; a refused attempt has its audit row
    :raises errors.TryAgain: when the database was busy or away
    """
    try:
        return transactions.run(lambda: then(*_may(request)))
    except errors.Refused as refusal:
        if not is_slip(refusal, request.caller):
            transactions.run(partial(_record_refusal, request, refusal))
        raise


def is_slip(refusal: errors.Refused, caller: audit.Caller) -> bool:
    """Whether a refusal tells of no attempt at what may not be: a field that was forgotten on a page, or a page that another tab has left behind.

    It is told to the person who sits before the page, and no row is kept. What a program asks for through another door is kept whatever it is.
    """
    if caller.door != "admin":
        return False
    is_stale = any(isinstance(reason, errors.Stale) for reason in refusal.reasons)
    return all(reason.is_slip or (is_stale and isinstance(reason, errors.WrongState)) for reason in refusal.reasons)


def within(request: Request[Row, Case]) -> Row:
    """Carry the transition out in the transaction that is open, taking the row's lock first."""
    row: Any
    row, facts = _may(request)
    transition = request.machine.transition(request.name)
    # From here on the transition must happen.
    columns = request.write(row, facts)
    changed: Row = compare_and_set(
        row,
        transition=transition,
        subject_type=request.machine.subject,
        caller=request.caller,
        reason=request.reason.strip(),
        columns=columns,
        facts=request.audit_facts(row),
    )
    return changed


def _may(request: Request[Row, Case]) -> tuple[Row, Case]:
    """Lock the row and ask the guards; return it with what they were asked with.

    :raises errors.Refused: with every reason
    """
    row: Any = locks.own_row(request.model, request.pk)
    transition = request.machine.transition(request.name)
    facts = request.facts(row)
    blockers = request.machine.blockers(transition, facts)
    if request.version is not None and request.version != row.version:
        blockers.insert(0, errors.Stale(shown=request.version, now=row.version))
    if transition.reason_required and not request.reason.strip():
        blockers.append(errors.ReasonRequired(action=transition.label))
    if len(request.reason) > REASON_MOST:
        blockers.append(errors.ReasonTooLong(most=REASON_MOST, length=len(request.reason)))
    if blockers:
        raise errors.Refused(units.belonging(blockers, row))
    return row, facts


def compare_and_set(
    row: Any,
    *,
    transition: Transition,
    subject_type: str,
    caller: audit.Caller,
    reason: str,
    columns: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> Any:
    """Set state and columns where state and version are still those of ``row``; write history and the audit row with it."""
    from_state = row.state
    changed = type(row).objects.filter(pk=row.pk, state=from_state, version=row.version)
    if changed.update(state=transition.target or from_state, version=row.version + 1, **columns) != 1:
        raise errors.Refused([errors.Stale(shown=row.version, now=row.version + 1)])
    row.refresh_from_db()
    type(row).history.bulk_history_create(
        [row], update=True, default_user=caller.user, default_change_reason=transition.name, default_date=caller.at
    )
    audit.record(
        subject=audit.Subject(subject_type, row.pk, str(row)),
        action=transition.name,
        caller=caller,
        from_state=from_state,
        to_state=transition.target or from_state,
        reason=reason,
        facts=facts,
    )
    return row


def kept_untold(refusal: errors.Refused) -> Mapping[str, Any]:
    """Return what no answer tells of a refusal, for its audit row."""
    found = [{"code": reason.code, **reason.all_facts()} for reason in refusal.reasons if reason.untold]
    return {UNTOLD: found} if found else {}


def _record_refusal(request: Request[Row, Case], refusal: errors.Refused) -> None:
    row: Any = request.model._default_manager.get(pk=request.pk)  # noqa: SLF001 - the public name of a model's manager varies
    audit.record(
        subject=audit.Subject(request.machine.subject, row.pk, str(row)),
        action=request.name,
        caller=request.caller,
        outcome="refused",
        from_state=row.state,
        reason=request.reason[:REASON_MOST],
        reasons=refusal.reasons,
        facts=kept_untold(refusal),
    )
