"""What a user may decide, what the user has decided lately, and whose approval counts."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Abs

from ledger_app.models import Account, Adjustment, AdjustmentDecision, AdjustmentLimit, User
from ledger_app.queries.rights import rights_of
from ledger_app.rules import limits
from ledger_app.rules.limits import Lately, Limit

APPROVED = AdjustmentDecision.Decision.APPROVED
COUNTED = (Adjustment.State.ENDORSED, Adjustment.State.APPROVED)


class Granted(NamedTuple):
    """What was adjusted lately for a member, or for an account that no member holds: over how many days, how often, the sum, and without signs."""

    days: int
    number: int
    net: int
    size: int


def rows_of(user: User, book_id: int) -> QuerySet[AdjustmentLimit]:
    """Return the limits of a user's groups in a book."""
    groups = list(user.groups.values_list("id", flat=True))
    return AdjustmentLimit.objects.filter(group__in=groups, book=book_id)


def limit_of(user: User, book_id: int) -> Limit:
    """Return what a user may decide in a book: the most that one of the user's groups may. A superuser has no more than that."""
    columns = ("amount_most", "two_deciders_above", "window_days", "day_most")
    return limits.widest([Limit(*row) for row in rows_of(user, book_id).values_list(*columns)])


def limit_of_all(book_id: int) -> int:
    """Return the most that anybody may decide in a book."""
    rows = AdjustmentLimit.objects.filter(book=book_id).values_list("amount_most", flat=True)
    return max(rows, default=0)


def lately(user: User, row: Adjustment, limit: Limit, *, at: datetime) -> Lately:
    """Return what a user has approved before, beside ``row``: what counts against the limits of a decision on it."""
    zone = ZoneInfo(row.book.time_zone)
    day = datetime.combine(at.astimezone(zone).date(), time.min, zone)
    window = at - timedelta(days=limit.window_days)
    words = AdjustmentDecision.objects.filter(
        decided_by=user, decision=APPROVED, adjustment__book=row.book_id, adjustment__state__in=COUNTED
    ).exclude(adjustment=row.pk)
    size = Abs("adjustment__amount")
    within = _of_member(row.account, "adjustment__") & Q(decided_at__gt=window)
    found = words.filter(decided_at__gt=min(day, window)).aggregate(
        alone=Sum(size, filter=within & Q(is_sole=True)),
        at_all=Sum(size, filter=within),
        on_day=Sum(size, filter=Q(decided_at__gte=day)),
    )
    return Lately(*(int(found[name] or 0) for name in Lately._fields))


def granted(account: Account, *, at: datetime, days: int = limits.WINDOW_DAYS) -> Granted:
    """Return what was adjusted for a member, by anybody, in the last days before an instant."""
    since = at - timedelta(days=days)
    rows = Adjustment.objects.filter(_of_member(account, ""), state=Adjustment.State.APPROVED, book=account.book_id)
    posted = rows.filter(decisions__decision=APPROVED, decisions__decided_at__gt=since).distinct().values_list("id", flat=True)
    found = Adjustment.objects.filter(id__in=list(posted)).aggregate(
        number=Count("id"), net=Sum("amount"), size=Sum(Abs(F("amount")))
    )
    return Granted(days, found["number"], int(found["net"] or 0), int(found["size"] or 0))


def approvals(row: Adjustment, *, right: str) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the users whose approvals of an adjustment count, and the names of those whose approvals count no more.

    One counts as long as whoever gave it may still decide as much.
    """
    counted, void = set(), []
    for user in _givers(row):
        if right in rights_of(user) and abs(row.amount) <= limit_of(user, row.book_id).most:
            counted.add(user.pk)
        else:
            void.append(user.username)
    return frozenset(counted), tuple(void)


def _givers(row: Adjustment) -> Iterable[User]:
    words = row.decisions.filter(decision=APPROVED).select_related("decided_by").order_by("id")
    return [word.decided_by for word in words]


def _of_member(account: Account, path: str) -> Q:
    """Return what finds the adjustments of all accounts of the member who holds ``account``, or of the account where nobody does."""
    if account.holder_id is not None:
        return Q(**{f"{path}account__holder": account.holder_id})
    return Q(**{f"{path}account": account.pk})
