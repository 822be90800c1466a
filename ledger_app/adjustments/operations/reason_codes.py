"""Keeps reason codes with their contra accounts, and the limits of those who decide adjustments. Each change has an audit row and a history."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.defined import check_same
from ledger_app.books.queries import books
from ledger_app.errors import adjusting, settings
from ledger_app.models import Account, AdjustmentLimit, ContraAccount, ReasonCode, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import openings
from ledger_app.values.most import AMOUNT_MOST, WINDOW_DAYS, WINDOW_DAYS_MOST

CODE_MOST = 32
NAME_MOST = openings.NAME_MOST


class Unchanged(Enum):
    """What stands for a part of a limit about which nothing is said: it stays as it is."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
KEEP, SET_LIMITS = "ledger_app.keep_reasoncode", "ledger_app.set_adjustmentlimit"


def keep(
    *,
    code: str,
    name: str,
    contra_accounts: Mapping[str, str],
    caller: Caller,
    may_waive_floor: bool = False,
    is_active: bool = True,
    version: int | None = None,
) -> history.Kept[ReasonCode]:
    """Add a reason code, or make the one of this code what is said here; return it, whether it is new, and whether something changed. ``contra_accounts`` are codes of accounts by codes of books.

    ``version`` is that which was shown, where the code is there already. Books that are left out keep no contra account.
    The system may add one where there is none yet, as it opens books; to change one takes the right.

    :raises errors.Refused: not_permitted, code_invalid, label_invalid, not_found (book, account), account_in_other_book, account_of_member, stale;
        definition_conflict, where the system finds another
    """
    if caller.user.username != User.SYSTEM:
        _check_right(caller, KEEP, _("Keep reason codes"), _("Finance"))
    called = name.strip() or code
    _check_words(code, called)
    wanted = {"name": called, "may_waive_floor": may_waive_floor, "is_active": is_active}

    def work() -> history.Kept[ReasonCode]:
        accounts = {book: _account(book, account) for book, account in contra_accounts.items()}
        row = locks.setting(ReasonCode.objects.filter(code=code))
        if row is None:
            row = history.create(ReasonCode(code=code, **wanted), caller=caller)
            changed = {"added": True, **wanted}
        else:
            if version is not None and version != row.version:
                raise errors.Refused([errors.Stale(shown=version, now=row.version)])
            changed = {column: value for column, value in wanted.items() if getattr(row, column) != value}
            if caller.user.username == User.SYSTEM:
                there = dict(row.contra_accounts.values_list("book__code", "account__code"))
                contra = [
                    (_("contra account"), _named(book, there.get(book)), _named(book, contra_accounts.get(book)))
                    for book in sorted({*there, *contra_accounts})
                ]
                check_same(_("reason code"), row.code, row, wanted, contra)
        changed |= _set_contra_accounts(row, accounts, caller)
        if changed and "added" not in changed:
            for column, value in wanted.items():
                setattr(row, column, value)
            row.version += 1
            history.save(row, caller=caller)
        if changed:
            _record("reasoncode", row, "keep", caller, changed)
        return history.Kept(row, "added" in changed, bool(changed))

    return transactions.join(work)


def set_limit(
    *,
    group: str,
    book: str,
    amount_most: int,
    two_deciders_above: int,
    caller: Caller,
    window_days: int | Unchanged = UNCHANGED,
    day_most: int | Unchanged | None = UNCHANGED,
    member_day_most: int | Unchanged | None = UNCHANGED,
    all_day_most: int | Unchanged | None = UNCHANGED,
    reason_code: str = "",
) -> history.Kept[AdjustmentLimit]:
    """Say how much a group decides in a book, in minor units, and above which amount by two; return the limit, whether it is new, and whether something changed. An ``amount_most`` of 0 lets it decide nothing.

    Both are what one person decides for one member in sum over ``window_days``; ``day_most`` is for all members on one day. What all together decide
    on one day is bounded for one member by ``member_day_most``, and by ``all_day_most``; None is no such limit. Of these four, what is left out stays
    as it is; of a new limit it is 30 days, and none. With a ``reason_code`` all of this is of what is adjusted with it, beside the limit of everything.

    The system may set a limit where there is none yet, as it opens books; to change one takes the right.

    :raises errors.Refused: not_permitted, not_found (group, book, reason code), limit_invalid; definition_conflict, where the system finds another
    """
    if caller.user.username != User.SYSTEM:
        _check_right(caller, SET_LIMITS, _("Set limits"), _("An administrator"))
    days = {"day_most": day_most, "member_day_most": member_day_most, "all_day_most": all_day_most}
    _check_limit(book, amount_most, two_deciders_above, window_days, days)

    def work() -> history.Kept[AdjustmentLimit]:
        of_book = books.find(book)
        members = Group.objects.filter(name=group).first() if not openings.name(_("group"), group) else None
        if members is None:
            raise errors.Refused([errors.NotFound(what=_("group"), name=group)])
        if reason_code and not _is_reason_code(reason_code):
            raise errors.Refused([errors.NotFound(what=_("reason code"), name=reason_code[:CODE_MOST])])
        row = locks.setting(AdjustmentLimit.objects.filter(group=members, book=of_book, reason_code=reason_code))
        said: dict[str, Any] = {"amount_most": amount_most, "two_deciders_above": two_deciders_above}
        beside = {"window_days": (window_days, WINDOW_DAYS), **{name: (most, None) for name, most in days.items()}}
        for name, (given, of_new) in beside.items():
            said[name] = given if given is not UNCHANGED else of_new if row is None else getattr(row, name)
        is_new = row is None
        if row is None:
            row = history.create(AdjustmentLimit(group=members, book=of_book, reason_code=reason_code, **said), caller=caller)
        elif said != {name: getattr(row, name) for name in said}:
            if caller.user.username == User.SYSTEM:
                check_same(_("limit of adjustments"), str(row), row, said)
            for name, value in said.items():
                setattr(row, name, value)
            history.save(row, caller=caller)
        else:
            return history.Kept(row, False, False)
        _record("adjustmentlimit", row, "set", caller, said)
        return history.Kept(row, is_new, True)

    return transactions.join(work)


