"""Sets the policies of the close, with their history."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.base.operations.defined import check_same
from ledger_app.books.operations import books
from ledger_app.close.queries import closing
from ledger_app.errors import closing as closing_errors
from ledger_app.models import Book, ClosePolicy
from ledger_app.values import openings
from ledger_app.values.most import CLOSE_HOURS_MOST, MONTHS_AHEAD_MOST

SET_POLICY = "ledger_app.set_close_policy"


class PolicyGiven(NamedTuple):
    """What a policy says: hours after the end of a period's last day, months, and names of control totals."""

    provisional_after_hours: int = 60
    freeze_after_hours: int = 72
    months_ahead: int = 0
    controls: tuple[str, ...] = ()


def set_policy(*, book: Book, given: PolicyGiven, caller: Caller) -> history.Kept[ClosePolicy]:
    """Set what a book says of its close; return the policy, whether it is new, and whether something changed. What is frozen stays so.

    The system may set a policy where there is none yet, as it opens books; to change one takes the right.

    :raises errors.Refused: not_permitted, number_out_of_range, close_policy_invalid, control_unknown; definition_conflict, where the system finds another
    """
    books.check_right(caller, SET_POLICY, _("Set the policies of the close"), _("Finance"))
    if found := _unfit(given):
        raise errors.Refused(found)

    def work() -> history.Kept[ClosePolicy]:
        # The book's row stands for its policy: one that is not there cannot be locked.
        locks.setting(Book.objects.filter(pk=book.pk))
        names = closing.control_names(book.pk)
        if unknown := [name for name in given.controls if name not in names]:
            known = ", ".join(names)
            raise errors.Refused([closing_errors.ControlUnknown(name=name, known=known) for name in unknown])
        row = ClosePolicy.objects.filter(book=book).first()
        wanted: dict[str, Any] = {**given._asdict(), "controls": sorted(set(given.controls))}
        is_new = row is None
        if row is None:
            row, changed = history.create(ClosePolicy(book=book, **wanted), caller=caller), wanted
        else:
            if caller.user.username == caller.user.SYSTEM:
                numbers = {column: value for column, value in wanted.items() if column != "controls"}
                beside = [(_("control totals that a freeze needs"), _listed(row.controls), _listed(wanted["controls"]))]
                check_same(_("policy of the close"), str(row), row, numbers, beside)
            changed = {column: value for column, value in wanted.items() if getattr(row, column) != value}
            if not changed:
                return history.Kept(row, False, False)
            for column, value in wanted.items():
                setattr(row, column, value)
            row.version += 1
            history.save(row, caller=caller)
        record(subject=Subject("closepolicy", row.pk, str(row)), action="set", caller=caller, facts=changed)
        return history.Kept(row, is_new, True)

    return transactions.join(work)


def _listed(names: Sequence[str]) -> str:
    return " ".join(names) or "–"


def _unfit(given: PolicyGiven) -> list[errors.LedgerError]:
    found = [
        *openings.number(_("hours until a period is provisional"), given.provisional_after_hours, 0, CLOSE_HOURS_MOST),
        *openings.number(_("hours until a period may be frozen"), given.freeze_after_hours, 0, CLOSE_HOURS_MOST),
        *openings.number(_("months opened ahead"), given.months_ahead, 0, MONTHS_AHEAD_MOST),
    ]
    if not found and given.freeze_after_hours < given.provisional_after_hours:
        found.append(
            closing_errors.ClosePolicyInvalid(freeze=given.freeze_after_hours, provisional=given.provisional_after_hours)
        )
    return found
