"""Who may take the audit kit of a period home."""

from typing import Final

from django.utils.translation import gettext_lazy as _

TAKE: Final = _("Take the audit kit")
TAKERS: Final = _("Finance and auditors")
# Who closes the books, and who holds them against what they say: one of these rights is enough.
RIGHTS: Final = frozenset({"ledger_app.freeze_period", "ledger_app.run_verification"})
ROWS_MOST: Final = 300_000  # lines up to its end, and accounts of its book, of a kit that is made while somebody waits
