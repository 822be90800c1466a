"""Sets the rules of lots, with their history."""

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.base.operations.defined import check_same
from ledger_app.books.operations import books
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import settings
from ledger_app.models import Account, Book, LotRule
from ledger_app.posting.rules.lots import DAYS, DAYS_MOST, FIXED, FREE, FREE_FIRST, MONTHS, MONTHS_MOST, NEVER
from ledger_app.values import openings

SET_RULE = "ledger_app.set_lot_rule"
ROLE_MOST = 32


@dataclass(frozen=True, slots=True)
class RuleGiven:
    """What a rule says. ``validity`` counts days or months; ``breakage`` is the code of the account that takes what expires."""

    expiry: str
    breakage: str
    validity: int | None = None
    fixed_on: date | None = None
    order: str = FREE_FIRST
    kind: str = FREE


def set_rule(*, book: Book, role: str, given: RuleGiven, caller: Caller) -> history.Kept[LotRule]:
    """Set what the accounts of ``role`` do with lots; return the rule, whether it is new, and whether something changed. Lots that are there keep their day; accounts that are open keep lots or not.

    The system may set a rule where there is none yet, as it opens books; to change one takes the right.

    :raises errors.Refused: not_permitted, code_invalid, lot_rule_invalid, not_found (the breakage account), account_of_member; definition_conflict, where the
        system finds another
    """
    books.check_right(caller, SET_RULE, _("Set the rules of lots"), _("Finance"))
    if not openings.is_code(role, ROLE_MOST):
        raise errors.Refused([errors.CodeInvalid(name=role[: openings.CODE_MOST], most=ROLE_MOST)])
    _check(role, given)

    def work() -> history.Kept[LotRule]:
        # The book's row stands for "the set of its rules", as it does for its periods.
        locks.setting(Book.objects.filter(pk=book.pk))
        row = LotRule.objects.filter(book=book, role=role).first()
        named = Account.objects.filter(book=book, code=given.breakage, keeps_lots=False)
        breakage = named.first() if openings.is_code(given.breakage, openings.CODE_MOST) else None
        if breakage is None:
            raise errors.Refused([errors.NotFound(what=_("account without lots"), name=given.breakage)])
        if breakage.holder_id is not None:
            raise errors.Refused([settings.AccountOfMember(account=given.breakage, book=book.code)])
        wanted = {
            "expiry": given.expiry,
            "validity": given.validity,
            "fixed_on": given.fixed_on,
            "order": given.order,
            "kind": given.kind,
            "breakage_id": breakage.pk,
        }
        if row is not None and all(getattr(row, name) == value for name, value in wanted.items()):
            return history.Kept(row, False, False)
        is_new = row is None
        if row is None:
            row = history.create(LotRule(book=book, role=role, **wanted), caller=caller)
        else:
            if caller.user.username == caller.user.SYSTEM:
                said = {name: value for name, value in wanted.items() if name != "breakage_id"}
                check_same(_("rule of lots"), str(row), row, {**said, "breakage": breakage})
            for name, value in wanted.items():
                setattr(row, name, value)
            history.save(row, caller=caller)
        facts = {**wanted, "fixed_on": given.fixed_on.isoformat() if given.fixed_on else None}
        record(subject=Subject("lotrule", row.pk, str(row)), action="set", caller=caller, facts=facts)
        return history.Kept(row, is_new, True)

    return transactions.join(work)


def _check(role: str, given: RuleGiven) -> None:
    most = {DAYS: DAYS_MOST, MONTHS: MONTHS_MOST}.get(given.expiry)
    why: str | Promise = ""
    if given.expiry not in {NEVER, DAYS, MONTHS, FIXED}:
        why = _("it is never, days, months or fixed")
    elif most is not None and not 1 <= (given.validity or 0) <= most:
        why = _("a number of days or months is needed, within a hundred years")
    elif most is None and given.validity is not None:
        why = _("a number is for days and months alone")
    elif (given.expiry == FIXED) != (given.fixed_on is not None):
        why = _("a date is needed for fixed, and for nothing else")
    elif given.order not in LotRule.Order.values or given.kind not in LotRule.Kind.values:
        why = _("the order or the kind is not known")
    if why:
        number = _("no number") if given.validity is None else given.validity
        facts = {"expiry": given.expiry, "validity": number, "fixed": given.fixed_on or _("no date")}
        raise errors.Refused([lot_errors.LotRuleInvalid(role=role, why=why, **facts)])
