"""Every two operations that can meet on an account, at once: what comes of it is what would have come of the one after the other, in either order.

Each pair is done three times, each in a book of its own: one after the other, the other way round, and at once, where each waits with its commit for
the other to come as far as the locks let it. Outcomes, balances, lots and states of the third are those of one of the first two.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from ledger_app import errors, locks
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import accounts
from ledger_app.close.operations import periods
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Balance, Entry, Hold, Merge, OpenLot, Period
from ledger_app.points.operations import expiry, holds
from ledger_app.posting.rules.lots import Grant, Named
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_rows
from tests.concurrency.test_ledger_races import at_once, code_of, unlocked_row, without_locks
from tests.support import adjusting, lot_samples, samples
from tests.support.lot_samples import Points, at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mariadb]

BOOKS = itertools.count(1)
DAY, NOON, AFTERWARDS = date(2017, 1, 25), at(2017, 1, 25), at(2017, 2, 1)
HAS = 100  # what the member has before
# How long one waits with its commit for the other, which as a rule waits for a lock and cannot come.
MEET_SECONDS = 0.15


@dataclass(frozen=True)
class World:
    """A book with a member who has 100, due on the day where something is to expire, and the two operations that will meet."""

    points: Points
    pair: tuple[str, str]

    @property
    def amount(self) -> int:
        """More than half, so that it goes once; all, where what is left decides whether the account can be closed."""
        return HAS if "closing" in self.pair else 60

    @property
    def adjusted(self) -> int:
        """What an adjustment takes: it is proposed only where it is there and not held."""
        return HAS - self.amount if holds_before(self.pair) else self.amount

    @property
    def member(self) -> Account:
        return self.points.accounts["M1"]

    def by(self, name: str, group: str | None, when: Any = AFTERWARDS) -> Caller:
        user = adjusting.person(name, group, is_superuser=group is None).user
        return Caller(user, when, "command")

    def state(self) -> tuple[Any, ...]:
        """Return what has become of it all."""
        book = self.points.book
        lots = OpenLot.objects.filter(book=book).values_list("account__code", "lot__kind", "due_on", "remaining", "held")
        return (
            sorted(Balance.objects.filter(account__book=book).values_list("account__code", "amount")),
            sorted(lots, key=str),
            sorted(Hold.objects.filter(book=book).values_list("state", "settled_amount")),
            sorted(Account.objects.filter(book=book).values_list("code", "state")),
            sorted(Period.objects.filter(book=book).values_list("name", "state")),
            sorted(Merge.objects.filter(holder=self.member.holder_id).values_list("state", flat=True)),
        )


def holds_before(pair: tuple[str, str]) -> bool:
    """Whether points are held before the two meet."""
    return bool({"settlement", "release"} & set(pair))


def build(pair: tuple[str, str]) -> World:
    points = lot_samples.open_points(samples.machine_caller(AFTERWARDS), code=f"R{next(BOOKS)}", months=2)
    if set(pair) != {"grant", "closing"}:
        lots = None if "expiry" in pair else Named(grants=(Grant("paid", HAS, date(2017, 2, 20)),))
        points.gain("g-1", HAS, on=date(2017, 1, 5), lots=lots)
    if "reversal" in pair and holds_before(pair):
        # What is held cannot be taken back: it is another grant that is.
        points.gain("g-0", 40, on=date(2017, 1, 5), lots=Named(grants=(Grant("paid", 40, date(2017, 2, 20)),)))
    return World(points, pair)


def post(world: World, name: str, gains: int) -> Callable[[], Any]:
    draft = world.points.draft(name, gains, on=DAY)
    return lambda: world.points.post(draft, at=NOON)


def adjustment(world: World) -> Callable[[], Any]:
    code = world.points.book.code
    finance, administrator = world.by("finance-1", "finance"), world.by("administrator-1", None)
    reason_codes.keep(code=f"r-{code}", name="Wrong", contra_accounts={code: "programme"}, caller=finance)
    reason_codes.set_limit(group="finance", book=code, amount_most=HAS, two_deciders_above=HAS, caller=administrator)
    said = Proposal(
        key=code, book=code, account="M1", amount=-world.adjusted, effective_on=DAY, reason=f"r-{code}", text="It was wrong."
    )
    row = adjustments.propose(proposal=said, caller=world.by("support-1", "support"), expires_at=adjusting.NEVER)
    shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
    return lambda: adjustments.decide(adjustment_id=row.pk, name="approve", caller=finance, digest_shown=shown)


def reversal(world: World) -> Callable[[], Any]:
    """Take a grant back, all of it."""
    entry = Entry.objects.get(book=world.points.book, reference="g-0" if holds_before(world.pair) else "g-1")
    finance = world.by("finance-1", "finance")
    row = reversals.propose(entry_id=entry.pk, reason="It was wrong.", caller=world.by("support-1", "support"))
    shown = reversal_rows.preview(entry).digest
    return lambda: reversals.approve(reversal_id=row.pk, digest_shown=shown, caller=finance)


def place(world: World, name: str = "h-1") -> Callable[[], Any]:
    wanted = holds.Wanted(world.member.pk, world.points.accounts["programme"].pk, world.amount, name, at(2017, 5, 1))
    till = world.by("till-1", "till", NOON)
    return lambda: holds.place(wanted=wanted, caller=till)


def held(world: World) -> tuple[Hold, Caller]:
    """Return the hold that is there before, placed at the first call."""
    found, till = Hold.objects.filter(book=world.points.book).first(), world.by("till-1", "till", NOON)
    return found or place(world, "h-0")()[0], till


def settlement(world: World) -> Callable[[], Any]:
    hold, till = held(world)
    return lambda: holds.settle(hold_id=hold.pk, amount=hold.amount, effective_on=DAY, caller=till)


def release(world: World) -> Callable[[], Any]:
    hold, till = held(world)
    return lambda: holds.release(hold_id=hold.pk, reason="Not bought.", caller=till)


def expire(world: World) -> Callable[[], Any]:
    system = world.points.caller
    return lambda: expiry.expire(book=world.points.book, through=DAY, caller=system)


def merge(world: World) -> Callable[[], Any]:
    gone, stays, finance = world.member.holder_id, world.points.accounts["M2"].holder_id, world.by("finance-1", "finance")
    assert gone is not None
    assert stays is not None
    row = merges.propose(
        merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One.", effective_on=DAY),
        caller=world.by("support-1", "support"),
    )
    plan = merge_rows.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=finance.at).plan
    return lambda: merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)


def change(world: World, name: str) -> Callable[[], Any]:
    finance = world.by("finance-1", "finance")
    return lambda: accounts.change(account_id=world.member.pk, name=name, reason="Asked for.", caller=finance)


def freeze(world: World) -> Callable[[], Any]:
    """Freeze with a control total that holds before the other operation, or after it where that one has to come first."""
    comes_first = {"expiry", "adjustment", "reversal", "settlement"} & set(world.pair)
    count = Entry.objects.filter(book=world.points.book).count() + len(comes_first)
    period, finance = world.points.book.periods.get(name="2017-01"), world.by("finance-1", "finance")
    return lambda: periods.freeze(period_id=period.pk, controls={"entries": count}, caller=finance, code_version="test")


# A merge is proposed before anything else is open; what is held is held before the rest.
OPERATIONS: dict[str, Callable[[World], Callable[[], Any]]] = {
    "merge": merge,
    "settlement": settlement,
    "release": release,
    "adjustment": adjustment,
    "reversal": reversal,
    "hold": place,
    "grant": lambda world: post(world, "g-2", 60),
    "spend": lambda world: post(world, "s-1", -world.amount),
    "expiry": expire,
    "suspension": lambda world: change(world, "suspend"),
    "closing": lambda world: change(world, "close"),
    "freeze": freeze,
}


def works(world: World) -> list[Callable[[], Any]]:
    """Prepare both operations, and return what does them."""
    return [OPERATIONS[name](world) for name in world.pair]


def told(outcome: Any) -> str:
    """Return what came of one operation. A decision may be refused for what was shown, or under its locks by the rule that was broken meanwhile."""
    if isinstance(outcome, errors.Refused):
        # What a check of the schema undid was refused by no rule.
        return "row_refused" if code_of(outcome) == "row_refused" else "refused"
    if isinstance(outcome, expiry.Expired):
        return f"expired {outcome.amount} {[each.code for each in outcome.refused]}"
    return code_of(outcome)


def after(world: World, outcomes: list[Any]) -> tuple[Any, ...]:
    assert world.points.breaches() == []
    return [told(outcome) for outcome in outcomes], *world.state()


def one_by_one(pair: tuple[str, str], *, turned: bool) -> tuple[Any, ...]:
    world = build(pair)
    prepared = works(world)
    outcomes = [None, None]
    for place_of in (1, 0) if turned else (0, 1):
        (outcomes[place_of],) = at_once(prepared[place_of])
    return after(world, outcomes)


def meet_before_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each wait with its commit until the other is as far, or cannot come."""
    barrier, real = threading.Barrier(2), transactions.run

    def run(work: Callable[[], Any]) -> Any:
        def and_meet() -> Any:
            result = work()
            try:
                barrier.wait(MEET_SECONDS)
            except threading.BrokenBarrierError:
                return result
            return result

        return real(and_meet)

    monkeypatch.setattr(transactions, "run", run)