def _check_limit(
    book: str, most: int, alone: int, window_days: int | Unchanged, days: Mapping[str, int | Unchanged | None]
) -> None:
    """:raises errors.Refused: limit_invalid"""
    are_days_fit = all(isinstance(each, Unchanged | None) or 0 <= each <= AMOUNT_MOST for each in days.values())
    is_window_fit = isinstance(window_days, Unchanged) or 1 <= window_days <= WINDOW_DAYS_MOST
    if 0 <= alone <= most <= AMOUNT_MOST and is_window_fit and are_days_fit:
        return
    said = {name.removesuffix("_most"): "–" if isinstance(each, Unchanged | None) else each for name, each in days.items()}
    window = WINDOW_DAYS if isinstance(window_days, Unchanged) else window_days
    bounds = {"highest": AMOUNT_MOST, "days_most": WINDOW_DAYS_MOST}
    raise errors.Refused([adjusting.LimitInvalid(book=book, most=most, alone=alone, days=window, **said, **bounds)])


def _is_reason_code(code: str) -> bool:
    return openings.is_code(code, CODE_MOST) and ReasonCode.objects.filter(code=code).exists()


def _set_contra_accounts(row: ReasonCode, accounts: Mapping[str, Account], caller: Caller) -> dict[str, Any]:
    """Make the contra accounts of a reason code those of ``accounts``; return what changed, by book."""
    there = {each.book.code: each for each in row.contra_accounts.select_related("book", "account")}
    changed: dict[str, Any] = {}
    for code, account in accounts.items():
        if code not in there:
            history.create(ContraAccount(reason_code=row, book_id=account.book_id, account=account), caller=caller)
        elif there[code].account_id != account.pk:
            there[code].account = account
            history.save(there[code], caller=caller)
        else:
            continue
        changed[f"contra {code}"] = account.code
    for code in there.keys() - accounts.keys():
        history.delete(there[code], caller=caller)
        changed[f"contra {code}"] = None
    return changed


def _named(book: str, account: str | None) -> str:
    return "–" if account is None else f"{book}:{account}"


def _account(book: str, code: str) -> Account:
    found = books.find(book)
    if not openings.is_code(code, openings.CODE_MOST):
        raise errors.Refused([errors.NotFound(what=_("account"), name=code)])
    account = Account.objects.filter(book=found, code=code).first()
    if account is not None and account.holder_id is not None:
        # Adjusting whom it may be, somebody could move points to that member, and no limit of members counts the other side.
        raise errors.Refused([settings.AccountOfMember(account=code, book=book)])
    if account is not None:
        return account
    if Account.objects.filter(code=code).exists():
        raise errors.Refused([errors.AccountInOtherBook(account=code, book=book, reference="–")])
    raise errors.Refused([errors.NotFound(what=_("account"), name=code)])


def _check_words(code: str, called: str) -> None:
    if not openings.is_code(code, CODE_MOST):
        raise errors.Refused([errors.CodeInvalid(name=code[:CODE_MOST], most=CODE_MOST)])
    if found := openings.name(_("name of a reason code"), called):
        raise errors.Refused(found)


def _check_right(caller: Caller, right: str, label: Any, who: Any) -> None:
    if right not in rights_of(caller.user):
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=label, who=who)])


def _record(kind: str, row: ReasonCode | AdjustmentLimit, action: str, caller: Caller, facts: Mapping[str, Any]) -> None:
    audit.record(subject=audit.Subject(kind, row.pk, str(row)), action=action, caller=caller, facts=dict(facts))
