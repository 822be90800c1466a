"""What the database itself refuses, told by the name of its constraint. Rules ask most of it before; this is the last line."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class NotUnique(LedgerError):
    """Another row has what only one may have."""

    code = "not_unique"
    template = _(
        "There is another {what} with the same {fields}, which only one may have ({constraint}). Nothing was written: look at that one, or give another."
    )


class RowRefused(LedgerError):
    """The values of a row do not go together, or are beyond what is kept."""

    code = "row_refused"
    template = _("The database refuses this {what} by its rule {constraint}. Nothing was written. Correct what was given.")


class RowLinked(LedgerError):
    """A row names another that is not there, or is named by one that stays."""

    code = "row_linked"
    template = _(
        "This {what} names something that is not there, or is itself named elsewhere ({constraint}). Nothing was written."
    )


class RowIncomplete(LedgerError):
    """A row lacks a value that it must have."""

    code = "row_incomplete"
    template = _("This {what} lacks a value that it must have ({constraint}). Nothing was written. Give it.")
