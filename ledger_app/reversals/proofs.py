"""The invariants of the reversals of single entries, asked of the rows alone: 8, 9 and 12."""

from collections.abc import Iterator

from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import BREACHES_MOST, Invariant, Scope, changes_without_rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Reversal

EXPECTED_TRIGGERS = frozenset({"kakutei_reversal_begins_proposed", "kakutei_reversal_no_edit", "kakutei_reversal_no_delete"})


def deciders_are_others(books: Scope) -> Iterator[str]:
    """Invariant 8, for reversals."""
    rows = Reversal.objects.filter(entry__book__in=list(books), decided_by=F("proposed_by")).select_related("entry", "decided_by")
    for row in rows[:BREACHES_MOST]:
        assert row.decided_by is not None  # noqa: S101 - asked for
        yield _("Reversal {reversal} was proposed and decided by {user}.").format(reversal=row, user=row.decided_by.username)


def decisions_have_entries(books: Scope) -> Iterator[str]:
    """Invariant 9, for reversals: what was decided is what was posted."""
    decided = Reversal.objects.filter(entry__book__in=list(books), state=Reversal.State.POSTED)
    wrong = decided.exclude(reversal__reverses=F("entry"), reversal__effective_on=F("effective_on"), decided_digest__isnull=False)
    for row in wrong.select_related("entry")[:BREACHES_MOST]:
        yield _("Reversal {reversal} is posted, and its entry is not the one that was decided.").format(reversal=row)


def changes_have_rows(books: Scope) -> Iterator[str]:
    """Invariant 12, for reversals: the version counts the changes."""
    changed = Reversal.objects.filter(Q(version__gt=1) | ~Q(state=Reversal.State.PROPOSED), entry__book__in=list(books))
    rows = [(row.pk, str(row), row.version, row.state) for row in changed.select_related("entry")]
    yield from changes_without_rows("reversal", rows)


INVARIANTS = (
    Invariant(8, gettext_lazy("Nobody decides what they proposed, superusers included."), deciders_are_others),
    Invariant(9, gettext_lazy("An approval covers exactly the digest that was shown."), decisions_have_entries),
    Invariant(12, gettext_lazy("Each change of state has one audit row."), changes_have_rows),
)
