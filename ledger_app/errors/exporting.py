"""What is refused about profiles, and about what is handed to accounting by them."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class ProfileRefused(LedgerError):
    """A profile's definition has faults."""

    code = "profile_invalid"
    template = _("{place}: {sentence}")


class ProfileNeedsYen(LedgerError):
    """The book is not in yen, and the profile does not say what its unit counts for."""

    code = "profile_needs_yen"
    template = _(
        "Accounting programs count in yen, and book {book} in {unit}. Say in the profile how many yen a minor unit counts for: yen_a_minor_unit."
    )


class YenSaidTwice(LedgerError):
    """The book is in yen, and the profile says that a yen of it counts for something else."""

    code = "yen_said_twice"
    template = _("Book {book} is in yen: each counts for one, and the profile says {yen}. Take yen_a_minor_unit out.")


class AccountUnmapped(LedgerError):
    """No rule of the profile says what an account is called in the accounting program."""

    code = "account_unmapped"
    template = _(
        "No rule of the profile {profile} fits the account {account} (role {role}, category {category}) on {date}. Nothing was exported: add a rule for it."
    )


class RowUnfit(LedgerError):
    """A row cannot stand in the file letter for letter, or says on its day what is not so."""

    code = "row_unfit"
    template = _("{place}: {column} “{text}” cannot be exported: {why}. Nothing was exported.")


class SlipTooLong(LedgerError):
    """An entry has more rows than the accounting program takes as one."""

    code = "slip_too_long"
    template = _(
        "The entry {reference} has {rows} rows, and {target} takes {lines} as one entry. Export daily sums, or have the entry posted in parts."
    )


class SlipsSpent(LedgerError):
    """The accounting program has no number left for another slip of the fiscal year."""

    code = "slips_spent"
    template = _(
        "{target} numbers slips to {most}, and the fiscal year has more. Export daily sums: a number is never used twice."
    )


class YearSpanned(LedgerError):
    """The period's days are of two fiscal years, and a file is of one."""

    code = "fiscal_year_spanned"
    template = _(
        "The period {period} is of two fiscal years by the profile {profile}. Say in it in which month the fiscal year begins."
    )


class ReadBackDiffers(LedgerError):
    """The file that was written does not say what the ledger says."""

    code = "read_back_differs"
    template = _(
        "The file was read back, and {what}: expected {expected}, found {found} ({place}). It was not handed out; run verify."
    )


class ExportTooLarge(LedgerError):
    """A period was to be exported on a page, and has too many lines for that."""

    code = "export_too_large"
    template = _(
        "{period} has more than {most} lines, and a file of so many is not made while a page waits. An engineer writes it with export --profile, for whoever of finance hands it over."
    )


class ExportDiffers(LedgerError):
    """The period was handed over with other bytes than are made of it now."""

    code = "export_differs"
    template = _(
        "The period {period} was handed over by {profile} as a file of SHA-256 {sha256}, and what is made of it now has {found}. Nothing was written: the file that was handed over stands."
    )


class NotFrozen(LedgerError):
    """Only a frozen period is handed over."""

    code = "period_not_frozen"
    template = _("The period {period} is {state}: only a frozen one is handed over. What is exported of it is a draft.")
