"""What was decided by hand lately, added up: by the person, by the member, by the day, by the reason code.

Adjustments count from the first approval that stands; files of adjustments, and what takes an entry back, from their approval
(``DecidedAmount``). Members who were ever merged, or came of undoing that, are one: a new number is no new limit.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Abs

from ledger_app import sql
from ledger_app.adjustments.rules.limits import Lately, Limit
from ledger_app.base.queries.totals import Total
from ledger_app.models import Account, Adjustment, AdjustmentDecision, Book, DecidedAmount, Merge, User

APPROVED = AdjustmentDecision.Decision.APPROVED
COUNTED = (Adjustment.State.ENDORSED, Adjustment.State.APPROVED)
Key = tuple[str, int]  # of a member, or of an account that none holds


class Scope(NamedTuple):
    """Whose decisions are added up, until when, beside which adjustment, and of which reason code where not of all."""

    book: Book
    user: User
    at: datetime
    beside: int | None = None
    reason_id: int | None = None

    @property
    def day(self) -> datetime:
        """When the day began, in the zone of the book."""
        zone = ZoneInfo(self.book.time_zone)
        return datetime.combine(self.at.astimezone(zone).date(), time.min, zone)


class Member(NamedTuple):
    """A member with all others that were ever the same, or an account that no member holds."""

    holder_ids: frozenset[int]
    account_id: int

    def within(self, path: str) -> Q:
        """Return what finds the rows of this member; ``path`` leads to a row that has an account."""
        if self.holder_ids:
            return Q(**{f"{path}account__holder__in": sorted(self.holder_ids)})
        return Q(**{f"{path}account": self.account_id})


@dataclass
class Tally:
    """The sums, by member where they are of one."""

    alone: Counter[Key] = field(default_factory=Counter)
    at_all: Counter[Key] = field(default_factory=Counter)
    member_on_day: Counter[Key] = field(default_factory=Counter)
    on_day: int = 0
    all_on_day: int = 0

    def of_one(self) -> Lately:
        """Return what counts, where one member was asked for: the sums of all who are the same."""
        alone, at_all, member = (sum(counts.values()) for counts in (self.alone, self.at_all, self.member_on_day))
        return Lately(alone, at_all, self.on_day, member, self.all_on_day)

    def of_many(self, key: Key) -> Lately:
        """Return what counts for one member of many, but for what is of all members."""
        return Lately(self.alone[key], self.at_all[key], 0, self.member_on_day[key], 0)


def families(holder_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Return, for each of these members, all that were ever merged with it, one way or the other and through others, itself among them."""
    linked: dict[int, set[int]] = {key: set() for key in holder_ids}
    asked, new = set[int](), set(holder_ids)
    while new:
        asked |= new
        found: set[int] = set()
        for part in sql.parts(sorted(new)):
            done = Merge.objects.filter(Q(holder__in=part) | Q(survivor__in=part), state=Merge.State.DONE)
            for one, other in done.values_list("holder_id", "survivor_id"):
                if other is not None:
                    linked.setdefault(one, set()).add(other)
                    linked.setdefault(other, set()).add(one)
                    found |= {one, other}
        new = found - asked
    whole: dict[int, frozenset[int]] = {}
    for key in linked:
        if key not in whole:
            family = _reached(key, linked)
            whole.update(dict.fromkeys(family, family))
    return whole


def member_of(account: Account) -> Member:
    """Return the member who holds an account, with all others that were ever the same."""
    if account.holder_id is None:
        return Member(frozenset(), account.pk)
    return Member(families([account.holder_id])[account.holder_id], account.pk)


