"""What the ledger refuses about lots, holds and expiry: as ``errors``, which this stands beside."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import FloorBroken, LedgerError

# Posting, in the order in which the rules are asked.


class FloorBrokenOn(FloorBroken):
    """The balance that a day closes with would fall below the account's floor, whatever it is on other days."""

    code = "floor_broken_on"
    amounts = frozenset({"balance", "floor"})
    template = _(
        "On {date} the balance of account {account} would close at {balance}, below its floor of {floor} (entry {reference}): "
        "what it has on other days does not count for that day."
    )


class LotsUnequal(LedgerError):
    """The lots that a draft names do not come to its line."""

    code = "lots_unequal"
    amounts = frozenset({"sum", "amount"})
    template = _("The lots of {reference} come to {sum}, its line on account {account} to {amount}. They must be equal.")


class LotInvalid(LedgerError):
    """A lot that is to be granted is not one: no amount, no known kind, or an expiry before the day it is granted."""

    code = "lot_invalid"
    amounts = frozenset({"amount"})
    template = _(
        "A lot of {reference} is {kind}, {amount}, expiring {expires}: it must be paid or free, more than zero, and expire on {granted} or later."
    )


class LotsNotMoved(LedgerError):
    """An entry that moves lots is not from one account with lots to another of the same book."""

    code = "lots_not_moved"
    template = _(
        "The entry {reference} moves lots: it needs two lines, both on accounts that keep lots. Post it as an entry without."
    )


class LotsDue(LedgerError):
    """Lots of the account were due and are not expired yet, and what is asked would mix with them."""

    code = "lots_due"
    template = _(
        "Account {account} has lots that were due on {due} and are not expired yet (entry {reference}). Run expire through that day first."
    )


class LotOutOfDays(LedgerError):
    """A lot is to be used, or given back, on a day that is not one of its days."""

    code = "lot_out_of_days"
    template = _(
        "Lot {lot} of account {account} is there from {granted} to {last}, not on {date} (entry {reference}). Date it on one of these days."
    )


class LotsDiffer(LedgerError):
    """What is open of a lot is less than what is asked of it: somebody was there before."""

    code = "lots_differ"
    amounts = frozenset({"found", "asked"})
    template = _(
        "Of lot {lot} of account {account}, {found} can be taken, not {asked} (entry {reference}). Look again, then take what is there."
    )


class LotsShort(LedgerError):
    """The balance would do, and what of it can be spent on the day does not: the rest is held or was due before."""

    code = "lots_short"
    amounts = frozenset({"available", "asked", "held", "due", "later"})
    template = _(
        "Account {account} has {available} to spend on {date}, not {asked} (entry {reference}); {held} are held, {due} were due before and "
        "{later} are granted from a later day. Release what is held, or spend less."
    )


# Rules of lots.


class LotRuleInvalid(LedgerError):
    """A rule of lots does not say when its lots expire."""

    code = "lot_rule_invalid"
    template = _("The rule for {role} says {expiry} with {validity} and {fixed}: {why}.")


class AccountWithoutLots(LedgerError):
    """The account keeps no lots, so nothing of it can be held or expire."""

    code = "account_without_lots"
    template = _("Account {account} keeps no lots. A rule for its role must be there before it is opened.")


# Expiry.


class DayNotEnded(LedgerError):
    """The day has not ended in the book's zone: what is due on it can still be spent."""

    code = "day_not_ended"
    template = _("{date} has not ended in {zone}: what is due on it can still be spent. Expire through an earlier day.")


class DueTooMany(LedgerError):
    """More lots are due than are added up while somebody waits."""

    code = "due_too_many"
    template = _(
        "More than {most} lots are due by {by}. Ask for an earlier day, or have expire --preview add them up, which takes its time."
    )


class ExpiryLeft(LedgerError):
    """After all passes something is due and not expired, though nothing refuses it: processes died, or lots came in meanwhile."""

    code = "expiry_left"
    amounts = frozenset({"amount"})
    template = _(
        "{amount} on {accounts} accounts of book {book} were due through {date} and are not expired, the first on {account}. Run expire again."
    )


class ExpiryFrozen(LedgerError):
    """Lots are due in a period that is frozen."""

    code = "expiry_frozen"
    template = _(
        "Lots of book {book} were due on {date}, in period {period}, which is frozen. Nothing is dated otherwise: run verify, and put it right by an adjustment."
    )


