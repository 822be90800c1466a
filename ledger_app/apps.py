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
        """Have groups, rights and the system user brought up to date after each migration, and members proved with the rest."""
        from ledger_app.queries import member_proofs, proofs

        proofs.register(member_proofs.STATEMENTS)
        post_migrate.connect(install_rights, dispatch_uid="kakutei.rights")


def install_rights(**_kwargs: Any) -> None:
    """Bring groups, rights and the system user up to date."""
    from ledger_app.operations import rights

    rights.install()
