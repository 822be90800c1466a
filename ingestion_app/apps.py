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

        from ingestion_app.batches.queries import constraints, workers
        from ingestion_app.deciding.queries import weights
        from ingestion_app.reversing.queries import reversals
        from ingestion_app.status import operations as originals
        from ingestion_app.status.queries import audit_kits, closing, origins
        from ingestion_app.verification.proofs import making as making_proofs
        from ingestion_app.verification.proofs import proofs
        from ledger_app.adjustments.queries import weights as ledger_weights
        from ledger_app.base import proofs as ledger_proofs
        from ledger_app.base.queries import constraints as ledger_constraints
        from ledger_app.base.queries import hands as ledger_hands
        from ledger_app.close.queries import audit_kits as ledger_audit_kits
        from ledger_app.close.queries import closing as ledger_closing
        from ledger_app.explain.queries import trial_balances
        from ledger_app.models import Posting
        from ledger_app.posting.queries import origins as ledger_origins
        from ledger_app.reversals import queries as ledger_reversals

        ledger_audit_kits.register(Posting.Origin.CHUNK, audit_kits.subjects, batches=audit_kits.batches)
        ledger_closing.register(closing.unfinished)
        ledger_constraints.register(constraints.COLLIDE)
        ledger_reversals.register(reversals.of_entry)
        ledger_weights.register(weights.reason_of)
        ledger_hands.register(workers.is_any_worker_there)
        read = originals.reader(lambda: Path(settings.KAKUTEI_FILES_DIR))
        ledger_origins.register(Posting.Origin.CHUNK, origins.describer(read))
        trial_balances.register(Posting.Origin.CHUNK, origins.sources)
        ledger_proofs.register([*proofs.INVARIANTS, *making_proofs.INVARIANTS], triggers=proofs.EXPECTED_TRIGGERS)
        ledger_proofs.register(originals.invariants(lambda: Path(settings.KAKUTEI_FILES_DIR)))
