"""Holds: points are reserved, and then taken, let go, or free again when their time is over; under the lock of their account's balance."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import requests, units
from ledger_app.errors.words import Amount, Word, differing
from ledger_app.models import Account, Balance, Hold, HoldLot, Posting
from ledger_app.operations import bulk, entries, history, lots, transactions, transitions
from ledger_app.operations.audit import Caller, Subject, record
from ledger_app.queries import days
from ledger_app.queries import holds as hold_rows
from ledger_app.queries.rights import rights_of
from ledger_app.rules import floors
from ledger_app.rules.holds import HOLD, RESOLVE_ANY, Asked, HoldFacts, Target, placing_reasons
from ledger_app.rules.lots import HeldLots, Named, allocate
from ledger_app.rules.objections import ACCOUNT_STATES
from ledger_app.rules.posting import DEBIT_CATEGORIES, DESCRIPTION, REFERENCE, Draft, balance_id, natural

BATCH = 200  # accounts whose holds are over, looked after in one transaction


class Wanted(NamedTuple):
    """A hold that is asked for: ``account`` and ``target`` by id, ``amount`` of what the account has.

    ``expected_balance`` is what the caller believes that the account has, in its natural direction; it is no part of the hold.
    """

    account_id: int
    target_id: int
    amount: int
    reference: str
    expires_at: datetime
    description: str = ""
    expected_balance: int | None = None


def place(*, wanted: Wanted, caller: Caller) -> tuple[Hold, bool]:
    """Hold points, in the order in which they would be spent; return the hold, and whether it is new.

    The same again, by its reference, returns the hold that is there, whatever has become of it.

    :raises errors.Refused: not_permitted, reference_invalid, description_invalid, hold_invalid, hold_conflict, account_without_lots,
        account_not_open, holder_merged, account_in_other_book, hold_target_refused, hold_too_long, hold_over_limit, hold_over_day, lots_short,
        floor_broken_on, balance_not_expected
    """
    reasons: list[errors.LedgerError] = []
    if "ledger_app.place_hold" not in rights_of(caller.user):
        reasons.append(errors.NotPermitted(user=caller.user.username, right=_("Hold points"), who=_("The till")))
    if REFERENCE.fullmatch(wanted.reference) is None:
        reasons.append(errors.ReferenceInvalid(reference=wanted.reference[:120]))
    if DESCRIPTION.fullmatch(wanted.description) is None:
        reasons.append(errors.DescriptionInvalid(reference=wanted.reference[:120]))
    if reasons:
        raise errors.Refused(reasons)
    return transactions.run(lambda: _place(wanted, caller))


def settle(
    *, hold_id: int, amount: int, effective_on: date | None, caller: Caller, version: int | None = None, lane: int = 0
) -> Hold:
    """Post ``amount`` of what is held, out of the lots that are held, and let the rest go.

    The entry is dated on the day at the caller's time in the book's zone, or, where that is past, on the last day of what is held; finance may say
    another day, from that on which the hold was placed on.

    :raises errors.Refused: with every reason; hold_of_other, hold_over, hold_exceeded, hold_date_invalid, hold_date_not_yours;
        hold_settled_otherwise where it was settled with another amount; and as ``entries.post``
    """
    there = Hold.objects.get(pk=hold_id)
    rights = rights_of(caller.user)
    is_theirs = there.placed_by_id == caller.user.pk or RESOLVE_ANY in rights
    # Whoever may not settle it is refused below, and learns nothing of what was settled: a till that is told so has been paid by nobody.
    if there.state == Hold.State.SETTLED and is_theirs and HOLD.transition("settle").right in rights:
        if (there.settled_amount, effective_on or there.settled_on) == (amount, there.settled_on):
            return there
        facts = {"settled": there.settled_amount, "amount": amount}
        raise errors.Refused(units.belonging([lot_errors.HoldSettledOtherwise(reference=there.reference, **facts)], there))

    def write(row: Hold, facts: HoldFacts) -> Mapping[str, Any]:
        _post(row, facts, amount, caller, lane)
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


def release(*, hold_id: int, reason: str, caller: Caller, version: int | None = None) -> Hold:
    """Let go what is held.

    :raises errors.Refused: with every reason
    """

    def write(row: Hold, _facts: HoldFacts) -> Mapping[str, Any]:
        locks.accounts([row.account_id])
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
    """End every hold whose time is over at the caller's time; return how many. Whoever posts to such an account does so too.

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


