"""Writes down what was handed over to accounting: each period once by each profile, and each slip number once in a fiscal year."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.accounting.queries import exporting as exported
from ledger_app.accounting.queries import profiles
from ledger_app.base.operations import audit, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.rules.periods import PERIOD
from ledger_app.errors import exporting
from ledger_app.models import Export, Period, Profile, ProfileVersion, Seal

HAND_OVER = "ledger_app.hand_over"


class Made(NamedTuple):
    """A file that was made of a frozen period: by which version, with which slips, and what is in it."""

    version: ProfileVersion
    period: Period
    seal: Seal
    fiscal_year: int
    first_slip: int
    next_slip: int
    row_count: int
    sha256: bytes
    manifest: Mapping[str, Any]


def check_right(caller: Caller) -> None:
    """Refuse who may not hand a period over. The system may: it runs what is scheduled.

    :raises errors.Refused: not_permitted
    """
    books.check_right(caller, HAND_OVER, _("Hand over to accounting"), _("Finance"))


def record(*, made: Made, caller: Caller) -> history.Kept[Export]:
    """Write down that a period leaves as final; return the row, whether it is new, and whether something was written. The same file a second time is the first.

    :raises errors.Refused: not_permitted, period_not_frozen; export_differs, where another file of the period was handed over
    :raises errors.TryAgain: where another period took the numbers of the slips meanwhile, or the profile says something else now
    """
    check_right(caller)

    def work() -> history.Kept[Export]:
        profile = locks.own_row(Profile, made.version.profile_id)
        period = Period.objects.select_related("book").get(pk=made.period.pk)
        if period.state != Period.State.FROZEN or period.book_id != profile.book_id:
            raise errors.Refused([not_frozen(period)])
        there = exported.of_period(profile, period)
        if there is not None:
            check_same(there, made.sha256)
            return history.Kept(there, False, False)
        if profiles.newest(profile).pk != made.version.pk:
            raise errors.TryAgain(cause=_("the profile was changed meanwhile"))
        year = profiles.definition(made.version).year_of(period.starts_on)
        if exported.next_slip(profile, year) != made.first_slip:
            raise errors.TryAgain(cause=_("another period was handed over meanwhile"))
        said = made._asdict()
        row = Export.objects.create(profile=profile, handed_over_by=caller.user, handed_over_at=caller.at, **said)
        audit.record(
            subject=audit.Subject("export", row.pk, str(row)),
            action="hand_over",
            caller=caller,
            facts={"version": made.version.number, "sha256": made.sha256.hex()},
        )
        return history.Kept(row, True, True)

    return transactions.run(work)


def not_frozen(period: Period) -> errors.LedgerError:
    """Return why a period is not handed over."""
    return exporting.NotFrozen(period=str(period), state=PERIOD.states[period.state])


def check_same(there: Export, sha256: bytes) -> None:
    """Refuse a file that is not the one that was handed over.

    :raises errors.Refused: export_differs
    """
    if bytes(there.sha256) != sha256:
        facts = {"sha256": bytes(there.sha256).hex(), "found": sha256.hex()}
        raise errors.Refused([exporting.ExportDiffers(period=str(there.period), profile=there.profile.name, **facts)])
