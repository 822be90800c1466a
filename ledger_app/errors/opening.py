"""What opening books, registering members and users, and keeping settings are refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class NameInvalid(LedgerError):
    """A user's name is not written as names of users are."""

    code = "name_invalid"
    template = _("“{name}” cannot be the name of a user: {why}")


class PasswordWeak(LedgerError):
    """The password is one that others would guess."""

    code = "password_weak"
    template = _("The password was not taken: {why}")


class CategoryUnknown(LedgerError):
    """The category is none of the five."""

    code = "category_unknown"
    template = _("“{category}” is no category of accounts. Known are: {known}.")


class TemplateInvalid(LedgerError):
    """An account template would open accounts that the ledger does not take."""

    code = "template_invalid"
    template = _("No account can be opened for the role {role} so: {why}.")


class NoMonthLeft(LedgerError):
    """The calendar ends with the month from which months were to be opened."""

    code = "no_month_left"
    template = _(
        "No month can be opened from {first} on: the calendar ends, and {last} is the last. Begin with that or an earlier one."
    )


class FileMoved(LedgerError):
    """A file was changed between being checked and being registered."""

    code = "file_moved"
    template = _(
        "The file was changed while it was read, at line {line}. {members} members before it are registered. Let the file rest, and run the same again."
    )


# What is found in a file of members or accounts: each is told with its line and column.


class FileEmpty(LedgerError):
    """The file holds nothing."""

    code = "file_empty"
    template = _("The file holds no line. Its first line names the columns, or is a JSON object.")


class LineUnreadable(LedgerError):
    """A line cannot be read at all."""

    code = "line_unreadable"
    template = _("The line cannot be read: {why}.")


class ColumnUnknown(LedgerError):
    """The file has a column that means nothing here, twice, or lacks one that is needed."""

    code = "column_unknown"
    template = _("The columns are {given}; known are {known}, each once, and needed are {needed}.")


class FieldsDiffer(LedgerError):
    """A line has more or fewer fields than there are columns."""

    code = "fields_differ"
    template = _("The line has {found} fields, and there are {wanted} columns. Put a field with a comma in it in quotes.")


class ValueUnfit(LedgerError):
    """A value is not what its column holds."""

    code = "value_unfit"
    template = _("The value does not fit the column {name}: {why}.")


class GivenTwice(LedgerError):
    """The same thing stands twice in the file, with other content."""

    code = "given_twice"
    template = _("{what} stands in line {first} already, with other content. Leave one of the two out.")


class MemberDiffers(LedgerError):
    """The member is registered with other content."""

    code = "member_differs"
    template = _("The member {member} is registered already with another {differs}. Correct the file, or change the member.")


class AccountCodeTaken(LedgerError):
    """The account that a member would be opened has a code that another account has."""

    code = "account_code_taken"
    template = _("The account {account} of book {book} is there already and is not this member's.")