def _place(wanted: Wanted, caller: Caller) -> tuple[Hold, bool]:
    account = Account.objects.select_related("book").filter(pk=wanted.account_id).first()
    target = Account.objects.filter(pk=wanted.target_id).first()
    if account is None or target is None:
        missing = wanted.account_id if account is None else wanted.target_id
        raise errors.Refused([errors.NotFound(what=_("account"), name=missing)])
    locked = locks.ledger(locks.Wanted(frozenset(), date.min, date.min, frozenset({account.pk})))
    account.refresh_from_db()
    there = Hold.objects.filter(book=account.book_id, reference=wanted.reference).first()
    if there is not None:
        _same(there, wanted, account, target, caller)
        return there, False
    reasons = _reasons(account, target, locked.accounts[account.pk].merged_into, wanted, caller)
    reasons += _believed(account, locked.balances.get(balance_id(account.pk, 0), (0, 0))[0], wanted)
    if reasons:
        raise errors.Refused(units.belonging(reasons, account))
    row = Hold(
        book=account.book,
        account=account,
        target=target,
        reference=wanted.reference,
        amount=wanted.amount,
        description=wanted.description,
        expires_at=wanted.expires_at,
        placed_at=caller.at,
        placed_by=caller.user,
    )
    of_account = lots.hold(locked.accounts, [_whole(account)], caller=caller)[0][account.pk]
    today = hold_rows.day(account.book, caller.at)
    takings, short = allocate(of_account.lots, order=of_account.rule.order, on=today, amount=wanted.amount)
    if short:
        raise errors.Refused([_short(row, of_account.lots, short, today)])
    if below := _below(row, of_account, locked, today):
        raise errors.Refused(below)
    # From here on, the hold must be placed.
    by_id = {lot.id: lot for lot in of_account.lots}
    lots.reserve([(lot, by_id[lot].remaining, by_id[lot].held, amount) for lot, amount in takings])
    history.create(row, caller=caller)
    parts = [HoldLot(hold=row, lot_id=lot, amount=amount) for lot, amount in takings]
    bulk.create(parts, within=HoldLot.objects.filter(hold=row))
    record(subject=Subject(HOLD.subject, row.pk, str(row)), action="place", caller=caller, facts={"amount": row.amount})
    return row, True


def _whole(account: Account) -> Draft:
    """Return what asks for all lots of an account."""
    return Draft(account.book_id, date.min, "", "", ((account.pk, 0),))


def _same(there: Hold, wanted: Wanted, account: Account, target: Account, caller: Caller) -> None:
    """Refuse where the hold under a reference is another one, naming what differs: that of another till is none of this one's."""
    said: list[tuple[Word, Any, Any]] = [
        (_("account"), there.account.code, account.code),
        (_("goes to"), there.target.code, target.code),
        (_("amount"), Amount(there.amount), Amount(wanted.amount)),
        (_("good until"), there.expires_at, wanted.expires_at),
        (_("description"), there.description, wanted.description),
        (_("placed by"), there.placed_by.username, caller.user.username),
    ]
    if differs := differing(said):
        conflict = lot_errors.HoldConflict(reference=there.reference, differs=differs)
        raise errors.Refused(units.belonging([conflict], there))


