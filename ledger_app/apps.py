"""The ledger application."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    """Accounts, entries, periods."""

    name = "ledger_app"
    verbose_name = _("Ledger")

    def ready(self) -> None:
        """Have groups, rights and the system user brought up to date after each migration; have the ledger ask what it knows itself."""
        from ledger_app.adjustments.queries import adjustments
        from ledger_app.base.queries import lookout, totals, units
        from ledger_app.books.queries import open_work
        from ledger_app.close.queries import audit_kits, closing, undecided
        from ledger_app.errors import units as error_units
        from ledger_app.explain.queries import posting_origins
        from ledger_app.members.queries import merges
        from ledger_app.models import Posting
        from ledger_app.posting.queries import origins
        from ledger_app.reversals import queries as reversals

        connection_created.connect(totals.install, dispatch_uid="kakutei.totals")
        connection_created.connect(lookout.install, dispatch_uid="kakutei.lookout")
        post_migrate.connect(install_rights, dispatch_uid="kakutei.rights")
        post_migrate.connect(install_traces, dispatch_uid="kakutei.traces")
        error_units.register(units.of)
        for unfinished in (adjustments.undecided, reversals.unfinished, merges.unfinished):
            closing.register(unfinished)
        open_work.register(undecided.of)
        origins.register(Posting.Origin.REVERSAL, reversals.describe)
        origins.register(Posting.Origin.ADJUSTMENT, posting_origins.adjustments)
        origins.register(Posting.Origin.MERGE, posting_origins.merges)
        origins.register(Posting.Origin.EXPIRY, posting_origins.expiries)
        origins.register(Posting.Origin.HOLD, posting_origins.holds)
        origins.register(Posting.Origin.SUBMISSION, posting_origins.submissions)
        for kind in (Posting.Origin.ADJUSTMENT, Posting.Origin.MERGE, Posting.Origin.HOLD):
            audit_kits.register(kind, audit_kits.named(kind))
        audit_kits.register(Posting.Origin.REVERSAL, audit_kits.of_reversals)
        _register_invariants()


def install_rights(**_kwargs: Any) -> None:
    """Bring groups, rights and the system user up to date."""
    from ledger_app.rights.operations import rights

    rights.install()


def install_traces(**_kwargs: Any) -> None:
    """Bring the triggers that trace rows in line with the models."""
    from ledger_app.traces import operations as traces

    traces.install()


def _register_invariants() -> None:
    """Have ``verify`` ask the invariants of each subject."""
    from django.conf import settings

    from ledger_app.adjustments.proofs import adjustment as adjustment_proofs
    from ledger_app.adjustments.proofs import weight as weight_proofs
    from ledger_app.base import proofs
    from ledger_app.base.operations import filing
    from ledger_app.close import proofs as date_proofs
    from ledger_app.erasures import proofs as erasure_proofs
    from ledger_app.members import proofs as member_proofs
    from ledger_app.people.proofs import signing as signing_proofs
    from ledger_app.people.proofs import user as user_proofs
    from ledger_app.points.proofs import floor as floor_proofs
    from ledger_app.points.proofs import lot as lot_proofs
    from ledger_app.posting.proofs import reference as reference_proofs
    from ledger_app.programs import proofs as feed_proofs
    from ledger_app.reversals import proofs as reversal_proofs
    from ledger_app.setting_changes import proofs as setting_proofs
    from ledger_app.traces.proofs import change as change_proofs
    from ledger_app.traces.proofs import history as history_proofs
    from ledger_app.verification.operations import kept_bytes
    from ledger_app.verification.proofs import ledger as ledger_proofs
    from ledger_app.verification.proofs import trace as trace_proofs

    for asked in (ledger_proofs, adjustment_proofs, erasure_proofs, lot_proofs, reversal_proofs, setting_proofs):
        proofs.register(asked.INVARIANTS, triggers=asked.EXPECTED_TRIGGERS)
    for also in (change_proofs, date_proofs, feed_proofs, floor_proofs, member_proofs):
        proofs.register(also.INVARIANTS)
    for also in (history_proofs, reference_proofs, signing_proofs, user_proofs, weight_proofs):
        proofs.register(also.INVARIANTS)
    proofs.register(
        kept_bytes.attachments(lambda: Path(settings.KAKUTEI_FILES_DIR) / "attachments", lambda: timezone.now() - filing.YOUNG)
    )
    proofs.register(trace_proofs.INVARIANTS, triggers=trace_proofs.EXPECTED_TRIGGERS)
