"""What a user may decide, and whose approval counts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Abs

from ledger_app import sql
from ledger_app.adjustments.queries import decided
from ledger_app.adjustments.rules import limits
from ledger_app.adjustments.rules.limits import Lately, Limit, LimitCheck, Weight
from ledger_app.base.queries.totals import Total
from ledger_app.errors import LedgerError, units
from ledger_app.models import Account, Adjustment, AdjustmentDecision, AdjustmentLimit, Book, ReasonCode, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import WINDOW_DAYS

APPROVED = AdjustmentDecision.Decision.APPROVED
BEYOND_NAMED = 5  # members whose sums are too much
COLUMNS = ("amount_most", "two_deciders_above", "window_days", "day_most", "member_day_most", "all_day_most")


class Granted(NamedTuple):
    """What was adjusted lately for a member, or for an account that no member holds: over how many days, how often, the sum, and without signs."""

    days: int
    number: int
    net: int
    size: int


def of_books(book_ids: Collection[int]) -> QuerySet[AdjustmentLimit]:
    """Return the rows whose locks stand for all sums of these books: what all users decide together is added up, whatever limit each has."""
    return AdjustmentLimit.objects.filter(book__in=book_ids)


def rows_of(user: User, book_id: int) -> QuerySet[AdjustmentLimit]:
    """Return the limits of a user's groups in a book, for whatever reason."""
    groups = list(user.groups.values_list("id", flat=True))
    return AdjustmentLimit.objects.filter(group__in=groups, book=book_id)


def limit_of(user: User, book_id: int) -> Limit:
    """Return what a user may decide in a book: the most that one of the user's groups may. A superuser has no more than that."""
    return limits.widest([Limit(*row) for row in rows_of(user, book_id).filter(reason_code="").values_list(*COLUMNS)])


def limit_for(user: User, book_id: int, reason: str) -> Limit | None:
    """Return the limit of a user for one reason code, beside the limit of the book; None where one of the user's deciding groups has none."""
    rows = rows_of(user, book_id)
    found = {group: Limit(*row) for group, *row in rows.filter(reason_code=reason).values_list("group", *COLUMNS)}
    deciding = set(rows.filter(reason_code="").values_list("group", flat=True))
    return limits.widest(list(found.values())) if found and deciding <= found.keys() else None


def limit_of_all(book_id: int) -> int:
    """Return the most that anybody may decide in a book."""
    rows = AdjustmentLimit.objects.filter(book=book_id, reason_code="").values_list("amount_most", flat=True)
    return max(rows, default=0)


def checks(
    user: User, account: Account, reason: ReasonCode | None, *, at: datetime, beside: Adjustment | None = None
) -> tuple[LimitCheck, ...]:
    """Return the limits that a user's decision on an account is compared with, with what counts: of the book, and of the reason code where one has any.

    ``beside``: the adjustment that is decided, whose own approvals do not count.
    """
    book = account.book
    scope = decided.Scope(book=book, user=user, at=at, beside=beside.pk if beside is not None else None)
    member = decided.member_of(account)
    general = limit_of(user, book.pk)
    found = [LimitCheck(book.code, general, decided.tally(scope, general, member=member).of_one())]
    special = limit_for(user, book.pk, reason.code) if reason is not None else None
    if reason is not None and special is not None:
        of_reason = scope._replace(reason_id=reason.pk)
        lately = decided.tally(of_reason, special, member=member).of_one()
        found.append(LimitCheck(name_of(book, reason), special, lately))
    return tuple(found)


def beyond_of_many(scope: decided.Scope, weights: Sequence[Weight], *, days_only: bool = False) -> list[LedgerError]:
    """Return why one person may not decide many amounts at once in a book: member by member, reason code by reason code, and their sum.

    ``days_only`` asks for the limits of the day alone: of what takes back what was no adjustment.
    """
    owners = _owners(weights)
    judge = limits.beyond_day if days_only else limits.beyond_alone
    of_all = _Part(scope, limit_of(scope.user, scope.book.pk), name_of(scope.book), weights)
    found = _beyond(of_all, owners, judge)
    for reason in ReasonCode.objects.filter(id__in={each.reason_id for each in weights if each.reason_id is not None}):
        special = limit_for(scope.user, scope.book.pk, reason.code)
        if special is not None:
            mine = [each for each in weights if each.reason_id == reason.pk]
            part = _Part(scope._replace(reason_id=reason.pk), special, name_of(scope.book, reason), mine)
            found += _beyond(part, owners, judge)
    return units.belonging(found, scope.book.pk)


