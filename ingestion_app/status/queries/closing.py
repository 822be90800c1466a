"""What ingestion tells the close: batches dated in a period that have not ended."""

from collections.abc import Iterator, Mapping
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ingestion_app.models import Batch
from ingestion_app.sources.queries import definitions
from ledger_app import sql
from ledger_app.books.rules.periods import Unfinished
from ledger_app.errors.words import Word
from ledger_app.models import Period

ENDED = (Batch.State.FROZEN, Batch.State.WITHDRAWN, Batch.State.REVERSED)
# What brings a batch nearer to its end, and who may, by its state.
ONWARD: Final[Mapping[str, tuple[Word, Word]]] = {
    Batch.State.RECEIVED: (_("Validate it, or withdraw it."), _("Engineers")),
    Batch.State.REJECTED: (_("Withdraw it; the corrected file comes as a batch of its own."), _("Engineers")),
    Batch.State.VALIDATED: (_("Approve it, or have it withdrawn."), _("Finance")),
    Batch.State.APPROVED: (_("Apply it, or withdraw it."), _("Engineers")),
    Batch.State.APPLYING: (_("See that it is applied: resume it, end it with what is applied, or reverse it."), _("Engineers")),
    Batch.State.APPLIED: (_("Freeze the batch."), _("Finance")),
}


def unfinished(period: Period) -> Iterator[Unfinished]:
    """Yield each batch that is dated in ``period``, posts into its book, and has not ended.

    A batch without a plan is taken to be dated on its business date, a reversal on the dates that its entries get.
    """
    planned = Q(first_on__lte=period.ends_on, last_on__gte=period.starts_on)
    unplanned = Q(sql.dated_in(period, "business_date"), first_on__isnull=True)
    dated = Batch.objects.filter(planned | unplanned).exclude(state__in=ENDED).order_by("id")
    for batch in dated.select_related("source", "source_version"):
        if period.book.code in {rule.book for rule in definitions.definition_of(batch.source_version).postings}:
            said = (_("Batch"), str(batch), Batch.State(batch.state).label, *ONWARD[batch.state])
            yield Unfinished(*said, batch._meta.label_lower, batch.pk, batch.state)  # noqa: SLF001 - Django's public API
