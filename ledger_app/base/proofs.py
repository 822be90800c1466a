"""Says what an invariant is (docs/invariants.md), how ``verify`` asks it of the rows alone, and which invariants there are."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import F
from django.utils.functional import Promise

from ledger_app.base.queries import totals
from ledger_app.errors.sentences import say as _
from ledger_app.models import AuditRow, Book

# Breaches are named, not counted to the last: the first hundred of each invariant tell enough.
BREACHES_MOST = 100

Found = TypeVar("Found")


class Scope(Sequence[Book]):
    """The books that are proved, with a cache of what was read of them, which all invariants share."""

    def __init__(self, books: Iterable[Book], *, reads_bytes: bool = True) -> None:
        """Begin with nothing found out. ``reads_bytes`` says whether the bytes that are kept outside the database are read too."""
        self._books = list(books)
        self.reads_bytes = reads_bytes
        self._found: dict[tuple[str, int], Any] = {}

    def __getitem__(self, place: Any) -> Any:
        """Return a book by its place."""
        return self._books[place]

    def __len__(self) -> int:
        """Return how many books there are."""
        return len(self._books)

    def once(self, what: str, key: int, find: Callable[[], Found]) -> Found:
        """Return what ``find`` finds of a row, of which it is asked once."""
        if (what, key) not in self._found:
            self._found[what, key] = find()
        found: Found = self._found[what, key]
        return found


class Invariant(NamedTuple):
    """One invariant: its number in the design, what it says, and the function that yields each breach as a sentence."""

    number: int
    says: str | Promise
    breaches: Callable[[Scope], Iterable[str]]
    reads_bytes: bool = False  # it reads what is kept outside the database, and may be left out
    note: Callable[[], str] = str  # what of it could not be asked, said with the answer; nothing where all was


_registered: list[Invariant] = []
_registered_triggers: set[str] = set()


def register(invariants: Sequence[Invariant], *, triggers: Collection[str] = ()) -> None:
    """Have the verification ask these, and look for these triggers. Called by applications when they start."""
    _registered.extend(each for each in invariants if each not in _registered)
    _registered_triggers.update(triggers)


def invariants() -> list[Invariant]:
    """Return all invariants, in the order of their numbers."""
    return sorted(_registered, key=lambda invariant: invariant.number)


def rows(sql: str, books: Sequence[Book], *parameters: str | int) -> list[tuple[Any, ...]]:
    """Return the first rows of ``sql``, in which ``{books}`` stands for the list of book ids."""
    keys = ", ".join(str(book.pk) for book in books) or "0"
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(sql.format(books=keys)) + f" LIMIT {BREACHES_MOST}", parameters)
        return list(cursor.fetchall())


def expected_triggers() -> frozenset[str]:
    """Return the names of the triggers that the database should have."""
    return frozenset(_registered_triggers)


def installed_triggers() -> set[str]:
    """Return the names of the triggers that the database has."""
    sql = {
        "mysql": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {name for (name,) in cursor.fetchall()}


def changes_without_rows(subject_type: str, subjects: Sequence[tuple[int, str, int, str]]) -> Iterator[str]:
    """Yield each subject (id, name, version, state) whose audit rows are not one for each change, ending in its state."""
    trails: dict[int, list[tuple[str, str]]] = {}
    done = AuditRow.objects.filter(subject_type=subject_type, outcome="done").exclude(to_state="").order_by("id")
    for key, start, end in done.values_list("subject_id", F("from_state"), F("to_state")):
        trails.setdefault(key, []).append((start, end))
    for key, name, version, state in subjects:
        trail = trails.get(key, [])
        linked = all(before[1] == after[0] for before, after in pairwise(trail))
        ends = trail[-1][1] if trail else None
        if len(trail) != version - 1 or not linked or (ends is not None and ends != state):
            yield _("{name} is {state} after {changes} changes; {count} audit rows lead to {ends}.").format(
                name=name, state=state, changes=version - 1, count=len(trail), ends=ends or "–"
            )
