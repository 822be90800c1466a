"""What the ledger refuses, each with a code and the sentence that a person reads.

A class names one kind of refusal; its ``template`` is filled with the facts of the case. Guards and rules *return* these; operations
raise :class:`Refused` with all of them. Exit statuses and HTTP statuses live at the doorways.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.errors.card_numbers import masked_fact
from ledger_app.errors.printable import filled
from ledger_app.errors.units import InUnits, in_unit
from ledger_app.errors.words import clocked, numbered


class LedgerError(InUnits, Exception):
    """Something the ledger will not do, with the facts that say why. A slip is what a hand forgot or a page that was out of date."""

    code: ClassVar[str] = "ledger_error"
    is_slip: ClassVar[bool] = False
    template: ClassVar[str | Promise] = _("The ledger refused this.")
    instants: ClassVar[frozenset[str]] = frozenset()  # facts that are kept as programs read them, and told as people do
    untold: ClassVar[frozenset[str]] = frozenset()  # facts that no answer tells, and the audit row keeps

    def __init__(self, **facts: Any) -> None:
        """Keep ``facts``: the values that the template names, and whatever else helps to find the place. No card number is among them."""
        super().__init__()
        self.facts = {name: masked_fact(value) for name, value in facts.items()}
        self.is_recorded = False  # whether an audit row tells of it

    def __reduce__(self) -> Any:
        """Let the error cross a process boundary with its facts."""
        return _rebuild, (type(self), self.facts, self.book_id)

    @property
    def sentence(self) -> str:
        """What was refused, why, and what would make it pass, in the active language."""
        return filled(self.template, numbered(clocked(self.facts_in_words(), self.instants)))

    def __str__(self) -> str:
        """Return the code and the sentence."""
        return f"{self.code}: {self.sentence}"

    def as_dict(self) -> dict[str, Any]:
        """Return code, sentence and the facts that are told, ready for JSON."""
        facts = {name: value for name, value in self.all_facts().items() if name not in self.untold}
        return {"code": self.code, "sentence": self.sentence, "facts": facts}

    def all_facts(self) -> dict[str, Any]:
        """Return every fact, ready for JSON: nothing as null."""
        return {
            name: value if isinstance(value, int | None) else str(in_unit(value, self.unit)) for name, value in self.facts.items()
        }


def _rebuild(kind: type[LedgerError], facts: dict[str, Any], book_id: int | None) -> LedgerError:
    error = kind(**facts)
    error.book_id = book_id
    return error


class Refused(LedgerError):
    """One or more rules refuse; nothing was written."""

    code = "refused"

    def __init__(self, reasons: Sequence[LedgerError]) -> None:
        """Keep every reason, in the documented order of the rules."""
        super().__init__()
        self.reasons = tuple(reasons)

    def __reduce__(self) -> Any:
        """Let the refusal cross a process boundary with its reasons."""
        return Refused, (self.reasons,)

    @property
    def sentence(self) -> str:
        """Every reason's sentence, in order."""
        return " ".join(reason.sentence for reason in self.reasons)

    def __str__(self) -> str:
        """Return each reason on a line of its own."""
        return "\n".join(str(reason) for reason in self.reasons)


class TryAgain(LedgerError):
    """A lock was not free in time or the database went away; nothing is half done, and the same call may be made again."""

    code = "try_again"
    template = _("The database did not answer in time ({cause}). Nothing was lost: run the same again.")


class WrittenDiffers(LedgerError):
    """What was written is not what was planned; the transaction is undone. This is a fault of the program, not of the data."""

    code = "written_differs"
    template = _(
        "What was written differs from what was planned ({what}: planned {planned}, found {found}). All of it was undone."
    )


# Posting, in the order in which the rules are asked.


class BookUnknown(LedgerError):
    """The draft names a book that does not exist."""

    code = "book_unknown"
    template = _("There is no book {book}. Name a book that exists.")


class ReferenceInvalid(LedgerError):
    """The reference is empty, too long, or has characters other than printable ASCII without spaces."""

    code = "reference_invalid"
    template = _("The reference “{reference}” is not 1 to 100 printable ASCII characters without spaces.")


