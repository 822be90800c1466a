"""What is refused of second factors."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class OwnFactors(LedgerError):
    """Nobody resets their own second factors: whoever has a session of theirs would."""

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
