"""The provenance of entries, for many at once: each subject that posts registers how its entries are described, so that this module knows none of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ledger_app import sql
from ledger_app.errors import LedgerError
from ledger_app.models import Entry, Posting

Target = tuple[str, int]  # the label of a model, such as "ledger_app.entry", and the number of its row


class Came(NamedTuple):
    """An entry with the posting that wrote it. ``reverses`` is (number, reference) of the entry that it takes back, if any."""

    entry_id: int
    reference: str
    kind: str
    origin_id: int
    posted_by: str
    posted_at: datetime
    reason: str
    reverses: tuple[int, str] | None


class Fact(NamedTuple):
    """One known fact of an origin: its label, its value, and the row that it links to.

    A digest is shown short and copied whole; what is raw is shown to the letter.
    """

    label: str | Promise
    text: Any
    target: Target | None = None
    is_digest: bool = False
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one entry came from.

    ``sentence`` says it in the active language, ``lines`` say more; ``facts`` are the same for programs, ready for JSON; ``shown`` for pages;
    ``target`` is the row of what it came from; ``complaints`` say what of it is stored and is not what it was.
    """

    kind: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: Sequence[Fact] = ()
    lines: Sequence[str] = ()
    target: Target | None = None
    complaints: Sequence[LedgerError] = ()


# Tells of the entries of one kind, in a number of statements that does not grow with them: by the number of the entry. ``whole`` asks for all
# that is known, down to the bytes compared with their digest, for one entry; else it is what a line of a list can hold.
Describe = Callable[[Sequence[Came], bool], Mapping[int, Provenance]]
_describers: dict[str, Describe] = {}


def register(kind: str, describe: Describe) -> None:
    """Have ``describe`` tell of the entries whose postings have the origin ``kind``. Called by applications when they start."""
    _describers[kind] = describe


def of(entry_ids: Iterable[int], *, whole: bool = False) -> dict[int, Provenance]:
    """Return where each entry came from, by its number: one statement, and those of each kind that is among them."""
    by_kind: dict[str, list[Came]] = {}
    for came in _came(sorted(set(entry_ids))):
        by_kind.setdefault(came.kind, []).append(came)
    found: dict[int, Provenance] = {}
    for kind, entries in by_kind.items():
        describe = _describers.get(kind)
        told = describe(entries, whole) if describe else {}
        found.update((came.entry_id, told.get(came.entry_id) or by_posting(came)) for came in entries)
    return found


def by_posting(came: Came) -> Provenance:
    """Return what the posting alone says: which kind of origin, by whom, when and why."""
    kind = str(dict(Posting.Origin.choices).get(came.kind, came.kind))
    template = _("{kind} {number}, posted by {user}: {reason}") if came.reason else _("{kind} {number}, posted by {user}")
    return Provenance(
        kind=came.kind,
        sentence=template.format(kind=kind, number=came.origin_id, user=came.posted_by, reason=came.reason),
        shown=[Fact(_("Kind"), kind)],
    )


def _came(entry_ids: Sequence[int]) -> list[Came]:
    found = []
    for part in sql.parts(entry_ids):
        for entry in Entry.objects.filter(id__in=part).select_related("posting__posted_by", "reverses"):
            by = entry.posting
            reverses = (entry.reverses.pk, entry.reverses.reference) if entry.reverses else None
            origin = (by.origin_kind, by.origin_id, by.posted_by.username, by.posted_at, by.reason)
            found.append(Came(entry.pk, entry.reference, *origin, reverses))
    return found
