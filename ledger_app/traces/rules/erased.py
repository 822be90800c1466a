"""What an erasure may change of rows that are written once, what stands in its place, and the digest over what is gone. Pure."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

FORM = "kakutei-erasure-1"

TRACES, LINKS, DECISIONS = "ledger_app_trace", "ledger_app_link", "ledger_app_adjustmentdecision"
NAMES, ATTACHMENTS, AUDIT = "ledger_app_historicalholder", "ledger_app_attachment", "ledger_app_auditrow"
# Which columns of rows that are written once an erasure may change, and no other way leads there: of a trace, what it says of such a row.
ERASABLE: Mapping[str, tuple[str, ...]] = {
    TRACES: ("content",),
    NAMES: ("name",),
    ATTACHMENTS: ("name",),
    AUDIT: ("subject", "reason", "reasons", "facts"),
}
# Columns of JSON, which the engines compare each in its own way.
OF_JSON = frozenset({"reasons", "facts"})

# What stands in the place of a name within a text. In no language: rows are read in each.
MARK = "[erased]"


def attachment_name(number: int) -> str:
    """Return what an attachment is called once it is erased: no two of a proposal are called alike."""
    return f"{MARK} {number}"


class Part(NamedTuple):
    """One value that was, or is to be, erased, and what stands there since."""

    table: str
    row_id: int
    column: str
    says: str


class Recomputed(NamedTuple):
    """What the digest of a row comes to since."""

    table: str
    row_id: int
    digest: str


def digest(*, holder_id: int, parts: Iterable[Part], digests: Iterable[Recomputed]) -> bytes:
    """Return the SHA-256 of all that an erasure took away, each in the order in which it was written."""
    said = json.dumps([holder_id, [list(each) for each in parts], [list(each) for each in digests]], separators=(",", ":"))
    return hashlib.sha256(f"{FORM}\n{said}".encode()).digest()


def without(names: Collection[str], value: Any, *, keeps_keys: bool = False) -> Any:
    """Return a text, or what JSON holds, with the mark in the place of each of ``names``, the longest first, whatever their capitals.

    With ``keeps_keys``, what the values of JSON are called stays.
    """
    wanted = sorted((name for name in names if name), key=len, reverse=True)
    if not wanted:
        return value
    # A word of letters is one where no other letter stands beside it: who is called Li is not erased from a "Licence".
    # A mark that stands there already is left as it is, whatever somebody is called.
    pattern = re.compile("|".join([re.escape(MARK), *(_pattern(name) for name in wanted)]), re.IGNORECASE)
    return _without(pattern, value, keeps_keys=keeps_keys)


def _pattern(name: str) -> str:
    before = r"(?<![^\W\d_])" if name[0].isascii() and name[0].isalpha() else ""
    after = r"(?![^\W\d_])" if name[-1].isascii() and name[-1].isalpha() else ""
    return f"{before}{re.escape(name)}{after}"


def _without(pattern: re.Pattern[str], value: Any, *, keeps_keys: bool) -> Any:
    if isinstance(value, str):
        return pattern.sub(MARK, value)
    if isinstance(value, Mapping):
        return {
            name if keeps_keys else _without(pattern, name, keeps_keys=keeps_keys): _without(pattern, each, keeps_keys=keeps_keys)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_without(pattern, each, keeps_keys=keeps_keys) for each in value]
    return value
