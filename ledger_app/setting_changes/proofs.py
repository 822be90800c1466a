"""The invariants of the changes of settings, asked of the rows alone: 8, 9 and 12."""

from collections.abc import Iterator

from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import BREACHES_MOST, Invariant, Scope, changes_without_rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import SettingChange
from ledger_app.setting_changes import rules as setting_changes

EXPECTED_TRIGGERS = frozenset(
    {"kakutei_setting_change_begins_proposed", "kakutei_setting_change_no_edit", "kakutei_setting_change_no_delete"}
)


def deciders_are_others(_books: Scope) -> Iterator[str]:
    """Invariant 8, for changes of settings."""
    rows = SettingChange.objects.filter(decided_by=F("proposed_by")).select_related("decided_by").order_by("id")
    for row in rows[:BREACHES_MOST]:
        assert row.decided_by is not None  # noqa: S101 - asked for
        yield _("The change {change} was proposed and decided by {user}.").format(change=row, user=row.decided_by.username)


def digests_recompute(_books: Scope) -> Iterator[str]:
    """Invariant 9, for changes of settings: what was decided is what was proposed."""
    for row in SettingChange.objects.order_by("id").iterator(chunk_size=500):
        found = setting_changes.digest(kind=row.kind, arguments=row.arguments, before=row.before, after=row.after)
        if found != bytes(row.digest).hex():
            yield _("The change {change} is not what was proposed.").format(change=row)


def changes_have_rows(_books: Scope) -> Iterator[str]:
    """Invariant 12, for changes of settings: the version counts the changes."""
    changed = SettingChange.objects.filter(Q(version__gt=1) | ~Q(state=SettingChange.State.PROPOSED)).order_by("id")
    rows = [(row.pk, str(row), row.version, row.state) for row in changed]
    yield from changes_without_rows("setting", rows)


INVARIANTS = (
    Invariant(8, gettext_lazy("Nobody decides what they proposed, superusers included."), deciders_are_others),
    Invariant(9, gettext_lazy("An approval covers exactly the digest that was shown."), digests_recompute),
    Invariant(12, gettext_lazy("Each change of state has one audit row."), changes_have_rows),
)