class ExpiryDue(LedgerError):
    """Lots are due in the period and not expired."""

    code = "expiry_due"
    template = _(
        "Lots of account {account} are due on {date} and are not expired. Once {ends} is over, run expire {book} --through {ends}."
    )


class DueLotsHeld(LedgerError):
    """Lots that are due in the period are held, so that they cannot expire."""

    code = "due_lots_held"
    template = _("Lots of account {account} are due on {date} and are held. Settle or release its holds first.")


# Holds.


class HoldInvalid(LedgerError):
    """A hold is over nothing, or over before it begins."""

    code = "hold_invalid"
    instants = frozenset({"until"})
    amounts = frozenset({"amount"})
    template = _("A hold needs an amount of 1 or more and an end after now; this is over {amount} until {until}.")


class HoldTargetRefused(LedgerError):
    """What is held may not go to this account: it is a member's, or none that the book allows."""

    code = "hold_target_refused"
    template = _(
        "What is held does not go to account {account} (hold {reference}): it is a member's, or none of those that the rule of holds of book {book} "
        "allows. Name one of those, or have finance allow it."
    )


class HoldTooLong(LedgerError):
    """The hold would be good for longer than the book allows."""

    code = "hold_too_long"
    instants = frozenset({"until"})
    template = _("The hold {reference} is to be good until {until}; the book allows {hours} hours. Say an earlier end.")


class HoldOverLimit(LedgerError):
    """More is to be held at once than the book allows."""

    code = "hold_over_limit"
    amounts = frozenset({"amount", "most"})
    template = _(
        "The hold {reference} is over {amount}; the book allows {most} at once. Hold less, or have finance raise the limit."
    )


class HoldOverDay(LedgerError):
    """More would be held of the account on one day than the book allows."""

    code = "hold_over_day"
    amounts = frozenset({"before", "amount", "most"})
    template = _(
        "With {before} that were held today, the hold {reference} over {amount} is more than the {most} that the book allows of an account a day."
    )


class HoldOfOther(LedgerError):
    """The hold was placed by somebody else."""

    code = "hold_of_other"
    template = _(
        "The hold {reference} was placed by {placed_by}, not by {user}. Support may release it, and finance settle or release it."
    )


class HoldDateInvalid(LedgerError):
    """The settlement is dated before the hold was placed, after today, or after the last day of what is held."""

    code = "hold_date_invalid"
    template = _("The hold {reference} can be settled on a day from {first} to {last}, not on {date}.")


class HoldDateNotYours(LedgerError):
    """A till says no day of its own: its settlement is dated today."""

    code = "hold_date_not_yours"
    template = _("The hold {reference} is settled on {day}; only finance may say {date}. Leave the date out.")


class HoldRuleInvalid(LedgerError):
    """A rule of holds allows nothing."""

    code = "hold_rule_invalid"
    amounts = frozenset({"amount", "day"})
    template = _("A rule of holds needs limits of 1 or more and 1 to {most} hours; this says {amount}, {day} and {hours}.")


class HoldConflict(LedgerError):
    """The reference of a hold exists with other content."""

    code = "hold_conflict"
    template = _(
        "The reference {reference} stands for another hold already; these differ: {differs}. Use a reference of its own."
    )


class HoldOver(LedgerError):
    """The hold's time is over: it has ended by itself."""

    code = "hold_over"
    instants = frozenset({"until"})
    template = _("The hold {reference} was good until {until} and has ended. Place a new one.")


class HoldExceeded(LedgerError):
    """More is to be settled than is held, or nothing."""

    code = "hold_exceeded"
    amounts = frozenset({"held", "amount"})
    template = _("Of the hold {reference}, 1 to {held} can be settled, not {amount}. Release it to settle nothing.")


class HoldSettledOtherwise(LedgerError):
    """The hold was settled with another amount or on another day."""

    code = "hold_settled_otherwise"
    amounts = frozenset({"settled", "amount"})
    template = _("The hold {reference} was settled already, with {settled}, not {amount}. A hold is resolved once.")


class LotAccountUnfit(LedgerError):
    """An account that keeps lots has one balance row, and a floor that expiry cannot meet."""

    code = "lot_account_unfit"
    template = _(
        "Account {account} keeps lots, by the rule for its role: open it with one stripe, and with no floor or one of zero or less."
    )
