"""What ingestion tells the close: batches dated in a period that have not ended."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ingestion_app.models import Batch
from ingestion_app.queries import definitions
from ledger_app.errors.words import Word
from ledger_app.models import Period

ENDED = (Batch.State.FROZEN, Batch.State.WITHDRAWN, Batch.State.REVERSED)


def unfinished(period: Period) -> Iterator[tuple[Word, str, Word]]:
    """Yield ("Batch", name, state), as words of the language, for each batch that is dated in ``period``, posts into its book, and has not ended.

    A batch without a plan is taken to be dated on its business date, a reversal on the dates that its entries get.
    """
    planned = Q(first_on__lte=period.ends_on, last_on__gte=period.starts_on)
    unplanned = Q(first_on__isnull=True, business_date__gte=period.starts_on, business_date__lte=period.ends_on)
    dated = Batch.objects.filter(planned | unplanned).exclude(state__in=ENDED).order_by("id")
    for batch in dated.select_related("source", "source_version"):
        if period.book.code in {rule.book for rule in definitions.definition_of(batch.source_version).postings}:
            yield _("Batch"), str(batch), Batch.State(batch.state).label
