"""The ingestion application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IngestionConfig(AppConfig):
    """Files, batches, findings."""

    name = "ingestion_app"
    verbose_name = _("Ingestion")

    def ready(self) -> None:
        """Tell the ledger's close and its verification what ingestion knows, without the ledger importing ingestion."""
        from ingestion_app.queries import closing, proofs
        from ledger_app.queries import closing as ledger_closing
        from ledger_app.queries import proofs as ledger_proofs

        ledger_closing.register(closing.unfinished)
        ledger_proofs.register(proofs.STATEMENTS, triggers=proofs.EXPECTED_TRIGGERS)