class ReferenceConflict(LedgerError):
    """The reference exists with other content."""

    code = "reference_conflict"
    template = _(
        "The reference {reference} stands for another entry already; these differ: {differs}. Use a reference of its own."
    )


class DescriptionInvalid(LedgerError):
    """The description has control characters or is too long."""

    code = "description_invalid"
    template = _("The description of {reference} has control characters or more than 200 characters.")


class LinesTooFew(LedgerError):
    """An entry has fewer than two lines."""

    code = "lines_too_few"
    template = _("The entry {reference} has {count} lines; an entry needs at least two.")


class LineZero(LedgerError):
    """A line has amount zero."""

    code = "line_zero"
    template = _("The entry {reference} has a line of zero on account {account}. Leave the line out.")


class AmountOutOfRange(LedgerError):
    """An amount, or the balance it leads to, is beyond what the ledger keeps exactly."""

    code = "amount_out_of_range"
    amounts = frozenset({"amount"})
    template = _("The amount {amount} of {reference} on account {account} is beyond the ledger's range.")


class Unbalanced(LedgerError):
    """The lines of an entry do not sum to zero."""

    code = "unbalanced"
    amounts = frozenset({"sum"})
    template = _("The lines of {reference} sum to {sum}; they must sum to zero.")


class AccountUnknown(LedgerError):
    """The draft names an account that does not exist."""

    code = "account_unknown"
    template = _("There is no account {account} (entry {reference}). Open it first: by open_accounts, or on its book’s page.")


class AccountInOtherBook(LedgerError):
    """A line is on an account of another book than its entry's."""

    code = "account_in_other_book"
    template = _("The account {account} is not in book {book} (entry {reference}).")


class AccountNotOpen(LedgerError):
    """The account is suspended or closed."""

    code = "account_not_open"
    template = _("The account {account} is {state} and takes no lines (entry {reference}).")


class HolderMerged(LedgerError):
    """The account's holder was merged into another."""

    code = "holder_merged"
    template = _(
        "The holder of account {account} was merged into holder {into}: post to that holder's account (entry {reference})."
    )


class PeriodMissing(LedgerError):
    """No period of the book covers the date."""

    code = "period_missing"
    template = _(
        "Book {book} has no period that covers {date} (entry {reference}). Open it first: by open_periods, or on the book’s page."
    )


class PeriodFrozen(LedgerError):
    """The period is frozen and accepts no entries."""

    code = "period_frozen"
    template = _("Period {period} of book {book} is frozen and accepts no entries (entry {reference}, dated {date}).")


class PeriodProvisional(LedgerError):
    """The period is provisional: its figures are out, and it takes only corrections by hand."""

    code = "period_provisional"
    template = _(
        "Period {period} of book {book} is provisional and takes no batches (entry {reference}, dated {date}). Reopen it first."
    )


class FloorBroken(LedgerError):
    """A balance would fall below the account's floor."""

    code = "floor_broken"
    amounts = frozenset({"balance", "floor"})
    template = _("The balance of account {account} would fall to {balance}, below its floor of {floor} (entry {reference}).")


class AlreadyReversed(LedgerError):
    """The entry was reversed before; an entry is reversed once."""

    code = "already_reversed"
    template = _("The entry {reference} was reversed already, by {by}.")


class ReversalOfReversal(LedgerError):
    """A reversal is not reversed; post the original again under a reference of its own."""

    code = "reversal_of_reversal"
    template = _("The entry {reference} is itself a reversal. Post a new entry instead.")


# Transitions.


class WrongState(LedgerError):
    """The transition does not begin in the state that the subject is in."""

    code = "wrong_state"
    template = _("“{action}” needs the state {needed}; this is {state}.")


class Stale(LedgerError):
    """The subject changed after it was shown."""

    code, is_slip = "stale", True
    template = _("This changed while you looked at it (version {shown}, now {now}). Look again, then decide.")


