"""Proves a period before its row is locked, and under the lock only what has come since.

Entries are never changed and never go, so what was proved stays proved; what can happen is that more come. Whether any did is asked of their
number, day by day, and not of their highest id: a posting with a lower one may be committed later.
"""

import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from operator import itemgetter
from tempfile import TemporaryFile
from typing import Any, NamedTuple, Self

from django.db import connection
from django.db.models import Count

from ledger_app import errors, sql
from ledger_app.base.queries import totals
from ledger_app.books.rules.periods import Proof
from ledger_app.close.queries import seals
from ledger_app.errors import closing
from ledger_app.models import Entry, Period

DIGEST_BYTES = 32
KEY_BYTES = 8
LINE_FEED = "\n"
TOLD_EVERY = 5000  # entries
# How often what came meanwhile is proved without the lock, and how much may be left for the lock.
ROUNDS_MOST = 5
UNDER_LOCK_MOST = 500
# So many entries of a day are put into their places one by one; with more, the day is read again.
PLACED_MOST = 500


class Day(NamedTuple):
    """Where the entries of a day lie in the file: their numbers, then their digests, both in the order of the seal."""

    place: int
    entries: int


class Proved:
    """What was proved of a period. Of each entry the number and the digest are kept, in a file that goes with this object."""

    def __init__(self, period: Period, *, on_progress: Callable[[int], None] = lambda _count: None) -> None:
        """Begin with nothing. ``on_progress`` is called as the proof goes on, with the number of entries so far; never under a lock."""
        self.period = period
        self.balances_differing: list[str] = []
        self._proof = Proof()
        self._on_progress: Callable[[int], None] | None = on_progress
        self._days: dict[date, Day] = {}
        self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self._names: seals.Names = {}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Let go of the file."""
        self._file.close()

    def prove(self) -> None:
        """Prove everything without a lock; then what came meanwhile, as long as more comes, a bounded number of times."""
        self._catch_up(self._grown(), with_balances=False)
        self.balances_differing = differing_balances(self.period.book_id)
        for _round in range(ROUNDS_MOST):
            if not self._catch_up(self._grown()):
                break
        if self._on_progress:
            self._on_progress(self._proof.entry_count)

    def under_lock(self) -> Proof:
        """Prove what came since, and return the proof of the whole. The caller holds the period's row, so that no more can come.

        :raises errors.Refused: period_moves, where more came than is to be proved under a lock
        """
        grown = self._grown()
        if (came := sum(grown.values())) > UNDER_LOCK_MOST:
            raise errors.Refused([closing.PeriodMoves(count=came, period=self.period.name)])
        self._on_progress = None
        self._catch_up(grown)
        running = seals.begin(self.period)
        for _day, kept in sorted(self._days.items()):
            self._file.seek(kept.place + kept.entries * KEY_BYTES)
            for start in range(0, kept.entries, seals.ENTRIES_A_READ):
                block = self._file.read(min(seals.ENTRIES_A_READ, kept.entries - start) * DIGEST_BYTES)
                running.update(f"{block.hex(LINE_FEED, DIGEST_BYTES)}{LINE_FEED}".encode())
        return replace(self._proof, digest=running.digest())

    def _grown(self) -> dict[date, int]:
        """Return, from the index alone, the days that have not as many entries as were proved, with the difference."""
        first, last = self.period.starts_on, self.period.ends_on
        rows = Entry.objects.filter(book=self.period.book_id, effective_on__gte=first, effective_on__lte=last)
        now = dict(rows.values_list("effective_on").annotate(count=Count("id")).order_by("effective_on"))
        proved = {day: kept.entries for day, kept in self._days.items()}
        return {day: now.get(day, 0) - proved.get(day, 0) for day in sorted(now | proved) if now.get(day) != proved.get(day)}

    def _catch_up(self, grown: Mapping[date, int], *, with_balances: bool = True) -> int:
        """Prove what is there and was not proved; return how many entries. ``with_balances`` where those before it were found right."""
        count = 0
        for day, more in grown.items():
            keys, digests = self._kept(day)
            came = self._came(day, keys, more)
            computed: dict[int, bytes] = {}
            for entry in seals.walk(came, self.period.book.code, self._names):
                computed[entry.id] = entry.computed
                seals.take_in(self._proof, entry)
                if self._on_progress and self._proof.entry_count % TOLD_EVERY == 0:
                    self._on_progress(self._proof.entry_count)
            if keys:
                keys, digests = self._placed(day, keys, digests, computed)
            else:
                keys, digests = came, bytearray(b"".join(computed[key] for key in came))
            if with_balances:
                self.balances_differing += differing_after(came)
            self._keep(day, keys, digests)
            count += len(came)
        return count

    def _came(self, day: date, kept: "array[int]", more: int) -> "array[int]":
        """Return the numbers of a day's entries that are not among those that were kept, in no order where some were."""
        if not kept:
            return seals.ordered(self.period.book_id, day)
        of_day = Entry.objects.filter(book=self.period.book_id, effective_on=day).values_list("id", flat=True)
        found = array("q", of_day.filter(id__gt=max(kept)))
        if len(found) < more:
            # A posting of a lower number was committed later.
            known = set(kept)
            found = array("q", (key for key in of_day.iterator(chunk_size=seals.ENTRIES_A_READ) if key not in known))
        # Without the lock, more may have come since they were counted; fewer never are.
        if not found or len(found) < more:
            raise errors.WrittenDiffers(what=f"entries of {day}", planned=len(kept), found=len(kept) + more)
        return found

    def _placed(
        self, day: date, keys: "array[int]", digests: bytearray, computed: Mapping[int, bytes]
    ) -> tuple["array[int]", bytearray]:
        """Return numbers and digests of a day with those that came put into their places in the order of the seal."""
        if len(computed) > PLACED_MOST:
            rest = iter(range(0, len(digests), DIGEST_BYTES))
            known = computed.keys() | set(keys)
            merged = array("q", (key for key in seals.ordered(self.period.book_id, day) if key in known))
            parts_of_it = (
                computed[key] if key in computed else digests[(at := next(rest)) : at + DIGEST_BYTES] for key in merged
            )
            return merged, bytearray(b"".join(parts_of_it))
        names = {row[0]: row[1:] for row in Entry.objects.filter(id__in=list(computed)).values_list("id", *seals.ORDER)}
        for key, name in sorted(names.items(), key=itemgetter(1)):
            # In twenty looks among a million: references are bytes of ASCII, which Python orders as the databases do.
            place = bisect_left(keys, name, key=lambda other: names.get(other) or _order_of(other))
            keys.insert(place, key)
            digests[place * DIGEST_BYTES : place * DIGEST_BYTES] = computed[key]
        return keys, digests

    def _kept(self, day: date) -> tuple["array[int]", bytearray]:
        keys: array[int] = array("q")
        if day not in self._days:
            return keys, bytearray()
        place, count = self._days[day]
        self._file.seek(place)
        keys.frombytes(self._file.read(count * KEY_BYTES))
        return keys, bytearray(self._file.read(count * DIGEST_BYTES))

    def _keep(self, day: date, keys: "array[int]", digests: bytearray) -> None:
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(keys.tobytes())
        self._file.write(digests)
        self._days[day] = Day(place, len(keys))


