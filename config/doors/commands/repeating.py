"""What a command answers that is run again: done already, where the same person has done the same, and otherwise who did what instead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from django.utils.functional import Promise

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import acts
from ledger_app.base.rules.transitions import Machine
from ledger_app.errors.shown import DoneOtherwise
from ledger_app.errors.words import Words, differing
from ledger_app.models import AuditRow
from ledger_app.values import instants

Row = TypeVar("Row")
# What an option of the command line is called, and how what was done is read for it.
Kept = Callable[[AuditRow], object]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as a command line asks for it.

    ``find`` finds the audit row of the one that stands. ``given`` are the options, each with what was said, None or empty where nothing was: what is
    not said does not differ. ``kept`` reads what an option stood for then, where it is no reason, from the facts of that row.
    """

    label: str | Promise
    caller: Caller
    find: Callable[[], AuditRow | None]
    given: Mapping[str, object] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)


def decision(machine: Machine, name: str, subject_id: int, caller: Caller, **options: Any) -> Decision:
    """Return a decision of a machine as a command line asks for it; the one that stands is the last of its name."""
    options.setdefault("find", partial(acts.last, machine.subject, subject_id, name))
    return Decision(machine.transition(name).label, caller, **options)


def once(wanted: Decision, *, standing: Callable[[], Row | None], act: Callable[[], Row]) -> Row:
    """Decide, unless this user has decided this already with the same; return the row.

    ``standing`` reads the row where the decision stands, and None where it does not; ``act`` calls the operation, which refuses what was
    decided, asks for the right, and writes down that somebody tried.

    :raises errors.Refused: as the operation; where the decision stands otherwise only not_permitted, or else done_otherwise
    """
    there = _same(wanted, standing)
    if there is not None:
        return there
    try:
        return act()
    except errors.Refused as refusal:
        # Asked again: another who runs the same at the same time may have been first.
        there = _same(wanted, standing)
        if there is not None:
            return there
        done = _done(wanted, standing)
        if done is None:
            raise
        denied = [reason for reason in refusal.reasons if isinstance(reason, errors.NotPermitted)]
        raise errors.Refused(denied or [_told(wanted, done[1])]) from refusal


def _same(wanted: Decision, standing: Callable[[], Row | None]) -> Row | None:
    """Return the row where this user has done this with the same."""
    done = _done(wanted, standing)
    return None if done is None or _differing(wanted, done[1]) else done[0]


def _done(wanted: Decision, standing: Callable[[], Row | None]) -> tuple[Row, AuditRow] | None:
    """Return the row and what was done to it, where the decision stands."""
    there = standing()
    if there is None:
        return None
    done = wanted.find()
    return None if done is None else (there, done)


def _differing(wanted: Decision, done: AuditRow) -> Words:
    kept: dict[str, Kept] = {"--reason": lambda row: row.reason, "--note": lambda row: row.reason, **wanted.kept}
    said = [
        (name, str(kept[name](done)), str(value).strip())
        for name, value in wanted.given.items()
        if value is not None and value != ""
    ]
    return differing([("--user", done.actor.username, wanted.caller.user.username), *said])


def _told(wanted: Decision, done: AuditRow) -> errors.LedgerError:
    return DoneOtherwise(
        action=wanted.label, by=done.actor.username, at=instants.stamp(done.at), differs=_differing(wanted, done)
    )
