"""Gives rights and takes them: in the transaction of a decision by two, or of the one who is alone. Each change has an audit row."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, history
from ledger_app.base.operations.audit import Caller
from ledger_app.errors.granting import NothingGiven
from ledger_app.models import Token, User
from ledger_app.rights.operations import tokens
from ledger_app.rights.queries import granting
from ledger_app.rights.queries.rights import as_now, rights_of
from ledger_app.rights.rules import granting as rules
from ledger_app.rights.rules.granting import GrantFacts, Rights

ALONE = "alone"  # the name in an audit row's facts of what one gave who decides alone


def hold() -> None:
    """Hold all rights still until the transaction ends. First of all, before any user's row."""
    locks.beside_own(granting.stands())


def facts(
    user: User, wanted: Mapping[str, Any], *, caller: Caller, is_decided: bool, is_new: bool = False, sets_password: bool = False
) -> GrantFacts:
    """Return what the rules are asked with, read while rights are held. ``sets_password`` says that the caller gives the user one, too."""
    before = rules.NOTHING if is_new else granting.current(user)
    after = {**before, **wanted, "groups": sorted(set(wanted.get("groups", before["groups"])))}
    return GrantFacts(
        user=user.username,
        caller=caller.user.username,
        is_system=caller.user.username == User.SYSTEM,
        is_decided=is_decided,
        is_new=is_new,
        before=before,
        after=after,
        deciders=granting.deciders(),
        ended_by_caller=granting.ended_by(caller.user),
        secret_known_to=_secret_known_to(user, caller if sets_password else None),
    )


def _secret_known_to(user: User, sets: Caller | None) -> str:
    known_to = user.secret_known_to if sets is None else sets.user
    # An operator at the shell is nobody who decides.
    return known_to.username if known_to is not None and known_to.username not in {User.SYSTEM, user.username} else ""


def change(said: Mapping[str, Any], caller: Caller) -> None:
    """Give and take the rights of a proposal, as its decider; in a trial, as its proposer.

    :raises errors.Refused: not_permitted, not_found, own_rights, nothing_given, nobody_else_decides, secret_of_decider, last_administrator
    """
    hold()
    check_right(caller)
    user = locks.setting(User.objects.named(said["user"]).exclude(username=User.SYSTEM))
    if user is None:
        raise errors.Refused([errors.NotFound(what=_("user"), name=said["user"])])
    case = facts(user, {name: said[name] for name in rules.NAMES if name in said}, caller=caller, is_decided=True)
    found = rules.refusals(case)
    if not case.gives and case.before != case.after:
        found.append(NothingGiven(user=user.username))
    if found:
        raise errors.Refused(found)
    write(user, case.after, caller=caller, case=case)


def write(user: User, after: Rights, *, caller: Caller, case: GrantFacts) -> dict[str, Any]:
    """Write what a user may do from now on, with its history and audit row; return what changed, as [before, after]."""
    changed = {name: [case.before[name], after[name]] for name in rules.NAMES if case.before[name] != after[name]}
    if not changed:
        return changed
    for flag in rules.FLAGS:
        setattr(user, flag, after[flag])
    if replace(case, after=after).ends_decider:
        user.decider_ended_by = caller.user
    elif after["is_superuser"] and after["is_active"]:
        user.decider_ended_by = None
    if "groups" in changed:
        # The lines that the groups leave in the history are the caller's as well.
        user._history_user, user._history_date = caller.user, caller.at  # type: ignore[attr-defined] # noqa: SLF001 - simple-history's interface
        user.groups.set(groups(after["groups"]))
    history.save(user, caller=caller)
    audit.record(
        subject=audit.Subject("user", user.pk, user.username),
        action="set_rights",
        caller=caller,
        facts={**changed, **({ALONE: True} if case.is_alone else {})},
    )
    if not after["is_active"]:
        tokens.end_of(user, Token.Ending.DISABLED, caller)
    elif after["is_superuser"]:
        tokens.end_of(user, Token.Ending.ADMINISTRATOR, caller)
    return changed


def groups(names: Collection[str]) -> list[Group]:
    """Return the groups of these names.

    :raises errors.Refused: not_found
    """
    found = {group.name: group for group in Group.objects.filter(name__in=names)}
    if missing := sorted(set(names) - found.keys()):
        raise errors.Refused([errors.NotFound(what=_("group"), name=name) for name in missing])
    return [found[name] for name in sorted(found)]


def check_right(caller: Caller, right: str = rules.DECIDE, label: Any = None, who: Any = None) -> None:
    """Ask for a right, as it is now: it may have been taken since the caller came in.

    :raises errors.Refused: not_permitted
    """
    if right not in rights_of(as_now(caller.user)):
        label = _("Keep users") if label is None else label
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=label, who=who or _("An administrator"))])
