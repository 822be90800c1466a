"""Which controls a sender gives for its files, as people are told before they approve one."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ingestion_app.formats.control_totals import Total
from ingestion_app.models import Batch
from ingestion_app.sources.queries import definitions

_NAMES: dict[str, Promise | str] = {
    "count": gettext_lazy("count"),
    "sum": gettext_lazy("sum"),
    Total.ABSOLUTE_SUM: gettext_lazy("sum without signs"),
    Total.POSITIVE_SUM: gettext_lazy("sum above zero"),
    Total.NEGATIVE_SUM: gettext_lazy("sum below zero"),
    Total.POSITIVE_COUNT: gettext_lazy("count above zero"),
    Total.NEGATIVE_COUNT: gettext_lazy("count below zero"),
    "hash_total": gettext_lazy("hash total"),
    "balance": gettext_lazy("opening and closing balance"),
    "by_value": gettext_lazy("totals by a value"),
    "groups": gettext_lazy("number of groups"),
    "lines": gettext_lazy("number of all records"),
    "nested_sum": gettext_lazy("sum at every level"),
}
# Each of these, or both of a pair, says how many records there are, and what their amounts are together.
_OF_COUNTS: tuple[set[str], ...] = ({"count"}, {"lines"})
_OF_AMOUNTS: tuple[set[str], ...] = (
    {"sum"},
    {"balance"},
    {"nested_sum"},
    {Total.ABSOLUTE_SUM},
    {Total.POSITIVE_SUM, Total.NEGATIVE_SUM},
)


def of_batch(batch: Batch) -> tuple[str, ...]:
    """Return the names of the controls that the layout of a batch has, in the order of ``Roles.controls``."""
    return definitions.definition_of(batch.source_version).roles.controls


def text_of(batch: Batch) -> str:
    """Say which they are, and what follows where they are not all."""
    given = of_batch(batch)
    if not given:
        return _("none: nothing from the sender says that the file is whole")
    names = ", ".join(str(_NAMES[name]) for name in given)
    if not _says_one_of(_OF_AMOUNTS, given):
        return _("{names} alone: nothing from the sender says that the amounts are right").format(names=names)
    if not _says_one_of(_OF_COUNTS, given):
        return _("{names} alone: nothing from the sender says how many records there are").format(names=names)
    return _("{names}, in the trailer").format(names=names)


def _says_one_of(wanted: tuple[set[str], ...], given: tuple[str, ...]) -> bool:
    return any(each <= set(given) for each in wanted)