class NotPermitted(LedgerError):
    """The user lacks the right."""

    code = "not_permitted"
    template = _("{user} has not the right “{right}”. {who} may do this.")


class ReasonRequired(LedgerError):
    """The transition asks for a reason."""

    code, is_slip = "reason_required", True
    template = _("“{action}” needs a reason. Write one sentence that a reader will understand in a year.")


class ReasonTooLong(LedgerError):
    """The reason does not fit."""

    code, is_slip = "reason_too_long", True
    template = _("The reason has {length} characters; at most {most} are kept.")


class DecidingByCommandOff(LedgerError):
    """Deciding by command is switched off here."""

    code = "deciding_by_command_off"
    template = _("Deciding by command is off here. Decide in the admin, or set KAKUTEI_DECIDE_BY_COMMAND=true.")


# Opening and closing.


class NotFound(LedgerError):
    """There is no such thing."""

    code = "not_found"
    template = _("There is no {what} “{name}”.")


class CodeInvalid(LedgerError):
    """A code is not written in the ledger's alphabet."""

    code = "code_invalid"
    template = _("“{name}” is not 1 to {most} of the characters A–Z a–z 0–9 . _ - beginning with a letter or digit.")


class RoleTaken(LedgerError):
    """The role has the name of a control total."""

    code = "role_taken"
    template = _("“{role}” names a control total of every period. Give the accounts another role.")


class DefinitionConflict(LedgerError):
    """The thing exists with other properties."""

    code = "definition_conflict"
    template = _("{what} {name} exists already with another {differs}.")


class PeriodOverlaps(LedgerError):
    """The span meets that of another period of the book."""

    code = "period_overlaps"
    template = _("{starts} to {ends} overlaps period {period} of book {book}.")


class PeriodBeforeSeal(LedgerError):
    """A later period of the book is frozen: what is entered before it would change the balances that its seal begins with."""

    code = "period_before_seal"
    template = _("Period {period} of book {book} is frozen already; no period can be opened before it.")


class PeriodSpanInvalid(LedgerError):
    """A period ends before it begins."""

    code = "period_span_invalid"
    template = _("A period cannot end on {ends}, before it begins on {starts}.")


class PeriodNotEnded(LedgerError):
    """The period's last day has not passed in the book's time zone."""

    code = "period_not_ended"
    template = _("Period {period} ends on {ends}; it can be frozen when that day has passed in {zone}.")


class EarlierPeriodOpen(LedgerError):
    """An earlier period of the book is not frozen."""

    code = "earlier_period_open"
    template = _("Period {period} comes before this one and is {state}. Freeze periods in their order.")


class WorkUnfinished(LedgerError):
    """Something dated in the period has not ended."""

    code = "work_unfinished"
    template = _("{what} {name} is dated in this period and is {state}. It must end first.")


class EntriesUnbalanced(LedgerError):
    """The entries of the period do not sum to zero."""

    code = "entries_unbalanced"
    amounts = frozenset({"sum"})
    template = _("The lines of this period sum to {sum}, not to zero. Run verify.")


class BalancesDiffer(LedgerError):
    """Balances are not the sums of their lines."""

    code = "balances_differ"
    template = _("{count} balances differ from the sums of their lines, the first on account {account}. Run verify.")


class EntryDiffers(LedgerError):
    """An entry's rows are not what its digest says, or are no entry: fewer than two lines, or lines that do not sum to zero."""

    code = "entry_differs"
    template = _(
        "The entry {reference} is not what was posted under it: its digest differs, or its lines do not sum. Run verify."
    )


class BalancesNotZero(LedgerError):
    """The balances of a book do not sum to zero."""

    code = "balances_not_zero"
    amounts = frozenset({"sum"})
    template = _("The balances of book {book} sum to {sum}, not to zero; nothing was reported. Run verify.")


class SealDiffers(LedgerError):
    """A frozen period is not what its seal says."""

    code = "seal_differs"
    template = _("Period {period} is not what its seal says ({what}); nothing was exported. Run verify.")
