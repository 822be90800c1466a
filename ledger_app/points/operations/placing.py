"""Holds are placed: one, or many in one request, all of them or each for itself, by the same rules and a handful of statements."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks, sql
from ledger_app.base.operations import bulk, history, outcomes, transactions
from ledger_app.base.operations.audit import Caller, Subject, record_all
from ledger_app.base.operations.outcomes import CREATED, EXISTS, REFUSED, Outcome
from ledger_app.base.queries import codes
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import requests, units
from ledger_app.errors.words import Amount, Word, differing, phrase
from ledger_app.models import Account, Hold, HoldLot
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.operations import lots
from ledger_app.posting.queries import days
from ledger_app.posting.rules import floors
from ledger_app.posting.rules.drafts import Draft
from ledger_app.posting.rules.forms import DESCRIPTION, REFERENCE
from ledger_app.posting.rules.holds import HOLD, HoldRequest, Target, placing_reasons
from ledger_app.posting.rules.lots import LockedLots, Taking, allocate
from ledger_app.posting.rules.objections import ACCOUNT_STATES
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import instants
from ledger_app.values.balances import balance_id
from ledger_app.values.openings import CODE_MOST, is_code
from ledger_app.values.sides import natural


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


class Placed(NamedTuple):
    """What became of a hold that was asked for: the hold, and whether it is new; or why there is none."""

    hold: Hold | None = None
    is_new: bool = False
    reasons: tuple[errors.LedgerError, ...] = ()


class Given(NamedTuple):
    """A hold as it is sent: book and accounts by their codes; ``terms`` are what ``Wanted`` says besides, by the same names."""

    book: str
    account: str
    target: str
    terms: Mapping[str, Any]


def place_each(*, wanted: Sequence[Wanted], caller: Caller) -> list[Placed]:
    """Hold points in the transaction that is open, each in the light of those before it; return what became of each.

    What all of them meet is locked and read before the first, and what they come to is written after the last: a handful of statements, however
    many they are. Nothing is locked for a caller who may hold nothing.
    """
    return _Placing(caller).each(wanted)


def place_many(*, given: Sequence[Given], caller: Caller, is_all: bool, is_dry: bool = False) -> list[Outcome]:
    """Hold points in the order in which they are asked for; return what became of each.

    A trial does all of it under the locks and undoes it. Where all is undone because some were refused, one audit row tells of it.

    :raises errors.Refused: submission_size
    :raises errors.TryAgain: when the database was busy or away
    """
    outcomes.ask_size(given)

    def work() -> list[Outcome]:
        accounts = _accounts(given)
        found = {place: _unknown(each, accounts) for place, each in enumerate(given)}
        asked = [place for place, outcome in found.items() if outcome is None]
        placed = place_each(wanted=[_wanted(given[place], accounts) for place in asked], caller=caller)
        told = found | {place: _outcome(each) for place, each in zip(asked, placed, strict=True)}
        return outcomes.settled([outcome for outcome in told.values() if outcome], is_all=is_all, is_dry=is_dry)

    done = outcomes.undone_or(lambda: transactions.run(work))
    if is_all and not is_dry:
        outcomes.record_refused(done, what=f"{len(given)} holds", caller=caller)
    return done


def unlike(account: Account, locked: locks.Ledger, expected: int | None) -> list[errors.LedgerError]:
    """Return that the account has another balance than the caller believes, where one is believed in."""
    has = natural(account.category, locked.balances.get(balance_id(account.pk, 0), (0, 0))[0])
    return [] if expected in {None, has} else [requests.BalanceNotExpected(account=account.code, balance=has, expected=expected)]


class _Placing:
    """Holds that are being placed: what was read of accounts under their locks, as those before have left it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._made: list[tuple[Hold, list[Taking]]] = []

    def each(self, wanted: Sequence[Wanted]) -> list[Placed]:
        """Decide one after the other, and write those that pass."""
        done = [Placed(reasons=tuple(_form_reasons(each, self._caller))) for each in wanted]
        asked = [place for place, each in enumerate(done) if not each.reasons]
        if asked:
            self._read([wanted[place] for place in asked])
        for place in asked:
            done[place] = self._decided(wanted[place])
        # From here on, each that passed must be placed.
        if self._made:
            self._write()
        return done

    def _read(self, wanted: Sequence[Wanted]) -> None:
        keys = frozenset(each.account_id for each in wanted)
        self._locked = locks.ledger(locks.Wanted(frozenset(), date.min, date.min, keys))
        self._accounts = hold_rows.accounts(keys | {each.target_id for each in wanted})
        own = [self._accounts[key] for key in self._locked.accounts]
        names = {
            (self._accounts[each.account_id].book_id, each.reference) for each in wanted if each.account_id in self._accounts
        }
        self._known = hold_rows.known(names)
        self._lots, _done = lots.hold(self._locked.accounts, [_whole(account) for account in own], caller=self._caller)
        self._before = {lot.id: lot for of_account in self._lots.values() for lot in of_account.lots}
        self._of_day = hold_rows.of_day(own, self._caller.at)
        self._terms = {book.pk: hold_rows.terms(book) for book in {account.book for account in own}}
        self._later = days.after(self._with_later_lines(own))

    def _with_later_lines(self, accounts: Sequence[Account]) -> dict[int, date]:
        """Return those that have a floor and lines dated later than today, each with its today. Of the others the lots say it all."""
        today = {account.pk: hold_rows.day(account.book, self._caller.at) for account in accounts if account.floor is not None}
        last_on = self._locked.last_on
        return {key: on for key, on in today.items() if last_on.get(balance_id(key, 0), on) > on}

    def _decided(self, wanted: Wanted) -> Placed:
        account, target = (self._accounts.get(key) for key in (wanted.account_id, wanted.target_id))
        if account is None or target is None:
            missing = wanted.account_id if account is None else wanted.target_id
            return Placed(reasons=(errors.NotFound(what=_("account"), name=missing),))
        there = self._known.get((account.book_id, wanted.reference))
        if there is not None:
            differs = _conflict(there, wanted, account, target, self._caller)
            return Placed(reasons=tuple(differs)) if differs else Placed(there)
        reasons = self._reasons(account, target, wanted)
        reasons += unlike(account, self._locked, wanted.expected_balance)
        if reasons:
            return Placed(reasons=tuple(units.belonging(reasons, account)))
        row = Hold(
            book=account.book,
            account=account,
            target=target,
            reference=wanted.reference,
            amount=wanted.amount,
            description=wanted.description,
            expires_at=wanted.expires_at,
            placed_at=self._caller.at,
            placed_by=self._caller.user,
        )
        of_account = self._lots[account.pk]
        today = hold_rows.day(account.book, self._caller.at)
        takings, short = allocate(of_account.lots, order=of_account.rule.order, on=today, amount=wanted.amount)
        if short:
            return Placed(reasons=(_short(row, of_account.lots, short, today),))
        if below := self._below(row, of_account, today):
            return Placed(reasons=(below,))
        self._keep(row, of_account, takings)
        return Placed(row, is_new=True)

    def _reasons(self, account: Account, target: Account, wanted: Wanted) -> list[errors.LedgerError]:
        """Return why nothing of the account can be held."""
        at, into = self._caller.at, self._locked.accounts[account.pk].merged_into
        found: list[errors.LedgerError] = []
        if wanted.amount < 1 or wanted.expires_at <= at:
            found.append(lot_errors.HoldInvalid(amount=wanted.amount, until=instants.stamp(wanted.expires_at)))
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
            asked = HoldRequest(wanted.reference, wanted.amount, at, wanted.expires_at, self._of_day.get(account.pk, 0))
            goes_to = Target(target.pk, target.code, is_members=target.holder_id is not None, keeps_lots=target.keeps_lots)
            found += placing_reasons(asked, goes_to, self._terms[account.book_id], book=account.book.code)
        return found

    def _below(self, row: Hold, of_account: LockedLots, today: date) -> errors.LedgerError | None:
        """Return the day from today on that would close below the floor, were all settled today that is held of the account, with this hold."""
        later = self._later.get(row.account_id)
        if later is None or of_account.floor is None:
            return None
        held = row.amount + sum(lot.held for lot in of_account.lots)
        after = self._locked.balances[balance_id(row.account_id, 0)][0] - held * of_account.sign
        lowest = floors.Days(later).lowest(today, after=after, sign=of_account.sign)
        return floors.day_refusal(lowest, of_account.floor, account=of_account.code, reference=row.reference)

    def _keep(self, row: Hold, of_account: LockedLots, takings: list[Taking]) -> None:
        """Have what follows find this hold."""
        more = dict(takings)
        left = tuple(lot._replace(held=lot.held + more[lot.id]) if lot.id in more else lot for lot in of_account.lots)
        self._lots[row.account_id] = of_account._replace(lots=left)
        self._of_day[row.account_id] = self._of_day.get(row.account_id, 0) + row.amount
        self._known[row.book_id, row.reference] = row
        self._made.append((row, takings))

    def _write(self) -> None:
        changed = [
            (self._before[lot.id], lot)
            for of_account in self._lots.values()
            for lot in of_account.lots
            if lot != self._before[lot.id]
        ]
        lots.reserve([(lot.id, lot.remaining, before.held, lot.held - before.held) for before, lot in changed])
        history.create_all([row for row, _takings in self._made], caller=self._caller)
        made = {row.pk: takings for row, takings in self._made}
        for keys in sql.parts(list(made)):
            parts = [HoldLot(hold_id=key, lot_id=lot_id, amount=amount) for key in keys for lot_id, amount in made[key]]
            bulk.create(parts, within=HoldLot.objects.filter(hold__in=keys))
        done = [(Subject(HOLD.subject, row.pk, str(row)), {"amount": row.amount}) for row, _takings in self._made]
        record_all(done, action="place", caller=self._caller)


