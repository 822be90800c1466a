"""What adjustments, their limits and reason codes, and what is attached to them are refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError

# A proposal.


class AmountInvalid(LedgerError):
    """An amount is not written as an integer of minor units."""

    code, is_slip = "amount_invalid", True
    template = _(
        "“{text}” is no amount. Write a whole number of minor units in ASCII digits, with a minus sign for less: "
        "no decimals, no separators, no exponent, no full-width digits."
    )


class AdjustmentZero(LedgerError):
    """The adjustment changes nothing."""

    code, is_slip = "adjustment_zero", True
    template = _("An adjustment of zero changes nothing. Give an amount above or below zero.")


class ReasonCodeInactive(LedgerError):
    """Finance has put the reason code out of use."""

    code = "reason_code_inactive"
    template = _("The reason code {reason} is out of use. Choose one that is in use.")


class ReasonCodeOfOtherBook(LedgerError):
    """The reason code has no contra account in the book."""

    code = "reason_code_of_other_book"
    template = _("The reason code {reason} has no contra account in book {book}. Choose another, or have finance give it one.")


class AccountIsContra(LedgerError):
    """The account to be adjusted is the reason code's own contra account."""

    code = "account_is_contra"
    template = _("The account {account} is the contra account of reason code {reason}. Choose another reason code.")


class FloorNotWaivable(LedgerError):
    """The reason code does not let an adjustment break a floor."""

    code = "floor_not_waivable"
    template = _("The reason code {reason} does not let a floor be broken. Choose one that does, or keep the floor.")


class TextInvalid(LedgerError):
    """The text is missing, too long, or has control characters."""

    code, is_slip = "text_invalid", True
    template = _("An adjustment needs a text of 1 to {most} characters that says why, without control characters.")


class TicketInvalid(LedgerError):
    """The ticket number is not written in printable ASCII, or is too long."""

    code, is_slip = "ticket_invalid", True
    template = _("“{ticket}” is no ticket number: at most {most} printable ASCII characters without spaces.")


class OverEveryLimit(LedgerError):
    """No group may decide as much as this."""

    code = "over_every_limit"
    amounts = frozenset({"amount", "most"})
    template = _(
        "Nobody may decide {amount} in book {book}: the highest limit of a group is {most}. Propose less, or have the limit raised."
    )


class ProposalConflict(LedgerError):
    """The key stands for another proposal of the same person."""

    code = "proposal_conflict"
    template = _("The key {key} stands for adjustment {adjustment} already; these differ: {differs}. Use a key of its own.")


# A decision.


class OwnAdjustment(LedgerError):
    """Nobody decides what they proposed, superusers included."""

    code = "own_adjustment"
    template = _("{user} proposed this adjustment. Another person must decide it.")


class NotProposer(LedgerError):
    """Only the one who proposed may withdraw."""

    code = "not_proposer"
    template = _("{proposer} proposed this, and nobody else withdraws it. Reject it instead.")


class DecidedBefore(LedgerError):
    """The user has decided on this adjustment already."""

    code = "decided_before"
    template = _("{user} has decided on this adjustment already. Another person must give the second approval.")


class OverLimit(LedgerError):
    """The amount is above what the user's groups may decide."""

    code = "over_limit"
    amounts = frozenset({"amount", "limit"})
    template = _("{user} decides up to {limit} in book {book}; this is {amount}. Someone with a higher limit must decide it.")


class OverLimitInSum(LedgerError):
    """With what the user has decided for the member lately, the amount is above what the user's groups may decide."""

    code = "over_limit_in_sum"
    amounts = frozenset({"amount", "limit", "before"})
    template = _(
        "{user} decides up to {limit} for one member in {days} days in book {book}; {before} were decided before, and this is {amount}. "
        "Another person must decide it."
    )


class OverDayLimit(LedgerError):
    """With what the user has decided on this day, the amount is above what the user's groups may decide on one."""

    code = "over_day_limit"
    amounts = frozenset({"amount", "limit", "before"})
    template = _(
        "{user} decides up to {limit} on one day in book {book}; {before} were decided today, and this is {amount}. "
        "Another person must decide it, or it waits until tomorrow."
    )


class OverMemberDayLimit(LedgerError):
    """With what everybody has decided for the member on this day, the amount is above what may be decided for one."""

    code = "over_member_day_limit"
    amounts = frozenset({"amount", "limit", "before"})
    template = _(
        "All together decide up to {limit} for one member on one day in book {book}; {before} were decided today, and this is {amount}. "
        "It waits until tomorrow."
    )


class OverDayLimitOfAll(LedgerError):
    """With what everybody has decided on this day, the amount is above what may be decided on one."""

    code = "over_day_limit_of_all"
    amounts = frozenset({"amount", "limit", "before"})
    template = _(
        "All together decide up to {limit} on one day in book {book}; {before} were decided today, and this is {amount}. "
        "It waits until tomorrow."
    )


