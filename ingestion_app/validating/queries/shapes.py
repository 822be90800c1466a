"""Which earlier files a file is compared with: of the same source, in the ledger and not taken back, on the same weekday or at the same place in the month."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from itertools import pairwise

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ingestion_app.checks import known, looks
from ingestion_app.checks.looks import Earlier
from ingestion_app.checks.measures import middle
from ingestion_app.checks.rules import Seen
from ingestion_app.checks.shape import FORM
from ingestion_app.formats.shape_rules import ShapeRules
from ingestion_app.models import Batch, FileShape, Record
from ingestion_app.sources.queries import definitions

LOOKED_BACK = 400  # files
MONTHLY_DAYS = 20  # between two files, from which on they are of months and not of days
SAME_PLACE_DAYS = 3
RECENT = 8  # files, on whatever day, whose records might be sent again under another one
KNOWN_FILES_MOST = 40
HAVE_RECORDS = (Batch.State.VALIDATED, Batch.State.APPROVED, Batch.State.APPLYING, Batch.State.APPLIED, Batch.State.FROZEN)
IN_THE_LEDGER = (Batch.State.APPLIED, Batch.State.FROZEN)


def comparable(batch: Batch, rules: ShapeRules) -> list[Earlier]:
    """Return the comparable earlier files of a batch, the last first."""
    days = list(
        _before(batch).filter(batch__sequence=batch.sequence).values_list("batch_id", "batch__business_date")[:LOOKED_BACK]
    )
    is_like = _is_like(batch.business_date, [day for _pk, day in days])
    return _loaded([pk for pk, day in days if is_like(day)][: rules.earlier_most])


def recent(batch: Batch) -> list[Earlier]:
    """Return the last files before a batch, on whatever day, the last first."""
    return _loaded(list(_before(batch).values_list("batch_id", flat=True)[:RECENT]))


def gaps(batch: Batch, like: Sequence[Earlier]) -> tuple[int, list[int]]:
    """Return how many days after the file before it a file is, and how many comparable ones were; 0 where there is none before."""
    known = Batch.objects.filter(source=batch.source_id, reverses__isnull=True, business_date__lte=batch.business_date)
    days = sorted(set(known.exclude(state__in=["withdrawn", "rejected", "reversed"]).values_list("business_date", flat=True)))
    days = [day for day in days if day < batch.business_date]
    found = (batch.business_date - days[-1]).days if days else 0
    before = dict(zip(days[1:], days, strict=False))
    likes = [date.fromisoformat(each.date) for each in like]
    return found, [(day - before[day]).days for day in likes if day in before]


def seen_in(batch: Batch, shape: looks.Shape, like: Sequence[Earlier], rules: ShapeRules) -> Iterator[Seen]:
    """Yield what is unusual about the shape of a batch's file, among those that are like it."""
    if len(like) >= rules.earlier_least:
        yield from looks.looks(shape, like, rules)
        yield from looks.gap(*gaps(batch, like))
    before = recent(batch)
    pairs = [(one.shape, other.shape) for one, other in pairwise(before)]
    known = {each.batch for each in before}
    yield from looks.of_earlier(shape, [*before, *[each for each in like if each.batch not in known]], pairs, rules)


def known_in(batch: Batch, shape: looks.Shape) -> Iterator[Seen]:
    """Yield that the records of a batch's file came before, in a batch that has them still."""
    rows = FileShape.objects.filter(batch__source=batch.source_id, batch__state__in=HAVE_RECORDS)
    columns = (
        rows.exclude(batch=batch)
        .order_by("-batch_id")
        .values_list("batch_id", "batch__business_date", "batch__state", "content__keys")
    )
    others = (
        known.KeysOf(pk, str(day), state, keys) for pk, day, state, keys in columns[:KNOWN_FILES_MOST].iterator(chunk_size=10)
    )
    yield from known.known(shape["keys"], others, _standing)


def _standing(batch_id: int, lines: Collection[int]) -> Collection[int]:
    rows = Record.objects.filter(batch=batch_id, line__in=sorted(lines)).exclude(status=Record.Status.SET_ASIDE)
    return set(rows.values_list("line", flat=True))


def compared_with(batch: Batch) -> list[int] | None:
    """Return the batches that a file was compared with; None where its shape is not kept."""
    found = FileShape.objects.filter(batch=batch).values_list("compared", flat=True).first()
    return None if found is None else list(found)


def comparison_text(batch: Batch) -> Promise | str:
    """Say how many earlier files the file of a plan was compared with, or why with none; nothing of a reversal, and without a plan."""
    if batch.reverses_id is not None or batch.plan_digest is None:
        return ""
    rules, with_them = definitions.definition_of(batch.source_version).shape, compared_with(batch)
    if with_them:
        return gettext("held against {count} comparable ones").format(count=len(with_them))
    if not rules.compared:
        return _("held against none: the source says so")
    return gettext("held against none: there are fewer than {count} comparable ones").format(count=rules.earlier_least)


def _before(batch: Batch) -> QuerySet[FileShape]:
    found = FileShape.objects.filter(
        batch__source=batch.source_id,
        batch__state__in=IN_THE_LEDGER,
        batch__business_date__lt=batch.business_date,
    )
    return found.order_by("-batch__business_date", "-batch_id")


def _loaded(numbers: Sequence[int]) -> list[Earlier]:
    """Return the shapes of these batches, the last first; those of an earlier form say nothing that could be compared."""
    rows = FileShape.objects.filter(batch__in=numbers).select_related("batch").order_by("-batch__business_date", "-batch_id")
    return [Earlier(row.batch_id, str(row.batch.business_date), row.content) for row in rows if row.content["form"] == FORM]


def _is_like(day: date, others: Sequence[date]) -> Callable[[date], bool]:
    """Return what tells whether another day is comparable: files of months by their place in the month, others by the weekday."""
    distinct = sorted({day, *others})
    steps = [(later - earlier).days for earlier, later in pairwise(distinct)]
    if steps and middle(steps) >= MONTHLY_DAYS:
        return lambda other: min(abs(other.day - day.day), abs(_from_end(other) - _from_end(day))) <= SAME_PLACE_DAYS
    return lambda other: other.weekday() == day.weekday()


def _from_end(day: date) -> int:
    """Return how many days of its month follow a day."""
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - day).days
