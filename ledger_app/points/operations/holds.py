"""Holds: points are reserved, and then taken, let go, or free again when their time is over; under the lock of their account's balance."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from ledger_app import errors, locks
from ledger_app.base.operations import transactions, transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import units
from ledger_app.models import Balance, Hold, HoldLot, Posting
from ledger_app.points.operations import placing
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.operations import entries, lots
from ledger_app.posting.queries import bases
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.holds import HOLD, RESOLVE_ANY, HoldFacts
from ledger_app.posting.rules.lots import Named, Taking
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import sides
from ledger_app.values.balances import balance_id

Wanted = placing.Wanted

BATCH = 200  # accounts whose holds are over, looked after in one transaction


def place(*, wanted: Wanted, caller: Caller) -> tuple[Hold, bool]:
    """Hold points, in the order in which they would be spent; return the hold, and whether it is new.

    The same again, by its reference, returns the hold that is there, whatever has become of it.

    :raises errors.Refused: not_permitted, reference_invalid, description_invalid, hold_invalid, hold_conflict, account_without_lots,
        account_not_open, holder_merged, account_in_other_book, hold_target_refused, hold_too_long, hold_over_limit, hold_over_day, lots_short,
        floor_broken_on, balance_not_expected
    """

    def work() -> tuple[Hold, bool]:
        (placed,) = placing.place_each(wanted=[wanted], caller=caller)
        if placed.hold is None:
            raise errors.Refused(placed.reasons)
        return placed.hold, placed.is_new

    return transactions.run(work)


def settle(
    *,
    hold_id: int,
    amount: int,
    effective_on: date | None,
    caller: Caller,
    version: int | None = None,
    expected_balance: int | None = None,
    lane: int = 0,
) -> Hold:
    """Post ``amount`` of what is held, out of the lots that are held, and let the rest go.

    ``version`` is that of the hold, and ``expected_balance`` what the account has before, in its natural direction, where the caller believes in one.
    What was settled with the same amount is found, whatever has become of either.

    The entry is dated on the day at the caller's time in the book's zone, or, where that is past, on the last day of what is held; finance may say
    another day, from that on which the hold was placed on.

    :raises errors.Refused: with every reason; hold_of_other, hold_over, hold_exceeded, hold_date_invalid, hold_date_not_yours;
        hold_settled_otherwise where it was settled with another amount; stale, balance_not_expected; and as ``entries.post``
    """
    there = Hold.objects.get(pk=hold_id)
    rights = rights_of(caller.user)
    is_theirs = there.placed_by_id == caller.user.pk or RESOLVE_ANY in rights
    # A user who may not settle the hold is refused below, and learns nothing of the settlement: a till that is told of it has been paid by nobody.
    if there.state == Hold.State.SETTLED and is_theirs and HOLD.transition("settle").right in rights:
        if (there.settled_amount, effective_on or there.settled_on) == (amount, there.settled_on):
            return there
        facts = {"settled": there.settled_amount, "amount": amount}
        raise errors.Refused(units.belonging([lot_errors.HoldSettledOtherwise(reference=there.reference, **facts)], there))

    def write(row: Hold, facts: HoldFacts) -> Mapping[str, Any]:
        takings = hold_rows.takings(row, amount)
        draft = _draft(row, facts, amount, takings)
        locked = locks.ledger(bases.wanted([draft]), lane=lane)
        _ask_belief(row, locked, expected_balance)
        origin = entries.Origin(Posting.Origin.HOLD, row.pk)
        # What a till settles is no correction by hand: a provisional period is shut to it.
        entries.post(drafts=[draft], origin=origin, caller=caller, lane=lane, locked=locked, by_hand=facts.may_resolve_any)
        _let_rest_go(row, takings)
        return {"settled_amount": amount, "settled_on": facts.settled_on}

    return transitions.perform(
        transitions.Request(
            machine=HOLD,
            name="settle",
            model=Hold,
            pk=hold_id,
            caller=caller,
            facts=lambda row: hold_rows.facts(row, user=caller.user, at=caller.at, amount=amount, on=effective_on),
            write=write,
            version=version,
            audit_facts=lambda row: {"held": row.amount, "settled": amount},
        )
    )


def release(
    *, hold_id: int, reason: str, caller: Caller, version: int | None = None, expected_balance: int | None = None
) -> Hold:
    """Let go what is held. ``version`` and ``expected_balance`` as of a settlement.

    :raises errors.Refused: with every reason; stale, balance_not_expected
    """

    def write(row: Hold, _facts: HoldFacts) -> Mapping[str, Any]:
        locked = locks.ledger(locks.Wanted(frozenset(), date.min, date.min, frozenset({row.account_id})))
        _ask_belief(row, locked, expected_balance)
        lots.unhold(row.pk)
        return {}

    return transitions.perform(
        transitions.Request(
            machine=HOLD,
            name="release",
            model=Hold,
            pk=hold_id,
            caller=caller,
            facts=lambda row: hold_rows.facts(row, user=caller.user, at=caller.at),
            write=write,
            reason=reason,
            version=version,
        )
    )


def sweep(*, caller: Caller) -> int:
    """End every hold whose time is over at the caller's time; return how many. Anyone who posts to such an account does so too.

    What somebody else is resolving at this moment is left to them, and passed by.
    """
    count, after = 0, 0
    over = Hold.objects.filter(state=Hold.State.OPEN, expires_at__lte=caller.at)
    while True:
        # By account, each once: those that are resolved elsewhere, however many, keep nobody from the next ones.
        rest = over.filter(account_id__gt=after).order_by("account_id").values_list("account_id", flat=True)
        accounts = list(rest.distinct()[:BATCH])
        if not accounts:
            return count
        count += transactions.run(partial(_sweep, accounts, caller))
        after = accounts[-1]


def _sweep(account_ids: list[int], caller: Caller) -> int:
    # The one balance of an account that keeps lots stands for them; who has it ends what is over by itself, or leaves it to the next time.
    wanted = Balance.objects.filter(id__in=[balance_id(key, 0) for key in account_ids]).order_by("id")
    free = [balance.account_id for balance in locks.free_rows(wanted)]
    return lots.end_over(free, at=caller.at, caller=caller)


def _ask_belief(row: Hold, locked: locks.Ledger, expected: int | None) -> None:
    if reasons := placing.unlike(row.account, locked, expected):
        raise errors.Refused(units.belonging(reasons, row))


def _draft(row: Hold, facts: HoldFacts, amount: int, takings: Sequence[Taking]) -> Draft:
    """Return the entry of a settlement, out of the lots that are held."""
    sign = sides.sign(row.account.category)
    return Draft(
        book_id=row.book_id,
        effective_on=facts.settled_on,
        reference=f"hold:{row.pk}",
        description=row.description,
        lines=((row.account_id, -amount * sign), (row.target_id, amount * sign)),
        lots=Named(takings=tuple(takings), of_held=True),
    )


def _let_rest_go(row: Hold, takings: Sequence[Taking]) -> None:
    """Let go what is held beyond what was taken."""
    rest = dict(HoldLot.objects.filter(hold=row).values_list("lot_id", "amount"))
    for lot_id, part in takings:
        rest[lot_id] -= part
    lots.let_go({lot_id: part for lot_id, part in rest.items() if part})
