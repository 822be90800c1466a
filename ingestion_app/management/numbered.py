"""What a command names by its number."""

from django.utils.translation import gettext as _

from ingestion_app.models import Batch
from ledger_app import errors


def batch(number: int) -> Batch:
    """Return a batch by its number.

    :raises errors.Refused: not_found
    """
    found = Batch.objects.filter(pk=number).first()
    if found is None:
        raise errors.Refused([errors.NotFound(what=_("batch"), name=number)])
    return found
