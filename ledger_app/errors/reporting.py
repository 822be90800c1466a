"""What reports of a book are refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class ReportOfOpenDays(LedgerError):
    """What the ledger adds up to, before the freeze, is told to nobody who types control totals in."""

    code = "report_of_open_days"
    template = _(
        "Book {book} is not frozen from {first} to {last}, and you may freeze it: control totals are to come from elsewhere, not from a report. "
        "Freeze the days first, or have an auditor make the report."
    )


class ReportTooLarge(LedgerError):
    """A report was asked for while somebody waits, and reads too many entries for that."""

    code = "report_too_large"
    template = _(
        "From {first} to {last}, book {book} has more than {most} entries to add up, which is not done while somebody waits. "
        "An engineer writes the report with the command report."
    )


class ReportTextUnfit(LedgerError):
    """A text of a report cannot be written in the encoding that was asked for."""

    code = "report_text_unfit"
    template = _(
        "Row {row}, {column}: {encoding} cannot carry {character} of “{text}”. Nothing was written: take utf-8-mark, or XLSX."
    )


class ReportOptionUnfit(LedgerError):
    """What was asked for is nothing that this kind of report has."""

    code = "report_option_unfit"
    template = _("The report {kind} does not go with {option}: {why}.")


class ReportMonthsTooMany(LedgerError):
    """A report that is told by months, or held beside others, is over more of them than are told at once."""

    code = "report_months_too_many"
    template = _("From {first} to {last} there are more than {most} months. Ask for them in parts.")


class NoLotsKept(LedgerError):
    """A book without a rule of lots has no movements of points."""

    code = "no_lots_kept"
    template = _(
        "Book {book} has no rule of lots: nothing in it is granted, used or expires as points do. Ask for the trial balance."
    )
