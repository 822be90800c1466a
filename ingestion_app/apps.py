"""The ingestion application."""

from pathlib import Path

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IngestionConfig(AppConfig):
    """Files, batches, findings."""

    name = "ingestion_app"
    verbose_name = _("Ingestion")

    def ready(self) -> None:
        """Tell the ledger's close, its verification and its explanations what ingestion knows, without the ledger importing ingestion."""
        from django.conf import settings

        from ingestion_app.operations import originals
        from ingestion_app.queries import (
            audit_kits,
            closing,
            constraints,
            making_proofs,
            origins,
            proofs,
            reversals,
            weights,
            workers,
        )
        from ledger_app.models import Posting
        from ledger_app.queries import audit_kits as ledger_audit_kits
        from ledger_app.queries import closing as ledger_closing
        from ledger_app.queries import constraints as ledger_constraints
        from ledger_app.queries import hands as ledger_hands
        from ledger_app.queries import origins as ledger_origins
        from ledger_app.queries import proofs as ledger_proofs
        from ledger_app.queries import reversals as ledger_reversals
        from ledger_app.queries import weights as ledger_weights

        ledger_audit_kits.register(Posting.Origin.CHUNK, audit_kits.subjects, batches=audit_kits.batches)
        ledger_closing.register(closing.unfinished)
        ledger_constraints.register(constraints.COLLIDE)
        ledger_reversals.register(reversals.of_entry)
        ledger_weights.register(weights.reason_of)
        ledger_hands.register(workers.is_any_worker_there)
        read = originals.reader(lambda: Path(settings.KAKUTEI_FILES_DIR))
        ledger_origins.register(Posting.Origin.CHUNK, origins.describer(read))
        ledger_proofs.register([*proofs.STATEMENTS, *making_proofs.STATEMENTS], triggers=proofs.EXPECTED_TRIGGERS)
        ledger_proofs.register(originals.statements(lambda: Path(settings.KAKUTEI_FILES_DIR)))