def tally(scope: Scope, limit: Limit, *, member: Member | None = None) -> Tally:
    """Return what counts against a limit, of one member or of all; what the limit does not bound is not asked for."""
    counted = Tally()
    adjusted, other = _decisions(scope), _amounts(scope, DecidedAmount.objects.all())
    within, of_other = (member.within("adjustment__"), member.within("")) if member is not None else (Q(), Q())
    window = scope.at - timedelta(days=limit.window_days)
    words = adjusted.filter(within, decided_by=scope.user, decided_at__gt=window)
    _add(counted.alone, words.filter(is_sole=True), "adjustment__")
    _add(counted.at_all, words, "adjustment__")
    # Of what takes back what was no adjustment, the days' limits alone are asked.
    alone = other.filter(of_other, decided_by=scope.user, decided_at__gt=window, reason_code__isnull=False)
    _add(counted.alone, alone, "")
    _add(counted.at_all, alone, "")
    today, today_other = Q(decided_at__gte=scope.day), other.filter(decided_at__gte=scope.day)
    if limit.day_most is not None:
        counted.on_day = _sum(adjusted.filter(today, decided_by=scope.user), "adjustment__amount")
        counted.on_day += _sum(today_other.filter(decided_by=scope.user), "amount")
    # An adjustment by two people is one amount.
    approved = Adjustment.objects.filter(id__in=adjusted.filter(today).values("adjustment"))
    if limit.member_day_most is not None:
        _add(counted.member_on_day, approved.filter(member.within("") if member is not None else Q()), "")
        _add(counted.member_on_day, today_other.filter(of_other), "")
    if limit.all_day_most is not None:
        counted.all_on_day = _sum(approved, "amount") + _sum(today_other, "amount")
    return counted


def of_files(scope: Scope, limit: Limit) -> int:
    """Return what a person has approved by files of adjustments in the window, for all members: a file cut into pieces is one."""
    since = scope.at - timedelta(days=limit.window_days)
    rows = _amounts(scope, DecidedAmount.objects.filter(kind=DecidedAmount.Kind.BATCH))
    return _sum(rows.filter(decided_by=scope.user, decided_at__gt=since), "amount")


def by_member(tallied: Tally, families_of: Mapping[int, frozenset[int]]) -> Tally:
    """Return a tally of all members with those who were ever the same counted as one, given the families of some: the others are left out."""

    def joined(counts: Counter[Key]) -> Counter[Key]:
        found: Counter[Key] = Counter()
        for (kind, number), amount in counts.items():
            if kind == "account" or number in families_of:
                found[key_of(kind, number, families_of)] += amount
        return found

    counts = (joined(tallied.alone), joined(tallied.at_all), joined(tallied.member_on_day))
    return Tally(*counts, tallied.on_day, tallied.all_on_day)


def key_of(kind: str, number: int, families_of: Mapping[int, frozenset[int]]) -> Key:
    """Return what stands for all members who are one, or for an account that no member holds."""
    return (kind, min(families_of[number]) if kind == "member" else number)


def owner(holder_id: int | None, account_id: int) -> Key:
    """Return whose an account is: a member's, or nobody's."""
    return ("account", account_id) if holder_id is None else ("member", holder_id)


def _decisions(scope: Scope) -> QuerySet[AdjustmentDecision]:
    rows = AdjustmentDecision.objects.filter(
        decision=APPROVED, adjustment__book=scope.book, adjustment__state__in=COUNTED
    ).exclude(adjustment=scope.beside or 0)
    return rows if scope.reason_id is None else rows.filter(adjustment__reason_code=scope.reason_id)


def _amounts(scope: Scope, rows: QuerySet[DecidedAmount]) -> QuerySet[DecidedAmount]:
    rows = rows.filter(book=scope.book, voided_at__isnull=True)
    return rows if scope.reason_id is None else rows.filter(reason_code=scope.reason_id)


def _add(counts: Counter[Key], rows: QuerySet[Any], path: str) -> None:
    """Add sums of rows by the member of their account, or by the account where there is none. The caller joins members who were merged."""
    columns = (f"{path}account__holder", f"{path}account")
    grouped = rows.order_by().values_list(*columns).annotate(size=Total(Abs(F(f"{path}amount"))))
    for holder_id, account_id, size in grouped.iterator(chunk_size=2000):
        counts[owner(holder_id, account_id)] += size


def _sum(rows: QuerySet[Any], column: str) -> int:
    return int(rows.aggregate(size=Total(Abs(F(column))))["size"])


def _reached(start: int, linked: Mapping[int, Iterable[int]]) -> frozenset[int]:
    found, new = {start}, [start]
    while new:
        reached = set(linked.get(new.pop(), ())) - found
        found |= reached
        new += reached
    return frozenset(found)
