"""Registers those who work here, and says which rights they have. Each change has an audit row.

A password that somebody else set is known to them (``secret_known_to``): it is good for choosing another, and for nothing else.

What gives a right is a proposal that another decides (``setting_changes``), but where one who decides is alone.
"""

import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import granting as refused
from ledger_app.errors import opening
from ledger_app.errors.words import NOTHING, Words, differing, phrase
from ledger_app.models import SettingChange, Token, User
from ledger_app.models.people import check_folded
from ledger_app.people.operations import identities
from ledger_app.people.rules import factors
from ledger_app.rights.operations import granting, tokens
from ledger_app.rights.operations.granting import check_right
from ledger_app.rights.queries import granting as deciding
from ledger_app.rights.rules import granting as rules
from ledger_app.rights.rules.rights import OF_PROGRAMS
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries as change_rows
from ledger_app.values import names, openings

KEEP = rules.DECIDE
NAME_MOST = 150
CALLED = ("first_name", "last_name", "email")
CALLED_SO: Final = {
    "groups": _("groups"),
    "is_active": _("may sign in"),
    "is_staff": _("works here"),
    "is_superuser": _("administrator"),
}
# What passwords that are made here are made of; 20 letters and digits that are not taken for one another are 99 bits.
MADE_OF: Final = factors.LETTERS
MADE_LENGTH: Final = 20
KNOWN: Final = _("Somebody else set this password, and knows it. Choose another.")


class Kept(NamedTuple):
    """The user, whether something changed at once, what waits for another's decision, and whether the user is new."""

    user: User
    is_changed: bool
    proposed: SettingChange | None = None
    is_new: bool = False


class _Asked(NamedTuple):
    """What somebody asks for."""

    username: str
    wanted: Mapping[str, Any]
    password: str | None
    reason: str
    called: Mapping[str, str]
    caller: Caller
    is_new: bool
    is_lasting: bool


def made_password(username: str) -> str:
    """Return a password that nobody can guess and anybody can copy, such as a first one, and that the rules of passwords take."""
    while True:
        letters = "".join(secrets.choice(MADE_OF) for _place in range(MADE_LENGTH))
        made = "-".join(letters[start : start + 5] for start in range(0, MADE_LENGTH, 5))
        with suppress(errors.Refused):
            _check_password(made, username)
            return made


def register(*, username: str, password: str, group: str, caller: Caller) -> bool:
    """Register a user in a group, with a password that is theirs to keep; return whether the user is new. A user who is there in that group is left as they are.

    :raises errors.Refused: label_invalid, name_invalid, password_weak, not_found (the group), rights_by_two; definition_conflict, where the user is in other groups
    """
    if found := [*openings.name("name of a user", username, NAME_MOST), *openings.name("group", group, NAME_MOST)]:
        raise errors.Refused(found)
    _check_name(username)
    _check_password(password, username)
    there = User.objects.named(username).first()
    if there is None:
        return keep_user(
            username=username, groups=[group], password=password, caller=caller, is_checked=True, is_new=True, is_lasting=True
        ).is_changed
    groups = sorted(there.groups.values_list("name", flat=True))
    if groups != [group]:
        differs = phrase(_("group ({there} ≠ {given})"), there=", ".join(groups) or "–", given=group)
        raise errors.Refused([errors.DefinitionConflict(what=_("User"), name=username, differs=differs)])
    return False


def keep_user(
    *,
    username: str,
    groups: Collection[str] | None,
    caller: Caller,
    password: str | None = None,
    reason: str = "",
    called: Mapping[str, str] | None = None,
    is_checked: bool = False,
    flags: Mapping[str, bool] | None = None,
    is_new: bool = False,
    is_lasting: bool = False,
) -> Kept:
    """Register a user with these groups, or make the one of this name what is said here.

    ``groups`` of None stay as they are; of somebody new they are none. ``flags`` are is_active, is_staff and is_superuser; one that is not said stays as it is. ``called`` are first_name, last_name and email. What is
    taken away, and the rest, is so at once; what is given is proposed for ``reason``, or given at once where the caller alone decides on rights.
    What the caller has proposed already, and nobody has decided, is not proposed twice. A token gives nothing at once, and takes nothing.
    ``is_new`` says that nobody of this name may be there. A ``password`` that another than the user sets is to be changed when they first sign in, but one that ``is_lasting``. Without a ``password`` a new user cannot log in yet, and one who is there keeps theirs. The system may register, and changes nobody.

    :raises errors.Refused: not_permitted, not_found (a group), name_invalid, password_weak, definition_conflict, reason_required, user_there, decided_by_program, and what rules.granting refuses
    """
    is_machine = caller.user.username == User.SYSTEM
    if not is_machine:
        check_right(caller)
    _check_name(username)
    if password is not None and not is_checked:
        _check_password(password, username)
    wanted = {**({} if groups is None else {"groups": sorted(set(groups))}), **(flags or {})}
    asked = _Asked(username, wanted, password, reason, dict(called or {}), caller, is_new, is_lasting)
    # One transaction for what is so at once and for what is proposed, each of which is a part.
    return transactions.whole(lambda: _keep(asked))