class _Part(NamedTuple):
    """What is compared with one limit: the name of what the limit is of, and the amounts that count against it."""

    scope: decided.Scope
    limit: Limit
    name: str
    weights: Sequence[Weight]


class _Owners(NamedTuple):
    """The accounts of some amounts with their codes and members, and the families of these."""

    accounts: Mapping[int, tuple[str, int | None]]
    families: Mapping[int, frozenset[int]]


def _owners(weights: Sequence[Weight]) -> _Owners:
    accounts: dict[int, tuple[str, int | None]] = {}
    for part in sql.parts(sorted({each.account_id for each in weights})):
        rows = Account.objects.filter(id__in=part).values_list("id", "code", "holder_id")
        accounts |= {key: (code, holder_id) for key, code, holder_id in rows}
    holders = {holder_id for _code, holder_id in accounts.values() if holder_id is not None}
    return _Owners(accounts, decided.families(holders))


def _beyond(part: _Part, owners: _Owners, judge: Callable[..., list[LedgerError]]) -> list[LedgerError]:
    """Return what is beyond one limit: the days' sums of all, then each member, the first few."""
    tallied = decided.by_member(decided.tally(part.scope, part.limit), owners.families)
    user, size = part.scope.user.username, sum(each.amount for each in part.weights)
    of_all = replace(part.limit, member_day_most=None)
    lately = Lately(on_day=tallied.on_day, all_on_day=tallied.all_on_day)
    found = limits.beyond_day(LimitCheck(part.name, of_all, lately), size, user=user)
    sizes: Counter[decided.Key] = Counter()
    named: dict[decided.Key, str] = {}
    for each in part.weights:
        code, holder_id = owners.accounts[each.account_id]
        key = decided.key_of(*decided.owner(holder_id, each.account_id), owners.families)
        sizes[key] += each.amount
        named.setdefault(key, code)
    of_one = replace(part.limit, day_most=None, all_day_most=None)
    for key, amount in sizes.items():
        found += judge(LimitCheck(f"{part.name} · {named[key]}", of_one, tallied.of_many(key)), amount, user=user)
        if len(found) >= BEYOND_NAMED:
            break
    return found


def name_of(book: Book, *parts: object) -> str:
    """Return what a limit is of, in words: a book, and a reason code or an account of it."""
    return " · ".join([book.code, *map(str, parts)])


def granted(account: Account, *, at: datetime, days: int = WINDOW_DAYS) -> Granted:
    """Return what was adjusted for a member, by anybody, in the last days before an instant, one by one."""
    since = at - timedelta(days=days)
    member = decided.member_of(account)
    rows = Adjustment.objects.filter(member.within(""), state=Adjustment.State.APPROVED, book=account.book_id)
    posted = rows.filter(decisions__decision=APPROVED, decisions__decided_at__gt=since).distinct().values_list("id", flat=True)
    found = Adjustment.objects.filter(id__in=list(posted)).aggregate(
        number=Count("id"), net=Total("amount"), size=Total(Abs(F("amount")))
    )
    return Granted(days, found["number"], found["net"], found["size"])


def approvals(row: Adjustment, *, right: str) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the users whose approvals of an adjustment count, and the names of those whose approvals count no more.

    One counts as long as the person who gave it may still decide as much.
    """
    counted, void = set(), []
    for user in givers(row):
        special = limit_for(user, row.book_id, row.reason_code.code)
        most = min(each.most for each in (limit_of(user, row.book_id), special) if each is not None)
        if right in rights_of(user) and abs(row.amount) <= most:
            counted.add(user.pk)
        else:
            void.append(user.username)
    return frozenset(counted), tuple(void)


def givers(row: Adjustment) -> Iterable[User]:
    """Return the users who have approved an adjustment, the first of them first, whether it counts any more or not."""
    words = row.decisions.filter(decision=APPROVED).select_related("decided_by").order_by("id")
    return [word.decided_by for word in words]
