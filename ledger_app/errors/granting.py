"""What a change of who may do what is refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class OwnRights(LedgerError):
    """Nobody gives themselves a right, superusers included, and nobody decides on their own."""

    code = "own_rights"
    template = _("{user} cannot give themselves a right, or decide on one. Two others must.")


class RightsByTwo(LedgerError):
    """A right is given by two people."""

    code = "rights_by_two"
    template = _(
        "{count} people decide on rights, so that the system gives {user} none. Name with --user who proposes it; another decides."
    )


class NobodyElseDecides(LedgerError):
    """There are not two who could give this right."""

    code = "nobody_else_decides"
    template = _(
        "Beside {user} there are not two people who decide on rights ({count}). Where there is one alone, they give it at once, on the page of the user or by keep_user; else register another administrator first."
    )


class AloneByOwnAct(LedgerError):
    """A person who is the only decider because they ended the others gives no rights alone."""

    code = "alone_by_own_act"
    template = _(
        "{user} took the right to decide from {other}, and is alone since: what takes two is not given alone then. An operator registers another administrator, by createsuperuser."
    )


class LastAdministrator(LedgerError):
    """Somebody must be left who decides on rights."""

    code = "last_administrator"
    template = _("{user} is the last who decides on rights. Register another administrator first.")


class NothingGiven(LedgerError):
    """What is proposed gives nothing."""

    code, is_slip = "nothing_given", True
    template = _("This gives {user} nothing. What is taken away is taken at once: on the page of the user, or by keep_user.")


class SecretOfProposer(LedgerError):
    """The proposer knows how the decider signs in."""

    code = "secret_of_proposer"
    template = _("{proposer} set the password of {user}, and proposed this. {user} must choose another password first.")


class PasswordOfDecider(LedgerError):
    """A person who sets the password of a decider could act as both people of a decision."""

    code = "password_of_decider"
    template = _(
        "{user} decides on rights, so that nobody else sets their password. An operator does, at the shell, by changepassword."
    )


class SecretOfDecider(LedgerError):
    """A person who has set the password of a future decider could act as both people of a decision."""

    code = "secret_of_decider"
    template = _(
        "{known_to} set the password of {user}, who would decide on rights. {user} chooses another password first, or an operator runs changepassword."
    )


class UserThere(LedgerError):
    """The user who is to be registered is there already: another person registered the same user at the same time."""

    code, is_slip = "user_there", True
    template = _("There is a user {user} already, of whom nothing was changed. Look at the user, and change what is to be.")


class DecidedByProgram(LedgerError):
    """No program decides who may do what."""

    code = "decided_by_program"
    template = _("A token decides nothing about rights. {user} decides it on the pages.")


class AdministratorThere(LedgerError):
    """The first administrator is made at the shell, and no other."""

    code = "administrator_there"
    template = _("{count} people decide on rights already. Register the user, and have two of them decide.")


class LoginFailed(LedgerError):
    """Name and password do not belong together, or the user may not log in."""

    code = "login_failed"
    template = _("Nobody was logged in.")
