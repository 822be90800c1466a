"""What the ledger itself knows of that is open: holds, adjustments and reversals that nobody has ended."""

from collections.abc import Collection, Iterator

from django.db.models import Model

from ledger_app import errors
from ledger_app.errors import members
from ledger_app.errors.words import Word
from ledger_app.models import Account, Adjustment, Hold, Line, Reversal
from ledger_app.queries.open_work import NAMED_MOST
from ledger_app.rules.adjustments import UNDECIDED


def of(holder_ids: Collection[int], account_ids: Collection[int]) -> Iterator[errors.LedgerError]:
    """Yield what is open on these accounts, and on the accounts of these members."""
    accounts = set(account_ids) | set(Account.objects.filter(holder__in=holder_ids).values_list("id", flat=True))
    if not accounts:
        return
    promised = Hold.objects.filter(state=Hold.State.OPEN, account__in=accounts)
    promised |= Hold.objects.filter(state=Hold.State.OPEN, target__in=accounts)
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
