"""The ledger application."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    """Accounts, entries, periods."""

    name = "ledger_app"
    verbose_name = _("Ledger")

    def ready(self) -> None:
        """Have groups, rights and the system user brought up to date after each migration; have the ledger ask what it knows itself."""
        from ledger_app.models import Posting
        from ledger_app.queries import closing, lot_proofs, origins, proofs, reversal_proofs, reversals

        proofs.register(lot_proofs.STATEMENTS, triggers=lot_proofs.EXPECTED_TRIGGERS)
        post_migrate.connect(install_rights, dispatch_uid="kakutei.rights")
        closing.register(reversals.unfinished)
        origins.register(Posting.Origin.REVERSAL, reversals.describe)
        proofs.register(reversal_proofs.STATEMENTS, triggers=reversal_proofs.EXPECTED_TRIGGERS)


def install_rights(**_kwargs: Any) -> None:
    """Bring groups, rights and the system user up to date."""
    from ledger_app.operations import rights

    rights.install()