class OverLimitAlone(LedgerError):
    """What one person approves here, with what the same person has decided alone lately, is above what that person may decide alone."""

    code = "over_limit_alone"
    amounts = frozenset({"amount", "before", "alone"})
    template = _(
        "{user} decides up to {alone} alone in {days} days in book {book}; {before} were decided alone before, and this is {amount}. "
        "Another person must decide it, or it is proposed as an adjustment, which two people decide."
    )


class SecondDeciderNeededInSum(LedgerError):
    """With what the user has decided alone for the member lately, the amount is above what the user may decide alone."""

    code = "second_decider_needed_in_sum"
    amounts = frozenset({"amount", "before", "alone"})
    template = _(
        "{user} decides up to {alone} alone for one member in {days} days in book {book}; {before} were decided alone before, and this is "
        "{amount}. Give the first approval; another person gives the second."
    )


class ApprovalVoid(LedgerError):
    """The person who gave the first approval has lost the right to decide this."""

    code = "approval_void"
    template = _(
        "{user} gave the first approval and may not decide this any more, so it does not count. Another person must give it."
    )


class ProposerAway(LedgerError):
    """The proposer may not propose any more: the user was disabled, or the right was taken away."""

    code = "proposer_away"
    template = _("{user}, who proposed this, may not propose any more. Reject it, and have somebody propose it again who may.")


class ContraAccountMoved(LedgerError):
    """The reason code has another contra account than when this was proposed."""

    code = "contra_account_moved"
    template = _(
        "The reason code {reason} has another contra account in book {book} than {account}, with which this was proposed. Propose it again."
    )


class SecondDeciderNeeded(LedgerError):
    """The amount is above what the user may decide alone."""

    code = "second_decider_needed"
    amounts = frozenset({"amount", "alone"})
    template = _(
        "Above {alone} in book {book} two people decide, and this is {amount}. Give the first approval; another person gives the second."
    )


class OneDeciderSuffices(LedgerError):
    """The user may decide this alone."""

    code = "one_decider_suffices"
    amounts = frozenset({"amount"})
    template = _("{user} may decide {amount} alone. Approve it.")


class ProposalExpired(LedgerError):
    """The proposal was not decided in time."""

    code = "proposal_expired"
    instants = frozenset({"expires"})
    template = _("This proposal could be decided until {expires}. Propose it again.")


class ProposalNotExpired(LedgerError):
    """The time in which the proposal can be decided is not over."""

    code = "proposal_not_expired"
    instants = frozenset({"expires"})
    template = _("This proposal can be decided until {expires}.")


class PreviewMoved(LedgerError):
    """What was shown is no longer what would happen."""

    code = "preview_moved"
    template = _("What was shown is not true any more: {what}. Nothing was done. Look at it as it is now, then decide.")


# What is attached.


class AttachmentTooLarge(LedgerError):
    """The file has more bytes than are kept."""

    code = "attachment_too_large"
    template = _("“{name}” has more than {most} bytes. Attach a smaller file, or say in the text where it can be found.")


class AttachmentEmpty(LedgerError):
    """The file has no bytes."""

    code = "attachment_empty"
    template = _("“{name}” is empty. Attach the file itself.")


class AttachmentNameInvalid(LedgerError):
    """The name holds a path or control characters, begins with a dot, or is too long."""

    code = "attachment_name_invalid"
    template = _(
        "“{name}” is no name of an attachment: 1 to {most} characters, without /, \\ or control characters, not beginning with a dot."
    )


class AttachmentKindUnknown(LedgerError):
    """Files of this kind are not taken."""

    code = "attachment_kind_unknown"
    template = _("“{name}” is of no kind that is taken. The name must end in one of {known}.")


class AttachmentNotWhatItSays(LedgerError):
    """The bytes are not of the kind that the name says."""

    code = "attachment_not_what_it_says"
    template = _("“{name}” is not what its name says: its bytes are no {kind}. Attach the file under its right name.")


class AttachmentsTooMany(LedgerError):
    """More files than one proposal takes."""

    code = "attachments_too_many"
    template = _("A proposal takes {most} attachments; these are {count}.")


class AttachmentTwice(LedgerError):
    """Two attachments of one proposal have the same name."""

    code = "attachment_twice"
    template = _("Two attachments are named “{name}”. Give each a name of its own.")


class AttachmentLost(LedgerError):
    """The bytes that were uploaded are not there, or are not those that were uploaded."""

    code = "attachment_lost"
    template = _("“{name}” is not there as it was uploaded. Upload it again.")


# What finance and administrators keep.


class LimitInvalid(LedgerError):
    """A part of a limit is out of its range."""

    code = "limit_invalid"
    amounts = frozenset({"most", "alone", "day", "member_day", "all_day", "highest"})
    template = _(
        "A limit of {most} for one member in sum over {days} days, of which {alone} by one person alone, and on one day {day} by one person, "
        "{member_day} for one member and {all_day} by all together, makes no sense. The first is from 0 to {highest}, the days are from 1 to "
        "{days_most}, what one decides alone is from 0 to the first, and each limit of a day is from 0 to {highest}, or none."
    )
