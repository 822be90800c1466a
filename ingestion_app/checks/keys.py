"""The key of a record: what its columns say, and where it stands in its file where the sender has no key of its own."""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from ingestion_app.formats.definition import BUSINESS_DATE, KEY_WORDS, LINE, OCCURRENCE, SEQUENCE, Definition

_HASH_BYTES = 8
_FIRST = "1"
_OF_LINE, _OF_OCCURRENCE = "\0line", "\0occurrence"  # no value has a control character in it
KeyOf = Callable[[Sequence[Any], int], str]


def hashed(key: str) -> int:
    """Return what stands for a key where the keys of a whole file are remembered; it means the same in every process."""
    return int.from_bytes(blake2b(key.encode(), digest_size=_HASH_BYTES).digest(), "big", signed=True)


class Keys:
    """Makes the keys of one file's records, which are asked for in the order of their lines and once each.

    ``quick`` and ``of`` make the same key of the same values and line.
    """

    def __init__(
        self,
        definition: Definition,
        *,
        business_date: date | None = None,
        sequence: int = 0,
        repeated: AbstractSet[int] = frozenset(),
    ) -> None:
        """``repeated`` are the hashes of keys, as they are of the first occurrence, that several records of the file have."""
        parts = definition.roles.key
        position = definition.layout.data.position
        self._places = [position(name) for name in parts if name not in KEY_WORDS]
        fixed = {BUSINESS_DATE: str(business_date), SEQUENCE: str(sequence), LINE: _OF_LINE, OCCURRENCE: _OF_OCCURRENCE}
        self._template = "/".join(fixed.get(name, "%s") for name in parts)
        self._counts_lines, self._counts_occurrences = LINE in parts, OCCURRENCE in parts
        self._repeated = repeated
        self._times: Counter[str] = Counter()
        self.quick: KeyOf = self._quick(definition)

    def of(self, values: Sequence[Any], line: int) -> str:
        """Return the key of a record."""
        return self.quick(values, line)

    def _quick(self, definition: Definition) -> KeyOf:
        data = definition.layout.data
        is_text = all(data.columns[place].kind == "identifier" for place in self._places)
        if is_text and len(self._places) == len(definition.roles.key):
            pick = itemgetter(*self._places)
            if len(self._places) == 1:
                return lambda values, _line: pick(values)
            return lambda values, _line: "/".join(pick(values))
        return self._made

    def _made(self, values: Sequence[Any], line: int) -> str:
        made = self._template % tuple([values[place] for place in self._places])
        if self._counts_lines:
            made = made.replace(_OF_LINE, str(line))
        if not self._counts_occurrences:
            return made
        first = made.replace(_OF_OCCURRENCE, _FIRST)
        if not self._repeated or hashed(first) not in self._repeated:
            return first
        self._times[made] += 1
        return made.replace(_OF_OCCURRENCE, str(self._times[made]))
