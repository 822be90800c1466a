"""What keeping a webhook is refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class WebhookAddressRefused(LedgerError):
    """Events are not sent to such an address."""

    code = "webhook_address_refused"
    template = _("Events cannot be sent to {url}: {why}.")


class WebhookKindsInvalid(LedgerError):
    """What is wanted is no list of kinds of events."""

    code = "webhook_kinds_invalid"
    template = _(
        "{kinds}: name up to {most} kinds of events, each once, as “posting.posted”, or “batch” for all that is done to batches."
    )


class ReplayBeyond(LedgerError):
    """A replay begins after the last event."""

    code = "replay_beyond"
    template = _("The last event has the number {last}: nothing follows {after} yet. Begin at a number up to {last}.")
