"""Registers those who work here, says which groups they are in, and gives and ends their tokens. Each change has an audit row."""

from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.errors import opening
from ledger_app.errors.words import phrase
from ledger_app.models import User
from ledger_app.models.people import check_folded
from ledger_app.operations import audit, history, transactions
from ledger_app.operations.audit import Caller
from ledger_app.queries.rights import rights_of
from ledger_app.rules import openings

KEEP, GIVE_TOKENS = "ledger_app.change_user", "authtoken.add_token"
NAME_MOST = 150


def register(*, username: str, password: str, group: str, caller: Caller) -> bool:
    """Register a user in a group; return whether the user is new. A user who is there in that group is left as they are.

    :raises errors.Refused: label_invalid, name_invalid, password_weak, not_found (the group); definition_conflict, where the user is in other groups
    """
    if found := [*openings.name("name of a user", username, NAME_MOST), *openings.name("group", group, NAME_MOST)]:
        raise errors.Refused(found)
    _check_name(username)
    _check_password(password, username)

    def work() -> bool:
        there = User.objects.named(username).first()
        if there is not None:
            groups = sorted(there.groups.values_list("name", flat=True))
            if groups != [group]:
                differs = phrase(_("group ({there} ≠ {given})"), there=", ".join(groups) or "–", given=group)
                raise errors.Refused([errors.DefinitionConflict(what=_("User"), name=username, differs=differs)])
            return False
        _add(username, {"groups": [group]}, password, caller)
        return True

    return transactions.run(work)


def keep_user(
    *, username: str, groups: Collection[str], caller: Caller, password: str | None = None, is_active: bool = True
) -> tuple[User, bool]:
    """Register a user in these groups, or make the one of this name what is said here; return the user, and whether something changed.

    Without a ``password`` a new user cannot log in yet, and one who is there keeps theirs. The system may register, and changes nobody.

    :raises errors.Refused: not_permitted, not_found (a group), name_invalid, password_weak, definition_conflict
    """
    is_machine = caller.user.username == User.SYSTEM
    if not is_machine:
        _check_right(caller, KEEP, _("Keep users"))
    wanted: dict[str, Any] = {"groups": sorted(set(groups)), "is_active": is_active}
    _check_name(username)
    if password is not None:
        _check_password(password, username)

    def work() -> tuple[User, bool]:
        user = locks.own_if_there(User.objects.named(username))
        if user is None:
            return _add(username, wanted, password, caller), True
        there = {"groups": sorted(user.groups.values_list("name", flat=True)), "is_active": user.is_active}
        changed = {name: [there[name], wanted[name]] for name in wanted if there[name] != wanted[name]}
        has_password = password is None or user.check_password(password)
        if not changed and has_password:
            return user, False
        if is_machine:
            differs = ", ".join(f"{name} ({there})" for name, (there, _wanted) in changed.items()) or "password"
            raise errors.Refused([errors.DefinitionConflict(what=_("User"), name=username, differs=differs)])
        if "groups" in changed:
            user.groups.set(_groups(wanted["groups"]))
        user.is_active = is_active
        if not has_password:
            user.set_password(password)
        history.save(user, caller=caller, reason="" if has_password else "password")
        _record(user, "keep", caller, {**changed, **({} if has_password else {"password": True})})
        return user, True

    return transactions.run(work)


def give_token(*, username: str, caller: Caller, is_replaced: bool = False) -> str:
    """Give a user a token and return its key, which is told this once. Where there is one, it stays and the key is empty, unless it is replaced.

    :raises errors.Refused: not_permitted, not_found (an active user)
    """
    if caller.user.username != User.SYSTEM:
        _check_right(caller, GIVE_TOKENS, _("Give tokens"))

    def work() -> str:
        user = locks.own_if_there(User.objects.named(username).filter(is_active=True))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("active user"), name=username)])
        tokens = apps.get_model("authtoken.Token")._default_manager  # noqa: SLF001 - the public name of a model's manager varies
        there = tokens.filter(user=user)
        if there.exists() and not is_replaced:
            return ""
        was_there = bool(there.delete()[0])
        key: str = tokens.create(user=user).key
        _record(user, "give_token", caller, {"replaced": was_there})
        return key

    return transactions.run(work)


def end_token(*, username: str, caller: Caller) -> bool:
    """End a user's token; return whether there was one.

    :raises errors.Refused: not_permitted, not_found
    """
    _check_right(caller, GIVE_TOKENS, _("Give tokens"))

    def work() -> bool:
        user = locks.own_if_there(User.objects.named(username))
        if user is None:
            raise errors.Refused([errors.NotFound(what=_("user"), name=username)])
        tokens = apps.get_model("authtoken.Token")._default_manager  # noqa: SLF001 - the public name of a model's manager varies
        was_there = bool(tokens.filter(user=user).delete()[0])
        if was_there:
            _record(user, "end_token", caller, {})
        return was_there

    return transactions.run(work)


def _add(username: str, wanted: Mapping[str, Any], password: str | None, caller: Caller) -> User:
    found = _groups(wanted["groups"])
    user = User(username=username, is_staff=True, is_active=wanted.get("is_active", True))
    user.set_password(password)
    history.create(user, caller=caller)
    # The line that the groups leave in the history is the caller's as well.
    user._history_user, user._history_date = caller.user, caller.at  # type: ignore[attr-defined] # noqa: SLF001 - simple-history's interface
    user.groups.add(*found)
    _record(user, "register", caller, {"groups": [group.name for group in found]})
    return user


def _groups(names: Collection[str]) -> list[Group]:
    found = {group.name: group for group in Group.objects.filter(name__in=names)}
    if missing := sorted(set(names) - found.keys()):
        raise errors.Refused([errors.NotFound(what=_("group"), name=name) for name in missing])
    return [found[name] for name in sorted(found)]


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


def _check_right(caller: Caller, right: str, label: Any) -> None:
    if right not in rights_of(caller.user):
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=label, who=_("An administrator"))])


def _record(user: User, action: str, caller: Caller, facts: Mapping[str, Any]) -> None:
    audit.record(subject=audit.Subject("user", user.pk, user.username), action=action, caller=caller, facts=facts)