def _keep(asked: _Asked) -> Kept:
    user, is_changed, case = transactions.run(lambda: _at_once(asked))
    if not case.gives or case.is_alone or case.is_system:
        return Kept(user, is_changed, None, case.is_new)
    said = {"user": user.username, **case.after}
    # All rights are held since: nobody proposes the same beside this.
    proposed = change_rows.undecided_of(asked.caller.user, "rights", said) or setting_changes.propose(
        kind="rights", arguments=said, reason=asked.reason, caller=asked.caller
    )
    return Kept(user, is_changed, proposed, case.is_new)


def _at_once(asked: _Asked) -> tuple[User, bool, rules.GrantFacts]:
    """Write what is so at once; return the user, whether something changed, and what was asked for."""
    username, password, caller = asked.username, asked.password, asked.caller
    granting.hold()
    if caller.user.username != User.SYSTEM:
        # Asked before as well; now nobody takes it any more before this is over.
        check_right(caller)
    there = locks.setting(User.objects.named(username))
    if there is not None and asked.is_new:
        # Somebody else registered the name since it was looked for, and is not to find other groups and another password.
        raise errors.Refused([refused.UserThere(user=there.username)])
    user = there or User(username=username, is_staff=False, is_active=True)
    wanted = (
        asked.wanted
        if there is not None
        else {
            # The pages are for people.
            "is_staff": not set(asked.wanted.get("groups", ())) <= OF_PROGRAMS,
            **asked.wanted,
        }
    )
    sets_password = password is not None and (there is None or not user.check_password(password))
    case = granting.facts(user, wanted, caller=caller, is_decided=False, is_new=there is None, sets_password=sets_password)
    granting.groups(case.after["groups"])
    if there is not None and User.SYSTEM in {caller.user.username, there.username}:
        _refuse_differing(user, case, password)
        return user, False, case
    found = rules.refusals(case)
    if case.gives and not (case.is_alone or case.is_system or asked.reason.strip()):
        found.append(errors.ReasonRequired(action=setting_changes.PROPOSING))
    now = case.after if case.is_alone or not case.gives else rules.without_gains(case.before, case.after)
    if caller.is_program and now != case.before:
        found.append(refused.DecidedByProgram(user=caller.user.username))
    if found:
        raise errors.Refused(found)
    # From here on it must be so.
    if there is None:
        _add(user, asked)
    facts = {} if there is None else _set_called(user, asked.called, caller)
    changed = granting.write(user, now, caller=caller, case=case)
    if there is not None and password is not None and sets_password:
        if user.pk != caller.user.pk:
            _refuse_decider(user)
        _write_password(user, password, caller)
        return user, True, case
    return user, there is None or bool(facts or changed), case


def tell_administrator(*, user: User, caller: Caller) -> None:
    """Keep that an administrator was made at the shell, by nobody's decision: an audit row, as the operating system's account."""
    facts = {"is_superuser": [False, True], granting.ALONE: True}
    transactions.run(lambda: _record(user, "set_rights", caller, facts))


def set_password(*, username: str, password: str | None, caller: Caller, is_checked: bool = False) -> User:
    """Set a user's password, or with None take it away; one's own, or with the right to keep users somebody else's, who has to choose another to decide what the caller proposes.

    Of somebody else who decides on rights nobody sets it here: anyone who did could be both people of a decision. ``is_checked`` says that a form has asked the rules of passwords.

    :raises errors.Refused: not_permitted, not_found, password_weak, password_of_decider
    """
    is_own = names.fold(username) == caller.user.username_folded
    if not is_own:
        check_right(caller)
    if password is not None and not is_checked:
        _check_password(password, username)

    def work() -> User:
        user = locks.own_if_there(User.objects.named(username).exclude(username=User.SYSTEM))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        if not is_own:
            _refuse_decider(user)
        _write_password(user, password, caller)
        return user

    return transactions.run(work)