def _form_reasons(wanted: Wanted, caller: Caller) -> list[errors.LedgerError]:
    """Return what is wrong with a hold that is asked for, whatever there is to be held."""
    found: list[errors.LedgerError] = []
    if "ledger_app.place_hold" not in rights_of(caller.user):
        found.append(errors.NotPermitted(user=caller.user.username, right=_("Hold points"), who=_("The till")))
    if REFERENCE.fullmatch(wanted.reference) is None:
        found.append(errors.ReferenceInvalid(reference=wanted.reference[:120]))
    if DESCRIPTION.fullmatch(wanted.description) is None:
        found.append(errors.DescriptionInvalid(reference=wanted.reference[:120]))
    return found


def _whole(account: Account) -> Draft:
    """Return what asks for all lots of an account."""
    return Draft(account.book_id, date.min, "", "", ((account.pk, 0),))


def _conflict(there: Hold, wanted: Wanted, account: Account, target: Account, caller: Caller) -> list[lot_errors.HoldConflict]:
    """Return the refusal that another hold stands under the reference, and what differs. A hold of another till is never the same hold."""
    said: list[tuple[Word, Any, Any]] = [
        (_("account"), there.account.code, account.code),
        (_("goes to"), there.target.code, target.code),
        (_("amount"), Amount(there.amount), Amount(wanted.amount)),
        (_("good until"), there.expires_at, wanted.expires_at),
        (_("description"), there.description, wanted.description),
        (_("placed by"), there.placed_by.username, caller.user.username),
    ]
    differs = differing(said)
    return units.belonging([lot_errors.HoldConflict(reference=there.reference, differs=differs)], there) if differs else []