@pytest.mark.parametrize("first", list(OPERATIONS)[:-1])
def test_two_operations_at_once_are_one_after_the_other(first, monkeypatch):
    names = list(OPERATIONS)
    for second in names[names.index(first) + 1 :]:
        pair = (first, second)
        stated = [one_by_one(pair, turned=turned) for turned in (False, True)]
        world = build(pair)
        prepared = works(world)
        with monkeypatch.context() as patched:
            meet_before_commits(patched)
            outcomes = at_once(*prepared)
        assert after(world, outcomes) in stated, pair


@pytest.mark.parametrize("pair", [("grant", "closing"), ("hold", "spend"), ("adjustment", "spend"), ("reversal", "spend")])
def test_without_the_locks_both_believe_what_was_there_before(pair, monkeypatch):
    """The schema undoes one of them, without a reason that helps anybody; or nobody does, and ``verify`` names it."""
    world = build(pair)
    prepared = works(world)
    monkeypatch.setattr(transactions, "TRIES", 1)
    monkeypatch.setattr(locks, "own_row", unlocked_row)
    without_locks(monkeypatch)
    meet_before_commits(monkeypatch)
    codes = {told(outcome) for outcome in at_once(*prepared)}
    assert codes & {"try_again", "written_differs", "database", "stale", "row_refused"} or world.points.breaches() != []
