"""Sets the rules of holds, with their history."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.base.operations.defined import check_same
from ledger_app.books.operations import books
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import units
from ledger_app.models import Account, Book, HoldRule, HoldTarget
from ledger_app.values.most import AMOUNT_MOST, HOURS_MOST

SET_RULE = "ledger_app.set_hold_rule"


class HoldRuleGiven(NamedTuple):
    """What a rule says. None: no limit. ``targets`` are codes of accounts; without any, each account that is nobody's and keeps no lots."""

    amount_most: int | None = None
    amount_a_day: int | None = None
    hours_most: int = HOURS_MOST
    targets: tuple[str, ...] = ()


def set_rule(*, book: Book, given: HoldRuleGiven, caller: Caller) -> history.Kept[HoldRule]:
    """Set what a book says of holds; return the rule, whether it is new, and whether something changed. Holds that are there stay as they are.

    The system may set a rule where there is none yet, as it opens books; to change one takes the right.

    :raises errors.Refused: not_permitted, hold_rule_invalid, not_found (an account), hold_target_refused (a member's account); definition_conflict, where the
        system finds another
    """
    books.check_right(caller, SET_RULE, _("Set the rules of holds"), _("Finance"))
    limits = [each for each in (given.amount_most, given.amount_a_day) if each is not None]
    if not all(1 <= each <= AMOUNT_MOST for each in limits) or not 1 <= given.hours_most <= HOURS_MOST:
        said = {"amount": given.amount_most, "day": given.amount_a_day}
        facts = {name: _("no limit") if most is None else most for name, most in said.items()} | {"hours": given.hours_most}
        raise errors.Refused(units.belonging([lot_errors.HoldRuleInvalid(most=HOURS_MOST, **facts)], book.pk))

    def work() -> history.Kept[HoldRule]:
        # The book's row stands for its rule, as it does for the rules of its lots.
        locks.setting(Book.objects.filter(pk=book.pk))
        row = HoldRule.objects.filter(book=book).first()
        targets = _targets(book, given.targets)
        wanted: dict[str, Any] = {
            "amount_most": given.amount_most,
            "amount_a_day": given.amount_a_day,
            "hours_most": given.hours_most,
        }
        is_new = row is None
        if row is None:
            row = history.create(HoldRule(book=book, **wanted), caller=caller)
            changed = wanted | _set_targets(row, targets, caller)
        else:
            if caller.user.username == caller.user.SYSTEM:
                there = _listed(row.targets.values_list("account__code", flat=True))
                beside = [(_("accounts that take what is held"), there, _listed(targets))]
                check_same(_("rule of holds"), str(row), row, wanted, beside)
            changed = {column: value for column, value in wanted.items() if getattr(row, column) != value}
            changed |= _set_targets(row, targets, caller)
            if not changed:
                return history.Kept(row, False, False)
            for column, value in wanted.items():
                setattr(row, column, value)
            row.version += 1
            history.save(row, caller=caller)
        record(subject=Subject("holdrule", row.pk, str(row)), action="set", caller=caller, facts=changed)
        return history.Kept(row, is_new, True)

    return transactions.join(work)


def _listed(codes: Iterable[str]) -> str:
    return " ".join(sorted(codes)) or "–"


def _targets(book: Book, codes: Sequence[str]) -> dict[str, Account]:
    found = {account.code: account for account in Account.objects.filter(book=book, code__in=codes)}
    if missing := sorted(set(codes) - found.keys()):
        raise errors.Refused([errors.NotFound(what=_("account"), name=code) for code in missing])
    if of_members := sorted(code for code, account in found.items() if account.holder_id is not None):
        raise errors.Refused([lot_errors.HoldTargetRefused(account=code, book=book.code, reference="–") for code in of_members])
    return found


def _set_targets(row: HoldRule, wanted: Mapping[str, Account], caller: Caller) -> dict[str, Any]:
    """Make the targets of a rule those of ``wanted``; return what changed, by account."""
    there = {each.account.code: each for each in row.targets.select_related("account")}
    for code in wanted.keys() - there.keys():
        history.create(HoldTarget(rule=row, account=wanted[code]), caller=caller)
    for code in there.keys() - wanted.keys():
        history.delete(there[code], caller=caller)
    return {f"target {code}": code in wanted for code in sorted(wanted.keys() ^ there.keys())}