def _short(row: Hold, lots: tuple[Any, ...], short: int, on: date) -> errors.LedgerError:
    due = sum(lot.remaining - lot.held for lot in lots if lot.due_on is not None and lot.due_on < on)
    return lot_errors.LotsShort(
        account=row.account.code,
        available=row.amount - short,
        date=on.isoformat(),
        asked=row.amount,
        reference=row.reference,
        held=sum(lot.held for lot in lots),
        due=due,
        later=sum(lot.remaining - lot.held for lot in lots if lot.granted_on > on),
    )


def _accounts(given: Sequence[Given]) -> dict[tuple[str, str], int]:
    """Return the accounts that are named and there, by the codes of their book and their own."""
    named = {(each.book, code) for each in given for code in (each.account, each.target)}
    sound = {(book, code) for book, code in named if is_code(book, CODE_MOST) and is_code(code, CODE_MOST)}
    books = codes.books({book for book, _code in sound})
    found = codes.accounts({(books[book], code) for book, code in sound if book in books})
    names = {key: book for book, key in books.items()}
    return {(names[book_id], code): key for (book_id, code), key in found.items()}


def _unknown(each: Given, accounts: Mapping[tuple[str, str], int]) -> Outcome | None:
    for code in (each.account, each.target):
        if (each.book, code) not in accounts:
            return Outcome(REFUSED, reasons=(errors.NotFound(what=phrase(_("account of {book}"), book=each.book), name=code),))
    return None


def _wanted(each: Given, accounts: Mapping[tuple[str, str], int]) -> Wanted:
    account, target = (accounts[each.book, code] for code in (each.account, each.target))
    return Wanted(account, target, **each.terms)


def _outcome(placed: Placed) -> Outcome:
    if placed.hold is None:
        return Outcome(REFUSED, reasons=placed.reasons)
    return Outcome(CREATED if placed.is_new else EXISTS, placed.hold.pk)
