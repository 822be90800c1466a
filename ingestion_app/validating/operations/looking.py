"""Looks at the shape of a file as a whole, and keeps it for the files to come."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ingestion_app.checks.rules import Seen
from ingestion_app.checks.shape import Shaping
from ingestion_app.formats.shape_rules import ShapeRules
from ingestion_app.models import Batch, FileShape
from ingestion_app.validating.queries import shapes


class Looked(NamedTuple):
    """The shape of a file, and the batches that it was compared with."""

    shape: dict[str, Any]
    compared: list[int]


def look(batch: Batch, shaping: Shaping | None, rules: ShapeRules, tell: Callable[[Seen], None]) -> Looked | None:
    """Compare the shape of a batch's file with earlier ones, and tell what is unusual; None where its source says that it is compared with none."""
    if shaping is None:
        return None
    shape = shaping.as_kept()
    for seen in shapes.known_in(batch, shape):
        tell(seen)
    like = shapes.comparable(batch, rules)
    for seen in shapes.seen_in(batch, shape, like, rules):
        tell(seen)
    return Looked(shape, [each.batch for each in like] if len(like) >= rules.earlier_least else [])


def write(batch: Batch, looked: Looked | None) -> None:
    """Keep the shape of a batch's file in place of the one before; without one, none."""
    FileShape.objects.filter(batch=batch).delete()
    if looked is not None:
        FileShape.objects.create(batch=batch, content=looked.shape, compared=looked.compared)