def _order_of(key: int) -> tuple[Any, ...]:
    found: tuple[Any, ...] = Entry.objects.values_list(*seals.ORDER).get(pk=key)
    return found


# Of the balances of books, those that are not what their lines come to: every line is added up.
NOT_AS_CLAIMED = """
      FROM ledger_app_balance AS balance
      JOIN ledger_app_account AS account ON account.id = balance.account_id
      LEFT JOIN (
           SELECT account_id, stripe, EXACT_SUM(amount) AS amount, MAX(sequence) AS sequence, COUNT(*) AS line_count
             FROM ledger_app_line GROUP BY account_id, stripe
           ) AS summed ON summed.account_id = balance.account_id AND summed.stripe = balance.stripe
     WHERE account.book_id IN ({books})
       AND (balance.amount <> COALESCE(summed.amount, 0)
            OR balance.sequence <> COALESCE(summed.sequence, 0)
            OR balance.sequence <> COALESCE(summed.line_count, 0))
"""
DIFFERING_BALANCES = f"SELECT account.code {NOT_AS_CLAIMED.format(books='%s')} ORDER BY account.code LIMIT 100"
# Each line follows the one before it on its account's stripe, and the last of them is what the balance says: where all lines before were added
# up, this adds the new ones.
DIFFERING_AFTER = """
    SELECT DISTINCT account.code
      FROM ledger_app_line AS line
      JOIN ledger_app_account AS account ON account.id = line.account_id
      LEFT JOIN ledger_app_line AS earlier
        ON earlier.account_id = line.account_id AND earlier.stripe = line.stripe AND earlier.sequence = line.sequence - 1
      LEFT JOIN ledger_app_balance AS balance ON balance.account_id = line.account_id AND balance.stripe = line.stripe
      LEFT JOIN ledger_app_line AS last
        ON last.account_id = line.account_id AND last.stripe = line.stripe AND last.sequence = balance.sequence
     WHERE line.entry_id IN ({entries})
       AND (line.balance_after <> COALESCE(earlier.balance_after, 0) + line.amount
            OR (earlier.id IS NULL AND line.sequence > 1)
            OR last.id IS NULL OR last.balance_after <> balance.amount OR balance.sequence < line.sequence)
"""


def differing_balances(book_id: int) -> list[str]:
    """Return the codes of the first hundred accounts of a book whose balance is not what its lines say: every line of the book is added up."""
    with connection.cursor() as cursor:
        cursor.execute(totals.sql(DIFFERING_BALANCES), [book_id])
        return [code for (code,) in cursor.fetchall()]


def differing_after(entry_ids: Iterable[int]) -> list[str]:
    """Return the codes of accounts whose balance does not go on as the lines of these entries say."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for part in sql.parts(list(entry_ids)):
            cursor.execute(DIFFERING_AFTER.format(entries=", ".join(map(str, part))))
            found.update(code for (code,) in cursor.fetchall())
    return sorted(found)
