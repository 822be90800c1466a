"""What the opening and the freezing of a period are refused for, beside what ``errors`` names."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError

COUNT = "entries"  # the control total that is no amount


class PeriodGap(LedgerError):
    """Days of the book are in no period, and could never be opened once a period after them is frozen."""

    code = "period_gap"
    template = _(
        "{gap_from} to {gap_to} of book {book} are in no period beside {period}. Periods follow each other day by day: "
        "open those days first."
    )


class ControlMissing(LedgerError):
    """No control total was given."""

    code, is_slip = "control_missing", True
    template = _("Give at least one control total that you hold from elsewhere. Known here: {known}.")


class ControlUnknown(LedgerError):
    """The control total's name is not known."""

    code = "control_unknown"
    template = _("There is no control total “{name}” in this book. Known here: {known}.")


class ControlNeeded(LedgerError):
    """A control total is not given that the policy of the book's close asks for."""

    code, is_slip = "control_needed", True
    template = _(
        "The policy of book {book} asks for the control total “{name}” at each freeze. Type it in, as you hold it from elsewhere."
    )


class FreezeTooEarly(LedgerError):
    """The policy of the book's close leaves more time for what comes late."""

    code = "freeze_too_early"
    instants = frozenset({"from_instant"})
    template = _("{period} may be frozen from {from_instant} on: the policy of book {book} leaves that time for what comes late.")


class ProvisionalNotDue(LedgerError):
    """The system marks a period provisional only where the policy of the book's close says so."""

    code = "provisional_not_due"
    template = _("The time of {period} is not over by the policy of book {book}, or the book has none. Finance can mark it now.")


class ClosePolicyInvalid(LedgerError):
    """A policy would have periods frozen before they are provisional."""

    code = "close_policy_invalid"
    template = _(
        "Periods would be frozen after {freeze} hours and be provisional after {provisional}. Say as many hours or more."
    )


class ControlDiffers(LedgerError):
    """A control total differs from the ledger. The ledger's figure is not told: a total is a proof where it comes from elsewhere."""

    code = "control_differs"
    amounts = frozenset({"given", "found", "difference"})
    template = _(
        "The control total {name}, {given}, is not what the ledger has. Look for a file that is missing, came twice or is dated "
        "in another period; the ledger's own figure is not told."
    )
    untold = frozenset({"found", "difference"})

    @property
    def amount_names(self) -> frozenset[str]:
        """Entries are counted."""
        return frozenset() if self.facts["name"] == COUNT else super().amount_names


class ControlWithoutAmount(LedgerError):
    """Only a count was given, which says nothing of how much."""

    code = "control_without_amount"
    template = _("A count of entries alone proves no amount. Type in at least one total in {unit}: {known}.")


class PeriodMoves(LedgerError):
    """Entries came into the period faster than they were proved."""

    code = "period_moves"
    template = _(
        "{count} entries came into {period} while it was being proved. Nothing was frozen. Wait until what posts into it has "
        "ended, or mark it provisional, and freeze again."
    )


class FreezeAbandoned(LedgerError):
    """The process that carried out the freeze gave no more sign of life, and did not say how it ended."""

    code = "freeze_abandoned"
    template = _("Whoever froze {period} is gone: no sign of life came any more. Nothing was frozen by this attempt.")


class FreezeSuperseded(LedgerError):
    """The freeze was asked for again, and the newer request goes on in place of this one."""

    code = "freeze_superseded"
    template = _("The freeze of {period} was asked for again; this attempt left it to the newer one.")


class KitNotSealed(LedgerError):
    """An audit kit was asked for of a period that has no seal."""

    code = "kit_not_sealed"
    template = _("{period} is not frozen ({state}). An audit kit is made of a frozen period: its numbers do not change any more.")


class KitTooLarge(LedgerError):
    """An audit kit was asked for on a page, and is too large to be made while somebody waits."""

    code = "kit_too_large"
    template = _(
        "For the kit of {period} more than {most} lines and accounts are read, and it is not made while a page waits. An engineer writes it to a folder with audit_kit."
    )
