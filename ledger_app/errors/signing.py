"""What is refused of second factors."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class OwnFactors(LedgerError):
    """Nobody resets their own second factors: an intruder in their session could."""

    code = "own_factors"
    template = _(
        "Nobody resets their own second factors. Ask another administrator, or remove them one by one after signing in again."
    )


class FactorsFull(LedgerError):
    """The user has as many second factors as one may have."""

    code = "factors_full"
    template = _("You have {most} second factors, and nobody needs more. Remove one that is not used.")


class PasskeyKnown(LedgerError):
    """The passkey is registered already."""

    code = "passkey_known"
    template = _("This passkey is registered already. Add another one, or leave it as it is.")


class SignOnRefused(LedgerError):
    """The provider of single sign-on did not say who somebody is, or said it in a way that cannot be trusted."""

    code = "sign_on_refused"
    template = _("Nobody was signed in by the provider. {cause}")


class IdentityUnknown(LedgerError):
    """The provider knows somebody whom no user is bound to."""

    code = "identity_unknown"
    template = _(
        "The provider knows you, and no user here is bound to you. Sign in with name and password, and bind yourself on the page “Single sign-on”; or ask an operator."
    )


class IdentityInvalid(LedgerError):
    """What is to be bound can be no subject of a provider."""

    code = "identity_invalid"
    template = _("This is no subject: it has 1 to 255 visible ASCII characters without blanks.")


class IdentityKnown(LedgerError):
    """Another user is bound to this identity."""

    code = "identity_known"
    template = _("Another user is bound to this identity already. An administrator unbinds that one first.")


class IdentityBound(LedgerError):
    """The user is bound to another identity."""

    code = "identity_bound"
    template = _("{user} is bound to another identity already. Unbind that one first.")


class IdentityOfProgram(LedgerError):
    """Programs sign in nowhere."""

    code = "identity_of_program"
    template = _("{user} stands for a program. Programs sign in nowhere: they have tokens.")


class IdentityOnlyWay(LedgerError):
    """Who has no password signs in by the provider alone."""

    code = "identity_only_way"
    template = _("{user} has no password, and could sign in no more. An administrator or an operator sets one first.")
