"""Says how many of something there are, in the active language: one line, two lines. For the lines that commands print."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import ngettext_lazy

FORMS: Final[Mapping[str, Any]] = {
    "account": ngettext_lazy("{count:,} account", "{count:,} accounts", "count"),
    "attachment": ngettext_lazy("{count:,} attachment", "{count:,} attachments", "count"),
    "attempt": ngettext_lazy("{count:,} attempt", "{count:,} attempts", "count"),
    "byte": ngettext_lazy("{count:,} byte", "{count:,} bytes", "count"),
    "chunk": ngettext_lazy("{count:,} chunk", "{count:,} chunks", "count"),
    "deadlock": ngettext_lazy("{count:,} deadlock", "{count:,} deadlocks", "count"),
    "entry": ngettext_lazy("{count:,} entry", "{count:,} entries", "count"),
    "file": ngettext_lazy("{count:,} file", "{count:,} files", "count"),
    "hold": ngettext_lazy("{count:,} hold", "{count:,} holds", "count"),
    "key": ngettext_lazy("{count:,} key", "{count:,} keys", "count"),
    "line": ngettext_lazy("{count:,} line", "{count:,} lines", "count"),
    "lock wait": ngettext_lazy("{count:,} lock wait", "{count:,} lock waits", "count"),
    "lot": ngettext_lazy("{count:,} lot", "{count:,} lots", "count"),
    "member": ngettext_lazy("{count:,} member", "{count:,} members", "count"),
    "period": ngettext_lazy("{count:,} period", "{count:,} periods", "count"),
    "record": ngettext_lazy("{count:,} record", "{count:,} records", "count"),
    "row": ngettext_lazy("{count:,} row", "{count:,} rows", "count"),
}


def counted(count: int, what: str) -> str:
    """Return a number with what it counts, in the form that goes with it; ``what`` is the singular."""
    return str(FORMS[what].format(count=count))
