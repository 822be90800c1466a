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


class UnitInvalid(LedgerError):
    """A book's unit or the number of its decimals is not one that the ledger keeps."""

    code = "unit_invalid"
    template = _("A book has a unit of 1 to {most} visible characters and 0 to {exponent_most} decimals, not “{unit}” with {exponent}.")


class CategoryUnknown(LedgerError):
    """The category is none of the five."""

    code = "category_unknown"
    template = _("“{category}” is no category of accounts. Known are: {known}.")


class TemplateInvalid(LedgerError):
    """An account template would open accounts that the ledger does not take."""

    code = "template_invalid"
    template = _("No account can be opened for the role {role} so: {why}.")


class FileMoved(LedgerError):
    """A file was changed between being checked and being registered."""

    code = "file_moved"
    template = _(
        "The file was changed while it was read, at line {line}. {members} members before it are registered. Let the file rest, and run the same again."
    )
