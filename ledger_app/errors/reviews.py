"""What the review of access is refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class GrantsMoved(LedgerError):
    """The grants are not any more those that were shown."""

    code = "grants_moved"
    template = _("The grants are not any more those that you were shown. Look at them again, then sign them off.")