def tell_password(*, username: str, caller: Caller) -> None:
    """Keep that a password was set at the shell, by whom the operating system's account tells: an audit row, and another to be chosen.

    It is the system's that is known: of a decision nobody at the shell is the other person.
    """

    def work() -> None:
        user = locks.own_row(User, User.objects.named(username).get().pk)
        User.objects.filter(pk=user.pk).update(secret_known_to=caller.user if user.has_usable_password() else None)
        tokens.end_of(user, Token.Ending.PASSWORD, caller)
        identities.end_own(user, caller)
        _record(user, "set_password", caller, {"own": False, "usable": user.has_usable_password()})

    transactions.run(work)


def _add(user: User, asked: _Asked) -> None:
    for name in CALLED:
        setattr(user, name, asked.called.get(name, ""))
    user.set_password(asked.password)
    user.secret_known_to = None if asked.password is None or asked.is_lasting else asked.caller.user
    history.create(user, caller=asked.caller)
    _record(user, "register", asked.caller, {})


def _set_called(user: User, called: Mapping[str, str], caller: Caller) -> list[str]:
    """Set what the user is called, and say which parts changed: names of people stand in no audit row."""
    changed = sorted(name for name, value in called.items() if getattr(user, name) != value)
    for name in changed:
        setattr(user, name, called[name])
    if changed:
        history.save(user, caller=caller)
        _record(user, "keep", caller, {"changed": changed})
    return changed


def is_known(user: User, password: str) -> bool:
    """Return whether a password is the one that somebody else has set, and so none that the user can choose."""
    return user.secret_known_to_id is not None and user.check_password(password)


def _write_password(user: User, password: str | None, caller: Caller) -> None:
    is_own = user.username == caller.user.username
    if is_own and password is not None and is_known(user, password):
        raise errors.Refused([opening.PasswordWeak(why=KNOWN)])
    user.set_password(password)
    user.secret_known_to = None if password is None or is_own else caller.user
    history.save(user, caller=caller, reason="password")
    # A person who knew the password may have issued tokens, or bound an identity of their own.
    tokens.end_of(user, Token.Ending.PASSWORD, caller)
    identities.end_own(user, caller)
    _record(user, "set_password", caller, {"own": is_own, "usable": password is not None})


def _refuse_decider(user: User) -> None:
    """Say that an operator sets the password of who decides on rights, where somebody else asks for it.

    :raises errors.Refused: password_of_decider
    """
    if user.username in deciding.deciders():
        raise errors.Refused([refused.PasswordOfDecider(user=user.username)])


def _refuse_differing(user: User, case: rules.GrantFacts, password: str | None) -> None:
    """Say what the system would have to change, which it does not; and nobody changes the system.

    :raises errors.Refused: definition_conflict
    """
    differs = differing((CALLED_SO[name], _word(case.before[name]), _word(case.after[name])) for name in rules.NAMES)
    if not differs and password is not None and not user.check_password(password):
        differs = Words([_("password")])
    if differs:
        raise errors.Refused([errors.DefinitionConflict(what=_("User"), name=user.username, differs=differs)])


def _word(value: Any) -> Any:
    """Return what is kept of a right as a sentence tells it: groups by their names, a switch by its word."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(value) or NOTHING


def _check_name(username: str) -> None:
    try:
        User._meta.get_field("username").clean(username, None)  # noqa: SLF001 - Django's public API
        check_folded(username)
    except ValidationError as error:
        raise errors.Refused([opening.NameInvalid(name=username[:150], why=" ".join(error.messages))]) from error


def _check_password(password: str, username: str) -> None:
    try:
        validate_password(password, User(username=username))
    except ValidationError as error:
        raise errors.Refused([opening.PasswordWeak(why=" ".join(error.messages))]) from error


def _record(user: User, action: str, caller: Caller, facts: Mapping[str, Any]) -> None:
    audit.record(subject=audit.Subject("user", user.pk, user.username), action=action, caller=caller, facts=facts)
