"""What is refused of members: their identifiers, merges, and the states of their accounts."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError

# Identifiers.


class CardNumberInClear(LedgerError):
    """The value reads like the number of a payment card and is given as something else: it would be kept in the clear."""

    code = "card_number_in_clear"
    template = _("The value given as {kind} reads like a card number. Register it as a card number, which is kept as a hash.")


class CardNumberInvalid(LedgerError):
    """The value is no card number: not 13 to 19 digits, or their check digit is wrong."""

    code = "card_number_invalid"
    template = _("This is no card number: it has 13 to 19 digits, the last of which checks the others. It is not shown here.")


class CardNumberInAddress(LedgerError):
    """A card number was asked for in an address or on a command line, where it is logged."""

    code = "card_number_in_address"
    template = _("A card number does not belong in an address or on a command line, which are logged. {remedy}")


class CardNumberInText(LedgerError):
    """A text that would be kept has a card number in it, or the code of a card."""

    code = "card_number_in_text"
    template = _(
        "A text reads like a card number, or has the code of a card in it. It is kept nowhere and not shown here. Write it without; the last four are enough."
    )


class CardNumberInForm(LedgerError):
    """A form has a card number in it, or the code of a card, where none is asked for."""

    code = "card_number_in_form"
    template = _(
        "What was typed into {fields} reads like a card number, or has the code of a card in it. It is not shown here and was kept nowhere. Go back, and write it without; the last four are enough."
    )


class CardNumberInFile(LedgerError):
    """What would be attached has a card number in it, or the code of a card."""

    code = "card_number_in_file"
    template = _(
        "The file or its name reads as if a card number, or the code of a card, were in it. It was not kept. Black it out, and send the file again."
    )


class CardKeyMissing(LedgerError):
    """There is no key to hash card numbers with."""

    code = "card_key_missing"
    template = _("Card numbers cannot be matched here: no key is set. Set KAKUTEI_CARD_KEYS.")


class IdentifierTaken(LedgerError):
    """The identifier was given to another member; it is given out once."""

    code = "identifier_taken"
    template = _("The {kind} {value} was given to member {holder}. An identifier is never given to a second one.")


class IdentifierHad(LedgerError):
    """The member had the identifier, and its time is over."""

    code = "identifier_had"
    template = _(
        "The member had the {kind} {value} until {active_to}. To give it again, say from which day on: a day after that one."
    )


class IdentifierHasEnd(LedgerError):
    """The member has the identifier until a day that is still to come."""

    code = "identifier_has_end"
    template = _(
        "The member has the {kind} {value} until {active_to}, and it is in use until then. To give it on, say a first day after that one."
    )


def with_end(last: date, on: date, **told: Any) -> LedgerError:
    """Say of an identifier with a last day that the member had it until then, or has it still on the day ``on``."""
    return (IdentifierHad if last < on else IdentifierHasEnd)(**told, active_to=last)


class IdentifierDiffers(LedgerError):
    """The member has the identifier with another first or last day."""

    code = "identifier_differs"
    template = _(
        "The member has the {kind} {value} already, from {active_from} on without an end. End it, or leave the days out."
    )


class IdentifierEnded(LedgerError):
    """The identifier has an end already."""

    code = "identifier_ended"
    template = _("The {kind} {value} has a last day already, {active_to}, and keeps it.")


class IdentifierSpanInvalid(LedgerError):
    """An identifier would end before it begins."""

    code = "identifier_span_invalid"
    template = _("The {kind} {value} cannot end on {active_to}, before it begins on {active_from}.")


class SearchTooShort(LedgerError):
    """What is searched for is too short to be looked for by its beginning."""

    code = "search_too_short"
    template = _("Type at least {least} characters, or a whole identifier.")


# Merges, in the order in which they are asked.


class MergeIntoItself(LedgerError):
    """A member cannot be merged into itself."""

    code = "merge_into_itself"
    template = _("Member {holder} cannot be merged into itself. Name another member.")


class MergeCycle(LedgerError):
    """The member that should remain was merged into the one that should end."""

    code = "merge_cycle"
    template = _(
        "Member {survivor} was itself merged into member {holder}: merging them the other way round would close a circle."
    )


class MemberMerged(LedgerError):
    """The member was merged before."""

    code = "member_merged"
    template = _("Member {holder} was merged into member {into}. Name member {into} instead.")


class MergeOpen(LedgerError):
    """A proposal for the same is open."""

    code = "merge_open"
    template = _("Proposal {number} for this member is open. Let it be decided or withdrawn first.")


class MergeDecidedByProposer(LedgerError):
    """Nobody decides what they proposed."""

    code = "merge_decided_by_proposer"
    template = _("{user} proposed this. Another person decides it.")


class MergeAccountNotOpen(LedgerError):
    """An account of one of the two is not open."""

    code = "merge_account_not_open"
    template = _("The account {account} is {state}. Reopen it, or bring its balance to zero and close it, before the merge.")


class MergeAccountsDiffer(LedgerError):
    """Two accounts with one role are of different categories."""

    code = "merge_accounts_differ"
    template = _("The accounts {account} and {target} have one role and different categories; their balances cannot be joined.")


class MergeFloorBroken(LedgerError):
    """A balance would fall below its floor."""

    code = "merge_floor_broken"
    amounts = frozenset({"balance", "floor"})
    template = _(
        "The balance of account {account} would fall to {balance}, below its floor of {floor}. Adjust it before the merge."
    )


class MergePeriodNotOpen(LedgerError):
    """The day on which points would move takes no entries."""

    code = "merge_period_not_open"
    template = _("Book {book} takes no entry on {date}. Open a period that covers it, or propose the merge with another date.")


class MergeMoved(LedgerError):
    """What would be done is not what was shown."""

    code = "merge_moved"
    template = _("This is not what was shown any more: balances or identifiers have changed. Look again, then decide.")


class MergeUndone(LedgerError):
    """A merge is undone once."""

    code = "merge_undone"
    template = _("Merge {number} was undone already, by merge {undoing}.")


class MergeNotDone(LedgerError):
    """What was never carried out cannot be undone."""

    code = "merge_not_done"
    template = _("Merge {number} was not carried out, or is itself the undoing of one; there is nothing to undo.")


class MergeAmountInvalid(LedgerError):
    """An amount to be given back is stated for no account, twice, or is not above zero, or is beyond what one line may have."""

    code = "merge_amount_invalid"
    amounts = frozenset({"amount"})
    template = _(
        "The amount {amount} for {role} in book {book} cannot be given back: state each account that the merge moved once."
    )


class MergeAmountBeyond(LedgerError):
    """More is to be given back than the merge moved: what an undoing moves is under no limit, so it is bounded by that."""

    code = "merge_amount_beyond"
    amounts = frozenset({"amount", "moved"})
    template = _(
        "The merge moved {moved} for {role} in book {book}; {amount} is more. Give back at most that, and move the rest by an adjustment."
    )


# Accounts.


class AccountNotZero(LedgerError):
    """An account with a balance cannot be closed."""

    code = "account_not_zero"
    amounts = frozenset({"balance"})
    template = _("The balance of account {account} is {balance}. It can be closed when it is zero.")


class OpenWork(LedgerError):
    """Something that concerns the member or the account has not ended."""

    code = "open_work"
    template = _("{what} {name} is {state}. It must end first.")


class LotsNotSetOff(LedgerError):
    """An account of balance zero has points and owes as many."""

    code = "lots_not_set_off"
    template = _(
        "Account {account} has points left and owes as many. The next entry on it sets the one off against the other: post one first."
    )


class OwesFromLaterDay(LedgerError):
    """An account owes from a day on that is yet to come: what is moved before that day does not set it off."""

    code = "owes_from_later_day"
    template = _(
        "Account {account} owes points from {date} on, and nothing dated before sets them off: after a merge they would stay behind. Merge on that day or later."
    )
