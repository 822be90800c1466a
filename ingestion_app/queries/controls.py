"""Which controls a sender gives for its files, as people are told before they approve one."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ingestion_app.models import Batch
from ingestion_app.queries import definitions

_TOLD: dict[tuple[str, ...], Promise | str] = {
    (): _("none: nothing from the sender says that the file is whole"),
    ("count",): _("the count alone: nothing from the sender says that the amounts are right"),
    ("sum",): _("the sum alone: nothing from the sender says how many records there are"),
    ("count", "sum"): _("count and sum, in the trailer"),
}


def of_batch(batch: Batch) -> tuple[str, ...]:
    """Return the names of the controls that the layout of a batch has, in the order of ``Roles.controls``."""
    return definitions.definition_of(batch.source_version).roles.controls


def told(batch: Batch) -> Promise | str:
    """Say which they are, and what follows where they are not all."""
    return _TOLD[of_batch(batch)]
