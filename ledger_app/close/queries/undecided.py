"""What the ledger itself knows of that is open: holds, adjustments and reversals that nobody has ended."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import Model

from ledger_app import errors
from ledger_app.adjustments.rules.adjustments import UNDECIDED
from ledger_app.books.queries.open_work import NAMED_MOST
from ledger_app.errors import members
from ledger_app.errors.words import Word
from ledger_app.models import Account, Adjustment, Hold, Line, Reversal


def of(holder_ids: Collection[int], account_ids: Collection[int], at: datetime) -> Iterator[errors.LedgerError]:
    """Yield what is open on these accounts, and on the accounts of these members. A hold whose time is over promises nothing any more."""
    accounts = set(account_ids) | set(Account.objects.filter(holder__in=holder_ids).values_list("id", flat=True))
    if not accounts:
        return
    holding = Hold.objects.filter(state=Hold.State.OPEN, expires_at__gt=at)
    promised = holding.filter(account__in=accounts) | holding.filter(target__in=accounts)
    for hold in promised.order_by("id")[:NAMED_MOST]:
        yield _open(hold, Hold.State(hold.state).label)
    # What waits for a decision is little, and is found by its state.
    waiting = Adjustment.objects.filter(state__in=UNDECIDED, account__in=accounts)
    waiting |= Adjustment.objects.filter(state__in=UNDECIDED, contra_account__in=accounts)
    for adjustment in waiting.order_by("id")[:NAMED_MOST]:
        yield _open(adjustment, Adjustment.State(adjustment.state).label)
    proposed = Reversal.objects.filter(state=Reversal.State.PROPOSED)
    touched = Line.objects.filter(entry__in=proposed.values("entry"), account__in=accounts).values("entry")
    for reversal in proposed.filter(entry__in=touched).select_related("entry").order_by("id")[:NAMED_MOST]:
        yield _open(reversal, Reversal.State(reversal.state).label)


def _open(row: Model, state: Word) -> members.OpenWork:
    return members.OpenWork(what=row._meta.verbose_name, name=row, state=state)  # noqa: SLF001 - Django's public API
