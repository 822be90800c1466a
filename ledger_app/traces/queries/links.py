"""The chain over the traces: what it still has to take in, and whether it recomputes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ledger_app.errors.sentences import say as _
from ledger_app.models import Link, Trace
from ledger_app.traces.queries import erased
from ledger_app.traces.rules import traces as rules
from ledger_app.traces.rules.erased import LINKS

ROWS_A_READ = 5_000
COLUMNS = ("id", "table_name", "row_id", "event", "at", "content")


def waiting(last: Link, *, until: datetime, most: int) -> list[rules.TraceRow]:
    """Return the traces up to ``until`` that no link covers, by number: those that fill gaps, and those after the last link."""
    rows = Trace.objects.filter(at__lte=until).order_by("id")
    found: list[rules.TraceRow] = []
    for first, end, _since in last.gaps:
        found += rows.filter(id__gte=first, id__lte=end).values_list(*COLUMNS)[: most - len(found)]
    found += rows.filter(id__gt=last.last_trace).values_list(*COLUMNS)[: most - len(found)]
    return found


def spans(keys: Sequence[int]) -> list[list[int]]:
    """Return numbers that rise as [first, last] of those that follow each other."""
    found: list[list[int]] = []
    for key in keys:
        if found and found[-1][1] == key - 1:
            found[-1][1] = key
        else:
            found.append([key, key])
    return found


def gaps(last: Link, keys: Sequence[int], *, since: str, forgotten: str) -> list[list[Any]]:
    """Return the [first, last, since when] of numbers under which no trace is linked, given those that are being linked now."""
    covered = spans(keys)
    left: list[list[Any]] = []
    for first, end, opened in last.gaps:
        if opened < forgotten:
            continue
        left += [[low, high, opened] for low, high in _without(first, end, covered)]
    if keys and keys[-1] > last.last_trace:
        left += [[low, high, since] for low, high in _without(last.last_trace + 1, keys[-1], covered)]
    return left


def _without(first: int, end: int, covered: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield the parts of a span that are not covered."""
    for low, high in covered:
        if high < first or low > end:
            continue
        if low > first:
            yield first, low - 1
        first = high + 1
    if first <= end:
        yield first, end


def breaches() -> Iterator[str]:
    """Yield what of the chain does not recompute, and traces that came into it where nothing may come any more."""
    # Where a decided erasure took something away of what a link covers, it recomputes to what the erasure says, and to nothing else.
    since = erased.digests(LINKS)
    previous: Link | None = None
    spanned: list[tuple[int, int]] = []
    for link in Link.objects.order_by("number").iterator(chunk_size=100):
        if previous is None:
            if link.number != 0:
                yield _("The chain of traces does not begin with link 0.")
        elif link.number != previous.number + 1:
            yield _("The chain of traces lacks link {number}.").format(number=previous.number + 1)
        if link.number and previous is not None and not recomputes(link, previous, since):
            yield _(
                "Link {number} of the chain does not recompute: a trace that it covers was changed or removed, or the link was."
            ).format(number=link.number)
        spanned += [(first, end) for first, end in link.spans]
        previous = link
    if previous is None:
        yield _("The chain of traces does not begin with link 0.")
        return
    yield from _strays(previous, sorted(spanned))


def recomputes(link: Link, previous: Link, since: Mapping[int, bytes]) -> bool:
    """Whether a link is what its traces come to; ``since`` is what links come to since an erasure, by number of the row."""
    return recomputed(link, previous) == (link.trace_count, since.get(link.pk, bytes(link.digest)))


def recomputed(link: Link, previous: Link) -> tuple[int, bytes]:
    """Return how many traces of a link are there, and the digest that they come to."""
    digest = rules.LinkDigest(link.number, bytes(previous.digest))
    for first, end in link.spans:
        rows = Trace.objects.filter(id__gte=first, id__lte=end).order_by("id").values_list(*COLUMNS)
        for row in rows.iterator(chunk_size=ROWS_A_READ):
            digest.add(row)
    return digest.count, digest.end(last_trace=link.last_trace, spans=link.spans, gaps=link.gaps, linked_at=link.linked_at)


def _strays(last: Link, spanned: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Yield traces that no link covers and that none will: whose numbers are neither open gaps nor after the last link."""
    edges = [(0, 0), *spanned, (last.last_trace + 1, last.last_trace + 1)]
    opened = [[first, end] for first, end, _since in last.gaps]
    for (_low, before), (after, _high) in pairwise(edges):
        for first, end in _without(before + 1, after - 1, opened):
            for key in Trace.objects.filter(id__gte=first, id__lte=end).order_by("id").values_list("id", flat=True)[:20]:
                yield _("Trace {number} came in where the chain has gone by.").format(number=key)
