"""What settings say now, as it stands beside a proposal to change them, and what the guards of a change are asked with."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.accounting.queries import profiles
from ledger_app.models import (
    AccountTemplate,
    AdjustmentLimit,
    Book,
    ClosePolicy,
    HoldRule,
    LotRule,
    Profile,
    ReasonCode,
    SettingChange,
    User,
)
from ledger_app.rights.queries import granting
from ledger_app.rights.queries.rights import rights_of, secret_known_to
from ledger_app.setting_changes.rules import SETTINGS, ChangeFacts
from ledger_app.values import names, openings

Said = Mapping[str, Any]
NAME_MOST = 150  # of a group, which has the longest


class Setting(NamedTuple):
    """A kind of setting: the arguments that name it, its row or None, how its value is read, and the row whose lock stands for it.

    ``lock`` is None where that is the setting's own row.
    """

    names: tuple[str, ...]
    rows: Callable[[Said], QuerySet[Any]]
    read: Callable[[Any], dict[str, Any]]
    lock: Callable[[Said], QuerySet[Any]] | None = None


def _columns(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda row: {name: getattr(row, name) for name in names}


def _reason_code(row: ReasonCode) -> dict[str, Any]:
    contra = row.contra_accounts.order_by("book__code").values_list("book__code", "account__code")
    return {"name": row.name, "may_waive_floor": row.may_waive_floor, "is_active": row.is_active, "contra_accounts": dict(contra)}


def _lot_rule(row: LotRule) -> dict[str, Any]:
    said = _columns("expiry", "validity", "order", "kind")(row)
    return said | {"fixed_on": row.fixed_on.isoformat() if row.fixed_on else None, "breakage": row.breakage.code}


def _hold_rule(row: HoldRule) -> dict[str, Any]:
    targets = row.targets.order_by("account__code").values_list("account__code", flat=True)
    return _columns("amount_most", "amount_a_day", "hours_most")(row) | {"targets": list(targets)}


def _profile(row: Profile) -> dict[str, Any]:
    newest = profiles.newest(row)
    return {"version": newest.number, "text": newest.text}


def _book(said: Said) -> QuerySet[Any]:
    return Book.objects.filter(code=said["book"])


SETTINGS_KEPT: Mapping[str, Setting] = {
    "limit": Setting(
        ("group", "book", "reason_code"),
        lambda said: AdjustmentLimit.objects.filter(
            group__name=said["group"], book__code=said["book"], reason_code=said.get("reason_code", "")
        ),
        _columns("amount_most", "two_deciders_above", "window_days", "day_most", "member_day_most", "all_day_most"),
    ),
    "reason_code": Setting(("code",), lambda said: ReasonCode.objects.filter(code=said["code"]), _reason_code),
    "template": Setting(
        ("book", "role"),
        lambda said: AccountTemplate.objects.filter(book__code=said["book"], role=said["role"]),
        _columns("category", "floor"),
    ),
    "lot_rule": Setting(
        ("book", "role"), lambda said: LotRule.objects.filter(book__code=said["book"], role=said["role"]), _lot_rule, _book
    ),
    "hold_rule": Setting(("book",), lambda said: HoldRule.objects.filter(book__code=said["book"]), _hold_rule, _book),
    "close_policy": Setting(
        ("book",),
        lambda said: ClosePolicy.objects.filter(book__code=said["book"]),
        _columns("provisional_after_hours", "freeze_after_hours", "months_ahead", "controls"),
        _book,
    ),
    "profile": Setting(("book", "profile"), lambda said: profiles.named(said["book"], said["profile"]), _profile),
    "rights": Setting(
        ("user",), lambda said: User.objects.named(said["user"]), granting.current, lambda _said: granting.stands()
    ),
}


def name(kind: str, arguments: Said) -> str:
    """Return what a setting is called."""
    return " · ".join(str(arguments[each]) for each in _names(kind, arguments))


def named(kind: str, arguments: Said) -> Said:
    """Return the arguments with the name of a user as the user has it: it may be typed in any form, and is compared and told in one.

    Of a profile, with the book and the name that its text says.

    :raises errors.Refused: profile_invalid
    """
    if kind == SettingChange.Kind.PROFILE:
        definition = profiles.parse(arguments["text"])
        return {**arguments, "book": definition.book, "profile": definition.name}
    row = row_of(kind, arguments)
    return {**arguments, "user": row.username} if isinstance(row, User) else arguments


def current(kind: str, arguments: Said) -> dict[str, Any] | None:
    """Return what a setting says now; None where there is none."""
    row = row_of(kind, arguments)
    return None if row is None else SETTINGS_KEPT[kind].read(row)


def undecided_of(user: User, kind: str, arguments: Said) -> SettingChange | None:
    """Return a user's own proposal of just this that nobody has decided, of a setting that still says what it said then; None where there is none."""
    arguments = named(kind, arguments)
    mine = SettingChange.objects.filter(kind=kind, setting=name(kind, arguments), state="proposed", proposed_by=user)
    now = current(kind, arguments)
    return next((row for row in mine.order_by("-id") if row.arguments == dict(arguments) and row.before == now), None)


def row_of(kind: str, arguments: Said) -> Any:
    """Return the row of a setting; None where there is none."""
    setting = SETTINGS_KEPT[kind]
    # What is no name names nothing, and no database need be asked.
    if any(openings.name(each, str(arguments[each]), NAME_MOST) for each in _names(kind, arguments)):
        return None
    return setting.rows(arguments).first()


def _names(kind: str, arguments: Said) -> tuple[str, ...]:
    """Return the arguments that name a setting: a limit that is of no reason code has none."""
    return tuple(each for each in SETTINGS_KEPT[kind].names if each != "reason_code" or arguments.get(each))


def lock_of(kind: str, arguments: Said) -> QuerySet[Any]:
    """Return the rows to be locked before a setting is read and changed: none where it is not there, and nothing stands for it."""
    setting, row = SETTINGS_KEPT[kind], row_of(kind, arguments)
    if row is not None and setting.lock is not None:
        return setting.lock(arguments)
    # By its key alone: a locking read of a join would hold the rows of the other tables too.
    return type(row)._default_manager.filter(pk=row.pk) if row is not None else Book.objects.none()  # noqa: SLF001 - the public name of a model's manager varies


def find(pk: int) -> SettingChange:
    """Return a proposal.

    :raises errors.Refused: not_found
    """
    row = SettingChange.objects.select_related("proposed_by", "decided_by").filter(pk=pk).first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("change of a setting"), name=pk)])
    return row


def rights(user: User) -> frozenset[str]:
    """Return the rights of a user by which changes are proposed and decided. The system opens what is not there, and has none here."""
    return frozenset() if user.username == User.SYSTEM else rights_of(user)


def facts(row: SettingChange, *, user: User, is_program: bool = False) -> ChangeFacts:
    """Return what the guards of a change are asked with."""
    return ChangeFacts(
        state=row.state,
        user_name=user.username,
        rights=rights(user),
        user_id=user.pk,
        proposer=row.proposed_by.username,
        proposer_id=row.proposed_by_id,
        kind=row.kind,
        setting=row.setting,
        secret_known_to=secret_known_to(user, [row.proposed_by]),
        is_as_shown=current(row.kind, row.arguments) == row.before,
        is_proposer_away=SETTINGS[row.kind].right not in rights(row.proposed_by),
        is_own=row.kind == SettingChange.Kind.RIGHTS and names.fold(row.arguments["user"]) == user.username_folded,
        is_program=is_program,
    )
