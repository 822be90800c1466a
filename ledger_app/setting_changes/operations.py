"""Changes settings that could move money, and who may do what: somebody proposes it, another decides, and the decision puts it in force."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.accounting.operations import profiles
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations import audit, history, transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.books.queries import books
from ledger_app.close.operations import policies
from ledger_app.errors import settings
from ledger_app.members.operations import opening
from ledger_app.models import SettingChange
from ledger_app.points.operations import hold_rules, lot_rules
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.rights.operations import granting
from ledger_app.rights.queries.rights import as_now
from ledger_app.setting_changes import queries as setting_changes
from ledger_app.setting_changes.rules import CHANGE, ChangeFacts, digest, not_permitted, proposer_still_may, user_may_set_it
from ledger_app.values.most import REASON_MOST

PROPOSING = _("Propose a change of a setting")
Said = Mapping[str, Any]


class _Tried(NamedTuple):
    """What a setting says, and what it would say."""

    before: dict[str, Any] | None
    after: dict[str, Any]
    is_new: bool


class _Asked(NamedTuple):
    """A decision that somebody asks for."""

    name: str
    change_id: int
    caller: Caller
    reason: str
    version: int | None


class _UndoError(Exception):
    """A trial is over, and all that it wrote is undone."""

    def __init__(self, tried: _Tried) -> None:
        super().__init__()
        self.tried = tried


def propose(*, kind: str, arguments: Said, reason: str, caller: Caller, version: int | None = None) -> SettingChange:
    """Propose to change a setting and return the proposal. It stays as it is before another person approves that.

    ``arguments`` are what the operation of the kind takes, ready for JSON: books, groups and accounts by their codes and names. It is tried, and undone:
    what the operation would refuse is refused now. ``version`` is that of the reason code which was shown.

    :raises errors.Refused: not_permitted, reason_required, reason_too_long, setting_unchanged, and what the operation refuses
    """
    words = reason.strip()
    if found := [*not_permitted(kind, caller.user.username, setting_changes.rights(caller.user)), *_unfit(words)]:
        raise errors.Refused(found)
    arguments = setting_changes.named(kind, arguments)
    tried = _try(kind, arguments, {} if version is None else {"version": version}, caller)
    name = setting_changes.name(kind, arguments)
    if tried.before == tried.after:
        raise errors.Refused([settings.SettingUnchanged(setting=name)])
    proposed: dict[str, Any] = {"kind": kind, "arguments": dict(arguments), "before": tried.before, "after": tried.after}
    row = SettingChange(
        **proposed,
        setting=name,
        digest=bytes.fromhex(digest(**proposed)),
        reason=words,
        proposed_by=caller.user,
        proposed_at=caller.at,
    )
    return transactions.run(lambda: _create(row, caller))


def approve(*, change_id: int, caller: Caller, note: str = "", version: int | None = None) -> SettingChange:
    """Decide that a change is right, and put it in force in the same transaction.

    :raises errors.Refused: with every reason; own_setting_change, setting_moved and what the operation refuses among them
    """

    def write(row: SettingChange, _facts: ChangeFacts) -> Mapping[str, Any]:
        _put_in_force(row, caller)
        return {"decided_by": caller.user, "decided_at": caller.at}

    return _decide(_Asked("approve", change_id, caller, note, version), write)


def reject(*, change_id: int, reason: str, caller: Caller, version: int | None = None) -> SettingChange:
    """Decide that a change is not to be.

    :raises errors.Refused: with every reason
    """
    columns = {"decided_by": caller.user, "decided_at": caller.at}
    return _decide(_Asked("reject", change_id, caller, reason, version), lambda _row, _facts: columns)


def withdraw(*, change_id: int, caller: Caller, reason: str = "", version: int | None = None) -> SettingChange:
    """Take one's own proposal back.

    :raises errors.Refused: with every reason
    """
    return _decide(_Asked("withdraw", change_id, caller, reason, version), lambda _row, _facts: {})


def _decide(asked: _Asked, write: Callable[[SettingChange, ChangeFacts], Mapping[str, Any]]) -> SettingChange:
    setting_changes.find(asked.change_id)
    return transitions.perform(
        transitions.Request(
            machine=CHANGE,
            name=asked.name,
            model=SettingChange,
            pk=asked.change_id,
            caller=asked.caller,
            facts=lambda row: setting_changes.facts(row, user=asked.caller.user, is_program=asked.caller.is_program),
            write=write,
            reason=asked.reason,
            version=asked.version,
            audit_facts=lambda row: {"kind": row.kind, "digest": bytes(row.digest).hex()},
        )
    )


def _put_in_force(row: SettingChange, caller: Caller) -> None:
    """Call the operation, where the setting is what was shown; it comes out as it was shown, or nothing was done.

    :raises errors.Refused: setting_moved, and what the operation refuses
    """
    audit_facts = (*caller.audit_facts, ("setting_change", row.pk), ("proposed_by", row.proposed_by.username))
    if found := _moved_meanwhile(row, caller):
        raise errors.Refused(found)
    done = _set(row.kind, row.arguments, {}, replace(caller, audit_facts=audit_facts))
    # A setting that was not there cannot be locked: where it is another's who made it meanwhile, this decision did not make it.
    if done != _Tried(row.before, row.after, is_new=row.before is None):
        raise errors.Refused([settings.SettingMoved(setting=row.setting)])


def _moved_meanwhile(row: SettingChange, caller: Caller) -> list[errors.LedgerError]:
    """Hold the setting, and return what of who proposed and who decides is not any more as the guards were asked with: both read anew."""
    locks.beside_own(setting_changes.lock_of(row.kind, row.arguments))
    now = setting_changes.facts(setting_changes.find(row.pk), user=as_now(caller.user))
    return [reason for guard in (user_may_set_it, proposer_still_may, decider_is_really_another) for reason in guard(now)]


def _try(kind: str, arguments: Said, shown: Said, caller: Caller) -> _Tried:
    """Set it, and undo that: return what the setting says, and what it would say.

    :raises errors.Refused: what the operation refuses
    """

    def work() -> None:
        raise _UndoError(_set(kind, arguments, shown, caller))

    try:
        transactions.run(work)
    except _UndoError as undone:
        return undone.tried
    raise AssertionError("a trial ends by being undone")


def _set(kind: str, arguments: Said, shown: Said, caller: Caller) -> _Tried:
    """Set the setting in the open transaction; return its value before and after, read under the lock of its row."""
    locks.beside_own(setting_changes.lock_of(kind, arguments))
    before = setting_changes.current(kind, arguments)
    is_new = SETTERS[kind]({**arguments, **shown}, caller)
    after = setting_changes.current(kind, arguments)
    assert after is not None, "what was set is there"  # noqa: S101 - a fault of the program
    return _Tried(before, after, is_new)


def _create(row: SettingChange, caller: Caller) -> SettingChange:
    # Made anew in each try: a try that was undone has left a number on the row.
    row.pk = None
    history.create(row, caller=caller, reason="propose")
    audit.record(
        subject=audit.Subject(CHANGE.subject, row.pk, str(row)),
        action="propose",
        caller=caller,
        reason=row.reason,
        facts={"kind": row.kind, "digest": bytes(row.digest).hex()},
    )
    return row


def _unfit(reason: str) -> list[errors.LedgerError]:
    if not reason:
        return [errors.ReasonRequired(action=PROPOSING)]
    if len(reason) > REASON_MOST:
        return [errors.ReasonTooLong(most=REASON_MOST, length=len(reason))]
    return []


def _set_template(said: Said, caller: Caller) -> bool:
    return opening.set_template(caller=caller, **{**said, "book": books.find(said["book"])}).is_new


def _set_lot_rule(said: Said, caller: Caller) -> bool:
    given = {name: value for name, value in said.items() if name not in {"book", "role"}}
    given["fixed_on"] = date.fromisoformat(given["fixed_on"]) if given.get("fixed_on") else None
    book = books.find(said["book"])
    return lot_rules.set_rule(book=book, role=said["role"], given=RuleGiven(**given), caller=caller).is_new


def _set_hold_rule(said: Said, caller: Caller) -> bool:
    given = {name: value for name, value in said.items() if name != "book"}
    given["targets"] = tuple(given.get("targets", ()))
    return hold_rules.set_rule(book=books.find(said["book"]), given=HoldRuleGiven(**given), caller=caller).is_new


def _set_close_policy(said: Said, caller: Caller) -> bool:
    given = {name: value for name, value in said.items() if name != "book"}
    given["controls"] = tuple(given.get("controls", ()))
    return policies.set_policy(book=books.find(said["book"]), given=policies.PolicyGiven(**given), caller=caller).is_new


def _change_rights(said: Said, caller: Caller) -> bool:
    """Change what a user may do, who is there: a proposal makes nobody."""
    granting.change(said, caller)
    return False


# Each returns whether it made the setting.
SETTERS: Final[Mapping[str, Callable[[Said, Caller], bool]]] = {
    "limit": lambda said, caller: reason_codes.set_limit(caller=caller, **said).is_new,
    "reason_code": lambda said, caller: reason_codes.keep(caller=caller, **said).is_new,
    "template": _set_template,
    "lot_rule": _set_lot_rule,
    "hold_rule": _set_hold_rule,
    "close_policy": _set_close_policy,
    "profile": lambda said, caller: profiles.load(text=said["text"], caller=caller).is_new,
    "rights": _change_rights,
}
