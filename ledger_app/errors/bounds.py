"""What is refused because no column or reader would take it: before the database is asked."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class LinesTooMany(LedgerError):
    """An entry has more lines than its readers take."""

    code = "lines_too_many"
    template = _("The entry {reference} has {count} lines; an entry has at most {most}. Post it as several.")


class PostingTooLarge(LedgerError):
    """One call of post has more lines than a posting has places for."""

    code = "posting_too_large"
    template = _("{count} lines are more than the {most} of one posting. Post them in several; a file, in smaller chunks.")


class TurnoverTooLarge(LedgerError):
    """The debits of a period come to more than a seal holds."""

    code = "turnover_too_large"
    amounts = frozenset({"total", "most"})
    template = _("The debits of period {period} come to {total}, more than a seal holds ({most}). Nothing was frozen.")


class LabelInvalid(LedgerError):
    """A name or a unit has characters that act, or too many or none."""

    code = "label_invalid"
    template = _("“{text}” is not a {what} of 1 to {most} characters without control characters and blanks at its ends.")


class NumberOutOfRange(LedgerError):
    """A number is beyond what is taken here."""

    code = "number_out_of_range"
    template = _("{what} is {number}; it must be a whole number from {least} to {most}.")


class NotOneOf(LedgerError):
    """A word is none of those that are known here."""

    code = "not_one_of"
    template = _("“{name}” is no {what}. Known here: {known}.")
