"""What is refused of tokens."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class TokenOfAdministrator(LedgerError):
    """An administrator has no token: a lost key would give every right."""

    code = "token_of_administrator"
    template = _("{user} may do everything, and is given no token. Register a user for the program, in the group that it needs.")


class TokenOfPerson(LedgerError):
    """A person's token is shown to that person alone: anybody who has it acts in their name."""

    code = "token_of_person"
    template = _(
        "{user} is a person: a token would let {caller} act as both of two people. {user} issues it, on the page “My tokens”; of a program, an administrator does."
    )


class OperationBeyondRights(LedgerError):
    """A token is for what its user may do, and for nothing else."""

    code = "operation_beyond_rights"
    template = _("{user} may not do {operation}, and so no token of {user} may.")


class TokenBookUnknown(LedgerError):
    """There is no book of this code."""

    code = "token_book_unknown"
    template = _("There is no book {book}.")


class NoBook(LedgerError):
    """A token that reaches some books reaches one at least."""

    code, is_slip = "token_without_book", True
    template = _("Name a book at least, or let the token reach all of them.")


class TokenLifeBounded(LedgerError):
    """A token ends, and no later than the setting says."""

    code = "token_life_bounded"
    instants = frozenset({"ends_at"})
    template = _("A token is good for 1 to {most} days, and this one would end at {ends_at}.")


class TokenOverlapBounded(LedgerError):
    """The token that is replaced ends, and no later than it would have."""

    code = "token_overlap_bounded"
    instants = frozenset({"ends_at"})
    template = _("The token that is replaced ends at {ends_at} by itself, and so no later, and not before now.")


class TokenEnded(LedgerError):
    """The token has ended already."""

    code = "token_ended"
    template = _("The token {prefix} of {user} has ended. Issue another.")


class TokenReplacementEnded(LedgerError):
    """The token was replaced, and what replaced it has ended: it is replaced once."""

    code = "token_replacement_ended"
    template = _("The token {prefix} of {user} was replaced by {by}, which has ended. Issue another: a token is replaced once.")


class TokenBound(LedgerError):
    """The token reaches some books, and what was asked for is not of those alone."""

    code = "token_bound"
    template = _("This token reaches {books} alone, and what was asked for is not of that alone. Use another token.")
