"""Entries that programs send: many in one request, all of them or each for itself, with an outcome for each."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import outcomes, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.outcomes import CREATED, EXISTS, REFUSED, Outcome
from ledger_app.base.queries import codes
from ledger_app.errors import requests, units
from ledger_app.models import Entry, Posting, Submission
from ledger_app.posting.operations import entries, lots
from ledger_app.posting.queries import bases
from ledger_app.posting.rules import judging
from ledger_app.posting.rules.drafts import Basis, Draft
from ledger_app.rights.queries.rights import of_program
from ledger_app.values.balances import STRIPES_MOST, balance_id
from ledger_app.values.references import reserved
from ledger_app.values.sides import natural

RIGHT = "ledger_app.post_entry"


class Given(NamedTuple):
    """An entry as it is sent: book and accounts by their codes, amounts signed, debit positive."""

    book: str
    effective_on: date
    reference: str
    description: str
    lines: tuple[tuple[str, int], ...]


class Expected(NamedTuple):
    """What the caller believes that an account has before the request, in its natural direction."""

    book: str
    account: str
    balance: int


class _Request(NamedTuple):
    """A request: the ``drafts`` to decide under the locks, by index; the refusals found before; the references that stand in it twice."""

    drafts: dict[int, Draft]
    refused: dict[int, tuple[errors.LedgerError, ...]]
    repeated: dict[int, int]  # place → the first place of the same


def submit(
    *, given: Sequence[Given], caller: Caller, is_all: bool, is_dry: bool = False, expected: Sequence[Expected] = ()
) -> list[Outcome]:
    """Post entries in their order; return what became of each.

    Those that stand under their reference already, the same in every field, exist. A trial does all of it under the locks and undoes it, so that
    it answers what would have been done. What is refused leaves one audit row for the request.

    :raises errors.Refused: not_permitted, submission_size, balance_not_expected; not_found, of what is expected
    :raises errors.TryAgain: when the database was busy or away
    """
    if RIGHT not in of_program(caller.user):
        facts = {"right": _("Post entries"), "who": _("Programs of the group “machine”")}
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, **facts)])
    outcomes.ask_size(given)
    # One client's requests take the same stripe of striped accounts, others most often another one.
    lane = zlib.crc32(given[0].reference.encode()) % STRIPES_MOST

    def work() -> list[Outcome]:
        request = _read(given)
        beliefs = _believed(expected)
        drafts = list(request.drafts.values())
        if not drafts and not beliefs:
            return _told(request, {}, len(given))
        locked = locks.ledger(_wanted(drafts, beliefs), lane=lane)
        _ask_beliefs(beliefs, locked)
        found = _post(request, locked, given_count=len(given), caller=caller, lane=lane)
        return outcomes.settled(_told(request, found, len(given)), is_all=is_all, is_dry=is_dry)

    done = outcomes.undone_or(lambda: transactions.run(work))
    if not is_dry:
        outcomes.record_refused(done, what=f"{len(given)} entries", caller=caller)
    return done


def _read(given: Sequence[Given]) -> _Request:
    """Find what the codes name. One reference is one entry of a request: the same twice is done once, and another under it is refused."""
    names = {(each.book, code) for each in given for code, _amount in each.lines}
    books = codes.books({each.book for each in given})
    accounts = codes.accounts({(books[book], code) for book, code in names if book in books})
    request = _Request({}, {}, {})
    firsts: dict[tuple[str, str], int] = {}
    for place, each in enumerate(given):
        first = firsts.setdefault((each.book, each.reference), place)
        if first != place and given[first] == each:
            request.repeated[place] = first
            continue
        refusals = _refusals(each, books, accounts) or (
            [] if first == place else [requests.ReferenceTwice(reference=each.reference, first=first)]
        )
        if refusals:
            request.refused[place] = tuple(refusals)
            continue
        book_id = books[each.book]
        lines = tuple((accounts[book_id, code], amount) for code, amount in each.lines)
        request.drafts[place] = Draft(book_id, each.effective_on, each.reference, each.description, lines)
    return request


def _refusals(each: Given, books: Mapping[str, int], accounts: Mapping[tuple[int, str], int]) -> list[errors.LedgerError]:
    if each.book not in books:
        return [errors.BookUnknown(book=each.book)]
    found: list[errors.LedgerError] = []
    if prefix := reserved(each.reference):
        found.append(requests.ReferenceReserved(reference=each.reference, prefix=prefix))
    unknown = sorted({code for code, _amount in each.lines if (books[each.book], code) not in accounts})
    return found + [errors.AccountUnknown(account=code, reference=each.reference) for code in unknown]


def _believed(expected: Sequence[Expected]) -> dict[int, Expected]:
    """Return what is expected by account id. A striped account has no one balance that could be basis.

    :raises errors.Refused: not_found
    """
    books = codes.books({each.book for each in expected})
    accounts = codes.accounts({(books[each.book], each.account) for each in expected if each.book in books})
    found: dict[int, Expected] = {}
    for each in expected:
        key = accounts.get((books.get(each.book, 0), each.account))
        if key is None:
            raise errors.Refused([errors.NotFound(what=_("account"), name=each.account)])
        found[key] = each
    return found


def _wanted(drafts: Sequence[Draft], beliefs: Mapping[int, Expected]) -> locks.Wanted:
    wanted = bases.wanted(drafts) if drafts else locks.Wanted(frozenset(), date.min, date.min, frozenset())
    return wanted._replace(account_ids=wanted.account_ids | beliefs.keys())


def _ask_beliefs(beliefs: Mapping[int, Expected], locked: locks.Ledger) -> None:
    reasons: list[errors.LedgerError] = []
    for key, each in beliefs.items():
        account = locked.accounts[key]
        if account.stripes > 1:
            reasons.append(requests.BalanceOfStripes(account=each.account))
            continue
        has = natural(account.category, locked.balances[balance_id(key, 0)][0])
        if has != each.balance:
            unlike = requests.BalanceNotExpected(account=each.account, balance=has, expected=each.balance)
            reasons += units.belonging([unlike], account.book_id)
    if reasons:
        raise errors.Refused(reasons)


def _post(request: _Request, locked: locks.Ledger, *, given_count: int, caller: Caller, lane: int) -> dict[int, Outcome]:
    """Judge each draft in the light of those before it, post those that pass, and return the outcome of each by index."""
    drafts = list(request.drafts.values())
    if not drafts:
        return {}
    basis = bases.completed(locked, drafts, of_lots=lots.hold(locked.accounts, drafts, caller=caller))
    verdicts = judging.in_order([[draft] for draft in drafts], basis=basis, lane=lane)
    passing = [draft for draft, verdict in zip(drafts, verdicts, strict=True) if verdict.passes]
    ids: dict[tuple[int, str], int] = {}
    if passing:
        row = Submission.objects.create(
            sent_by=caller.user, sent_at=caller.at, request=caller.request, host=caller.host, given_count=given_count
        )
        origin = entries.Origin(Posting.Origin.SUBMISSION, row.pk)
        posted = entries.post(drafts=passing, origin=origin, caller=caller, lane=lane, locked=locked, by_hand=False)
        rows = Entry.objects.filter(posting__in=[posted.posting_id]).values_list("book_id", "reference", "id")
        ids = {(book_id, reference): key for book_id, reference, key in rows}
    return {
        place: _outcome(draft, verdict, ids, basis)
        for (place, draft), verdict in zip(request.drafts.items(), verdicts, strict=True)
    }


def _outcome(draft: Draft, verdict: judging.Verdict, ids: Mapping[tuple[int, str], int], basis: Basis) -> Outcome:
    name = (draft.book_id, draft.reference)
    if verdict.refusals:
        return Outcome(REFUSED, reasons=tuple(refusal for _draft, refusal in verdict.refusals))
    return Outcome(EXISTS, basis.known[name].id) if verdict.standing else Outcome(CREATED, ids[name])


def _told(request: _Request, found: Mapping[int, Outcome], count: int) -> list[Outcome]:
    """Return the outcomes in the order of the request."""
    told = {**found, **{place: Outcome(REFUSED, reasons=reasons) for place, reasons in request.refused.items()}}
    for place, first in request.repeated.items():
        of_first = told[first]
        told[place] = Outcome(EXISTS, of_first.id) if of_first.outcome == CREATED else of_first
    return [told[place] for place in range(count)]
