"""What the reversal of one entry, and the explanation of an account, are refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class EntryReversalOpen(LedgerError):
    """The reversal of the entry is proposed already."""

    code = "entry_reversal_open"
    template = _("Reversal {reversal} of the entry {reference} is proposed already. Decide or withdraw that one.")


class OwnReversal(LedgerError):
    """Nobody decides what they proposed, superusers included."""

    code = "own_reversal"
    template = _("{user} proposed this reversal. Another person must decide it.")


class ReversalPreviewMoved(LedgerError):
    """What the reversal would do is not what was shown."""

    code = "reversal_preview_moved"
    template = _(
        "The reversal of {reference} would not do any more what you were shown: a balance or a date has moved. Look again."
    )


class NoReversalDay(LedgerError):
    """There is no day on which the entry can be reversed."""

    code = "no_reversal_day"
    template = _(
        "The entry {reference}, dated {date} in book {book}, cannot be reversed: its period is frozen, and no later one is open. "
        "Open a period first."
    )


class ReversalTicketInvalid(LedgerError):
    """The ticket number is too long or has characters that are no part of one."""

    code, is_slip = "reversal_ticket_invalid", True
    template = _("The ticket number is not up to {most} printable ASCII characters without spaces.")


class SpanInvalid(LedgerError):
    """A statement ends before it begins."""

    code = "span_invalid"
    template = _("A statement cannot end on {last}, before it begins on {first}.")


class KnownAtAhead(LedgerError):
    """What will be known at an instant that has not passed cannot be told yet."""

    code = "known_at_ahead"
    instants = frozenset({"known_at", "now"})
    template = _(
        "It is {now} by the database's clock: what is known at {known_at} cannot be told yet. Give an instant that has passed."
    )


class StatementDiffers(LedgerError):
    """A statement does not come to the balance of its last day."""

    code = "statement_differs"
    amounts = frozenset({"found", "summed"})
    template = _("The statement of {account} comes to {found}, its lines to {summed}. Nothing was given out. Run verify.")


class ChainDiffers(LedgerError):
    """A line's balance afterwards is not the sum of the lines up to it."""

    code = "chain_differs"
    amounts = frozenset({"stored", "found"})
    template = _(
        "Account {account}, stripe {stripe}, line {sequence} says {stored} afterwards; the lines up to it sum to {found}. Run verify."
    )


class SealNotRecomputed(LedgerError):
    """A seal that a balance rests on does not recompute."""

    code = "seal_not_recomputed"
    template = _("The seal of period {period}, on which this balance rests, does not recompute. Run verify.")


class PostingUnproven(LedgerError):
    """An entry's posting has no digest: the program did not write it."""

    code = "posting_unproven"
    template = _(
        "The posting of {reference}, which names {kind} {number}, was not written by the program: it has no digest. Run verify."
    )
