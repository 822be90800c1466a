"""Which figures of ``[shape]`` would have let a source's own files pass, and what each of its files would have raised."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

from ingestion_app.checks.looks import Earlier
from ingestion_app.checks.rules import Severity
from ingestion_app.formats.shape_rules import ShapeRules
from ingestion_app.formats.toml_shape import BOUNDS
from ingestion_app.models import Batch, Source
from ingestion_app.validating.queries import shapes

STEPS_MOST = 40
FILES_MOST = 60
# By the beginning of its code, the figures that a rule goes by; they are loosened by a tenth, and at least by one.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "shape.count_": ("count_percent",),
    "shape.sum_": ("sum_percent",),
    "shape.average_": ("sum_percent",),
    "shape.value_": ("value_permille", "value_percent"),
    "shape.records_repeated": ("repeated_permille",),
    "shape.records_of_earlier": ("earlier_percent",),
    "shape.holders_": ("holders_percent",),
    "shape.nulls_": ("value_permille",),
}
OF_DISTRIBUTIONS = ("psi_alert", "psi_unusual")


class Past(NamedTuple):
    """A file of the past: its batch, how many files it is compared with, and the rules whose alerts it raises, once each."""

    batch: Batch
    compared: int
    alerts: tuple[str, ...]


class Proposal(NamedTuple):
    """What the files raise under the rules that are asked, the figures under which they would raise less, and what is left then."""

    now: tuple[Past, ...]
    rules: ShapeRules
    then: tuple[Past, ...]


def propose(source: Source, rules: ShapeRules) -> Proposal:
    """Return figures under which the files of a source that are in the ledger, taken to be right, raise no alert, as far as figures can do that."""
    files = _files(source, rules)
    now = _raised(files, rules)
    proposed, then = rules, now
    for _step in range(STEPS_MOST):
        looser = _loosened(proposed, {rule for past in then for rule in past.alerts})
        if looser == proposed:
            break
        proposed = looser
        then = _raised(files, proposed)
    return Proposal(now, proposed, then)


def changed(rules: ShapeRules, proposed: ShapeRules) -> dict[str, int]:
    """Return the figures that are proposed in place of others."""
    before = asdict(rules)
    return {name: figure for name, figure in asdict(proposed).items() if figure != before[name]}


_File = tuple[Batch, Mapping[str, object], Sequence[Earlier]]


def _files(source: Source, rules: ShapeRules) -> list[_File]:
    rows = Batch.objects.filter(source=source, state__in=shapes.IN_THE_LEDGER, reverses__isnull=True, shape__isnull=False)
    last = rows.select_related("shape").order_by("-business_date", "-id")[:FILES_MOST]
    return [(batch, batch.shape.content, shapes.comparable(batch, rules)) for batch in reversed(last)]


def _raised(files: Sequence[_File], rules: ShapeRules) -> tuple[Past, ...]:
    found = []
    for batch, shape, like in files:
        seen = shapes.seen_in(batch, shape, like, rules)
        alerts = sorted({each.rule for each in seen if each.severity is Severity.ALERT})
        found.append(Past(batch, len(like), tuple(alerts)))
    return tuple(found)


def _loosened(rules: ShapeRules, raised: set[str]) -> ShapeRules:
    """Return rules that are looser where something was raised, within what a source may say."""
    names = {
        name
        for rule in raised
        for name in next((names for start, names in FIGURES.items() if rule.startswith(start)), OF_DISTRIBUTIONS)
    }
    figures = asdict(rules)
    return replace(rules, **{name: min(BOUNDS[name][1], figures[name] + max(1, figures[name] // 10)) for name in names})