def _reasons(account: Account, target: Account, into: int | None, wanted: Wanted, caller: Caller) -> list[errors.LedgerError]:
    """Return why nothing of the account can be held."""
    found: list[errors.LedgerError] = []
    if wanted.amount < 1 or wanted.expires_at <= caller.at:
        found.append(lot_errors.HoldInvalid(amount=wanted.amount, until=wanted.expires_at.isoformat()))
    if not account.keeps_lots:
        found.append(lot_errors.AccountWithoutLots(account=account.code))
    if target.book_id != account.book_id or target.pk == account.pk:
        found.append(errors.AccountInOtherBook(account=target.code, book=account.book.code, reference=wanted.reference))
    for each in (account, target):
        if each.state != Account.State.OPEN:
            state = ACCOUNT_STATES[each.state]
            found.append(errors.AccountNotOpen(account=each.code, state=state, reference=wanted.reference))
    if into is not None:
        found.append(errors.HolderMerged(account=account.code, into=into, reference=wanted.reference))
    if not found:
        asked = Asked(wanted.reference, wanted.amount, caller.at, wanted.expires_at, hold_rows.of_day(account, caller.at))
        goes_to = Target(target.pk, target.code, is_members=target.holder_id is not None, keeps_lots=target.keeps_lots)
        found += placing_reasons(asked, goes_to, hold_rows.terms(account.book), book=account.book.code)
    return found


def _believed(account: Account, amount: int, wanted: Wanted) -> list[errors.LedgerError]:
    """Return that the account has another balance than the caller believes, where one is believed in."""
    has = natural(account.category, amount)
    if wanted.expected_balance is None or wanted.expected_balance == has:
        return []
    return [requests.BalanceNotExpected(account=account.code, balance=has, expected=wanted.expected_balance)]


def _below(row: Hold, of_account: HeldLots, locked: locks.Ledger, today: date) -> list[errors.LedgerError]:
    """Return the day from today on that would close below the floor, were all settled today that is held of the account, with this hold.

    Where no line is dated later than today, the lots say it all.
    """
    key = balance_id(row.account_id, 0)
    if of_account.floor is None or locked.last_on.get(key, today) <= today:
        return []
    later = floors.Days(days.after({row.account_id: today}).get(row.account_id, {}))
    held = row.amount + sum(lot.held for lot in of_account.lots)
    after = locked.balances[key][0] - held * of_account.sign
    lowest, on = later.lowest(today, after=after, sign=of_account.sign)
    if lowest >= of_account.floor:
        return []
    facts = {"account": of_account.code, "balance": lowest, "floor": of_account.floor, "reference": row.reference}
    return [lot_errors.FloorBrokenOn(date=on.isoformat(), **facts)]


def _short(row: Hold, held: tuple[Any, ...], short: int, on: date) -> errors.LedgerError:
    due = sum(lot.remaining - lot.held for lot in held if lot.due_on is not None and lot.due_on < on)
    return lot_errors.LotsShort(
        account=row.account.code,
        available=row.amount - short,
        date=on.isoformat(),
        asked=row.amount,
        reference=row.reference,
        held=sum(lot.held for lot in held),
        due=due,
        later=sum(lot.remaining - lot.held for lot in held if lot.granted_on > on),
    )


def _post(row: Hold, facts: HoldFacts, amount: int, caller: Caller, lane: int) -> None:
    """Post what is settled out of the lots that are held, and let the rest go."""
    takings = hold_rows.takings(row, amount)
    sign = 1 if row.account.category in DEBIT_CATEGORIES else -1
    draft = Draft(
        book_id=row.book_id,
        effective_on=facts.settled_on,
        reference=f"hold:{row.pk}",
        description=row.description,
        lines=((row.account_id, -amount * sign), (row.target_id, amount * sign)),
        lots=Named(takings=tuple(takings), of_held=True),
    )
    origin = entries.Origin(Posting.Origin.HOLD, row.pk)
    # What a till settles is no correction by hand: a provisional period is shut to it.
    entries.post(drafts=[draft], origin=origin, caller=caller, lane=lane, by_hand=facts.may_resolve_any)
    rest = dict(HoldLot.objects.filter(hold=row).values_list("lot_id", "amount"))
    for lot_id, part in takings:
        rest[lot_id] -= part
    lots.let_go({lot_id: part for lot_id, part in rest.items() if part})
