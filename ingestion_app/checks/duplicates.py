"""Finds record keys that stand more than once in a file, without keeping the keys.

The first pass over the rows keeps eight bytes a key. Only where two of them agree is a second pass needed, which looks at the keys
themselves: it also clears keys that differ and merely hash alike.
"""

from array import array
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from hashlib import blake2b

from ingestion_app.checks.keys import hashed
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import RAW_BYTES, Seen

_PARTS = 64  # hashes are compared part by part, so that only one part at a time needs a set
_CONTENT_DIGEST_BYTES = 16


class KeyIndex:
    """Remembers the hashes of record keys, which mean the same in every process."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]
        self._last_line = 0

    def add(self, key: str, line: int) -> None:
        """Remember the key of the record on ``line``.

        :raises ValueError: if the line does not come after the one before: rows of two passes would all look like duplicates.
        """
        if line <= self._last_line:
            raise ValueError(f"line {line} does not come after line {self._last_line}")
        self._last_line = line
        of_key = hashed(key)
        self._parts[of_key % _PARTS].append(of_key)

    def merge(self, others: "KeyIndex") -> None:
        """Take in what another process remembers of other lines."""
        for part, theirs in zip(self._parts, others._parts, strict=True):  # noqa: SLF001 - its own kind
            part.extend(theirs)

    def suspects(self) -> frozenset[int]:
        """Return the hashes that were added more than once; empty: no key stands twice."""
        found: set[int] = set()
        for part in self._parts:
            once: set[int] = set()
            for of_key in part:
                if of_key in once:
                    found.add(of_key)
                once.add(of_key)
        return frozenset(found)


def confirm(rows: Iterator[Row | Seen], suspects: AbstractSet[int]) -> Iterator[Seen]:
    """Yield a finding for the second and each later record of a key, comparing its bytes with those of the first.

    ``rows`` is a fresh examination of the same bytes. What it sees besides rows is passed over: the first pass has told it.
    """
    firsts: dict[str, tuple[int, bytes]] = {}
    for row in rows:
        if isinstance(row, Seen) or hashed(row.key) not in suspects:
            continue
        # The bytes are compared, not the values: in cp932 two spellings can decode to one text.
        content = blake2b(row.raw, digest_size=_CONTENT_DIGEST_BYTES).digest()
        if row.key not in firsts:
            firsts[row.key] = row.line, content
            continue
        first_line, first_content = firsts[row.key]
        rule = "record.duplicate_same" if content == first_content else "record.duplicate_differs"
        yield Seen(rule, row.line, 0, row.offset, row.raw[:RAW_BYTES], {"key": row.key, "first_line": first_line})
