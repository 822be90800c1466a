"""Opens books, periods, members and accounts. Each is safe to run again: what is there with the same properties is left as it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks, sql
from ledger_app.base.operations import bulk, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.defined import check_same
from ledger_app.books.queries import identifiers
from ledger_app.books.rules.periods import gap_between, touches
from ledger_app.errors import closing
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import opening as opening_errors
from ledger_app.errors.words import Words, phrase
from ledger_app.models import Account, Balance, Book, Holder, Identifier, LotRule, Period, User
from ledger_app.posting.rules import floors
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import openings as rules
from ledger_app.values.balances import STRIPES_MOST, balance_id
from ledger_app.values.identifiers import KINDS, card_digits, shown

UNIT_MOST, EXPONENT_MOST = rules.UNIT_MOST, rules.EXPONENT_MOST
OPEN = "ledger_app.open_book"
# Codes of books and names of periods stand in headings and in the canonical form of a seal.
SHORT_CODE_MOST = 20
UNDER_FLOOR = _("a new account has nothing, which is under a floor above zero")
ROWS_A_CALL = 2000
ROLE_MOST = 32
TOLD_MOST = 20
# Control totals have these names, and otherwise the names of roles.
ROLES_TAKEN = frozenset({"entries", "debits"})


@dataclass(frozen=True, slots=True)
class AccountOpening:
    """An account to be opened. ``floor`` is in the account's natural direction; ``stripes`` above 1 for those that many write at once."""

    code: str
    role: str
    category: str
    floor: int | None = None
    stripes: int = 1


@dataclass(frozen=True, slots=True)
class MemberOpening:
    """A member to be registered under a member number, with accounts by book code. Of card numbers only hashes are kept."""

    member_number: str
    accounts: tuple[tuple[str, AccountOpening], ...]
    name: str = ""
    card_tokens: tuple[str, ...] = field(default=())
    card_numbers: tuple[str, ...] = field(default=())

    def identifiers(self) -> list[tuple[str, str]]:
        """Return each identifier as (kind, value)."""
        named = ((Identifier.MEMBER_NUMBER, (self.member_number,)), (Identifier.CARD_TOKEN, self.card_tokens))
        return [(kind, value) for kind, values in (*named, (Identifier.CARD_NUMBER, self.card_numbers)) for value in values]


def open_book(*, code: str, name: str, unit: str, exponent: int, time_zone: str, caller: Caller) -> Book:
    """Open a book, or find it there with the same properties; return it. ``keep_book`` also tells whether it is new.

    :raises errors.Refused: as ``keep_book``
    """
    return keep_book(code=code, name=name, unit=unit, exponent=exponent, time_zone=time_zone, caller=caller).row


def keep_book(*, code: str, name: str, unit: str, exponent: int, time_zone: str, caller: Caller) -> history.Kept[Book]:
    """Open a book, or find it there with the same properties; return it, and whether it is new: a door tells which of the two.

    :raises errors.Refused: not_permitted, code_invalid, label_invalid, not_one_of, number_out_of_range, not_found (the time zone), definition_conflict
    """
    check_right(caller, OPEN, _("Open books"), _("Finance and engineers"))
    check_code(code, SHORT_CODE_MOST)
    exponents = rules.number("exponent", exponent, 0, rules.EXPONENT_MOST)
    _refuse([*rules.name("name of a book", name), *rules.unit(unit), *exponents])
    if time_zone not in available_timezones():
        raise errors.Refused([errors.NotFound(what=_("time zone"), name=time_zone)])
    wanted = {"name": name, "unit": unit, "exponent": exponent, "time_zone": time_zone}

    def work() -> history.Kept[Book]:
        book = Book.objects.filter(code=code).first()
        if book is None:
            return history.Kept(history.create(Book(code=code, **wanted), caller=caller), is_new=True, is_changed=True)
        check_same(_("Book"), code, book, wanted)
        return history.Kept(book, is_new=False, is_changed=False)

    return transactions.run(work)


def open_period(*, book: Book, name: str, starts_on: date, ends_on: date, caller: Caller) -> Period:
    """Open a period, or return it where it is there with the same span.

    Periods of a book follow each other day by day. None is opened away from a frozen one before it; between those that are open days may be left
    out for a while, and nothing freezes past them.

    :raises errors.Refused: code_invalid, period_span_invalid, period_overlaps, period_before_seal, period_gap, definition_conflict
    """
    check_right(caller, OPEN, _("Open periods"), _("Finance and engineers"))
    check_code(name, SHORT_CODE_MOST)
    if ends_on < starts_on:
        raise errors.Refused([errors.PeriodSpanInvalid(starts=starts_on, ends=ends_on)])

    def work() -> Period:
        earlier, following = _neighbours(book, starts_on, ends_on)
        is_apart = not touches(
            starts_on, ends_on, before=earlier.ends_on if earlier else None, after=following.starts_on if following else None
        )
        # Two openings at once would each see no overlap.
        later = locks.opening(book.pk, ends_on, is_apart=is_apart)
        period = Period.objects.filter(book=book, name=name).first()
        if period is not None:
            check_same(_("Period"), name, period, {"starts_on": starts_on, "ends_on": ends_on})
            return period
        other = Period.objects.filter(sql.meeting(starts_on, ends_on), book=book).first()
        if other is not None:
            raise errors.Refused([errors.PeriodOverlaps(starts=starts_on, ends=ends_on, period=other.name, book=book.code)])
        # Periods freeze in their order: where the next is not frozen, none after it is.
        if later is not None and later.state == Period.State.FROZEN:
            raise errors.Refused([errors.PeriodBeforeSeal(period=later.name, book=book.code)])
        earlier, _following = _neighbours(book, starts_on, ends_on)
        gap = gap_between(earlier.ends_on, starts_on) if earlier else None
        if gap is not None and is_apart and earlier is not None and earlier.state == Period.State.FROZEN:
            raise errors.Refused([closing.PeriodGap(gap_from=gap[0], gap_to=gap[1], book=book.code, period=name)])
        return history.create(Period(book=book, name=name, starts_on=starts_on, ends_on=ends_on), caller=caller)

    # Of two that open the same days at once the trigger refuses the second, who then finds what the first has opened, or a reason.
    return transactions.run(work, meets_on="kakutei: ledger_app_period refuses this INSERT")


def _neighbours(book: Book, starts_on: date, ends_on: date) -> tuple[Period | None, Period | None]:
    """Return the period before a span and the one after it."""
    before = Period.objects.filter(book=book, ends_on__lt=starts_on).order_by("-ends_on").first()
    return before, Period.objects.filter(book=book, starts_on__gt=ends_on).order_by("starts_on").first()


def open_accounts(*, book: Book, openings: Iterable[AccountOpening], caller: Caller) -> int:
    """Open accounts that belong to no member; return how many are new.

    :raises errors.Refused: code_invalid, definition_conflict, template_invalid (a floor above zero)
    """
    check_right(caller, OPEN, _("Open accounts"), _("Finance and engineers"))
    wanted: dict[str, AccountOpening] = {}
    for opening in openings:
        _check_account(opening)
        # The last of two would win over the other without a word.
        if (first := wanted.setdefault(opening.code, opening)) != opening:
            check_same(_("Account"), opening.code, first, asdict(opening))

    def work() -> int:
        there = {account.code: account for account in _by_code(book, sorted(wanted))}
        for code, account in there.items():
            check_same(_("Account"), code, account, {"holder_id": None, **asdict(wanted[code])})
        missing = [(book.pk, None, opening) for code, opening in wanted.items() if code not in there]
        _check_floors([opening for *_of, opening in missing])
        create_accounts(missing, caller)
        return len(missing)

    return transactions.run(work)


def open_members(*, openings: Sequence[MemberOpening], caller: Caller) -> int:
    """Register members with their identifiers and accounts; return how many are new. Members that are there as they are given are left as they are.

    :raises errors.Refused: code_invalid, card_number_in_clear, card_number_invalid, card_key_missing, not_found (a book), definition_conflict (an
        identifier is given to two, an account's code is taken, or a member is there with another name, identifier or account), identifier_had, identifier_has_end
    """
    for opening in openings:
        if refusals := [each for kind, value in opening.identifiers() for each in identifiers.check(kind, value)]:
            raise errors.Refused(refusals)
        if opening.name:
            _refuse(rules.name("name of a member", opening.name, rules.NAME_MOST))
        for _code, account in opening.accounts:
            _check_account(account)
    _check_given_once(openings)
    books = {book.code: book.pk for book in Book.objects.all()}
    for code in {code for opening in openings for code, _account in opening.accounts} - books.keys():
        raise errors.Refused([errors.NotFound(what=_("book"), name=code)])
    parts = [openings[start : start + ROWS_A_CALL] for start in range(0, len(openings), ROWS_A_CALL)]
    return sum(transactions.run(partial(_open_members, part, books, caller)) for part in parts)


def _check_given_once(openings: Sequence[MemberOpening]) -> None:
    """Refuse openings of which two claim one identifier: the database would, and it would look like a race that passes by itself."""
    counted = Counter((kind, card_digits(value) or value) for opening in openings for kind, value in opening.identifiers())
    twice = sorted(name for name, count in counted.items() if count > 1)
    if twice:
        raise errors.Refused([_given(kind, value) for kind, value in twice])


def _given(kind: str, value: str) -> errors.LedgerError:
    return errors.DefinitionConflict(
        what=KINDS[kind].label, name=shown(kind, value, card_digits(value)[-4:]), differs=_("member")
    )


def _open_members(openings: Sequence[MemberOpening], books: dict[str, int], caller: Caller) -> int:
    there = identifiers.find(Identifier.MEMBER_NUMBER, [opening.member_number for opening in openings])
    known = [(there[opening.member_number].holder_id, opening) for opening in openings if opening.member_number in there]
    _check_same(known, caller.at.date())
    new = [opening for opening in openings if opening.member_number not in there]
    taken = [
        _given(kind, value)
        for kind in (Identifier.CARD_TOKEN, Identifier.CARD_NUMBER)
        for value in sorted(
            identifiers.find(kind, [value for opening in new for of, value in opening.identifiers() if of == kind])
        )
    ]
    if taken:
        raise errors.Refused(taken)
    _check_floors([account for opening in new for _code, account in opening.accounts])
    holders = [Holder(name=opening.name, opened_at=caller.at) for opening in new]
    history.create_all(holders, caller=caller)
    rows = [
        Identifier(holder=holder, kind=kind, value=kept.value, key_name=kept.key_name, last_four=kept.last_four)
        for holder, opening in zip(holders, new, strict=True)
        for kind, value in opening.identifiers()
        for kept in (identifiers.kept(kind, value),)
    ]
    bulk.create(rows, within=Identifier.objects.filter(holder__in=holders))
    create_accounts(
        [
            (books[code], holder, account)
            for holder, opening in zip(holders, new, strict=True)
            for code, account in opening.accounts
        ],
        caller,
    )
    return len(new)


def check_right(caller: Caller, right: str, label: Any, who: Any) -> None:
    """Refuse who has not the right. The system has it: it opens what the installation begins with."""
    if caller.user.username != User.SYSTEM and right not in rights_of(caller.user):
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, right=label, who=who)])


def _check_same(openings: Sequence[tuple[int, MemberOpening]], on: date) -> None:
    """Refuse members who are there, by holder, and to whom something is to be given that they do not have, or had: it would not be given, and not told."""
    if not openings:
        return
    living = {
        row.pk: row for part in sql.parts([key for key, _opening in openings]) for row in Holder.objects.filter(pk__in=part)
    }
    accounts = {
        (row.holder_id, row.book.code, row.code): row
        for part in sql.parts(list(living))
        for row in Account.objects.filter(holder_id__in=part).select_related("book")
    }
    there = {
        (kind, value): known
        for kind in KINDS
        for value, known in identifiers.find(
            kind, list({value for _key, opening in openings for of, value in opening.identifiers() if of == kind})
        ).items()
    }
    found: list[errors.LedgerError] = []
    for key, opening in openings:
        if living[key].merged_into_id is not None:
            continue  # what it had is another's now
        lacks: list[Any] = []
        for kind, value in opening.identifiers():
            known = there.get((kind, value))
            if known is None or known.holder_id != key:
                lacks.append(KINDS[kind].label)
            elif known.active_to is not None:
                found.append(identifiers.had(kind, value, known, on))
        lacks += [
            phrase(_("account {code}"), code=each.code)
            for book, each in opening.accounts
            if (row := accounts.get((key, book, each.code))) is None
            or (row.role, row.category, row.floor, row.stripes) != (each.role, each.category, each.floor, each.stripes)
        ]
        lacks += [_("name")] if opening.name not in {"", living[key].name} else []
        if lacks:
            told = {"what": KINDS[Identifier.MEMBER_NUMBER].label, "name": opening.member_number}
            found.append(errors.DefinitionConflict(**told, differs=Words(dict.fromkeys(lacks))))
    if found:
        raise errors.Refused(found[:TOLD_MOST])


def create_accounts(wanted: Sequence[tuple[int, Holder | None, AccountOpening]], caller: Caller) -> list[Account]:
    """Create accounts of (book id, member, opening) in the transaction that is open, with a balance row for each stripe; return them.

    A row that does not exist cannot be locked.

    :raises errors.Refused: definition_conflict (a code that is there already, or a role that a member would have twice), lot_account_unfit
    """
    _check_free(wanted)
    ruled = set(LotRule.objects.filter(book_id__in={book_id for book_id, *_ in wanted}).values_list("book_id", "role"))
    unfit = [
        opening.code
        for book_id, _holder, opening in wanted
        if (book_id, opening.role) in ruled and (opening.stripes > 1 or floors.is_above_nothing(opening.floor))
    ]
    if unfit:
        raise errors.Refused([lot_errors.LotAccountUnfit(account=code) for code in unfit])
    accounts = [
        Account(
            book_id=book_id,
            code=opening.code,
            role=opening.role,
            category=opening.category,
            holder=holder,
            floor=opening.floor,
            stripes=opening.stripes,
            keeps_lots=(book_id, opening.role) in ruled,
            opened_at=caller.at,
        )
        for book_id, holder, opening in wanted
    ]
    history.create_all(accounts, caller=caller)
    balances = [
        Balance(id=balance_id(account.pk, stripe), account=account, stripe=stripe)
        for account in accounts
        for stripe in range(account.stripes)
    ]
    bulk.create(balances, within=Balance.objects.filter(account__in=accounts))
    return accounts


def _check_floors(openings: Sequence[AccountOpening]) -> None:
    """Refuse floors above zero: from its first line on a new account would lie under such a floor, and no later line mends what that says."""
    if under := sorted({opening.role for opening in openings if floors.is_above_nothing(opening.floor)}):
        raise errors.Refused([opening_errors.TemplateInvalid(role=role, why=UNDER_FLOOR) for role in under])


def _check_free(wanted: Sequence[tuple[int, Holder | None, AccountOpening]]) -> None:
    """Refuse codes that are taken, or wanted twice, and a role that a member would have twice in a book, each by its name."""
    codes = Counter((book_id, opening.code) for book_id, _holder, opening in wanted)
    roles = Counter((holder.pk, book_id, opening.role) for book_id, holder, opening in wanted if holder is not None)
    taken = {name for name, count in codes.items() if count > 1}
    for book_id in sorted({book_id for book_id, _code in codes}):
        for part in sql.parts(sorted(code for of, code in codes if of == book_id)):
            rows = Account.objects.filter(book=book_id, code__in=part).values_list("book_id", "code")
            taken.update(rows)
    twice = sorted({role for (_holder_id, _book_id, role), count in roles.items() if count > 1})
    found: list[errors.LedgerError] = [
        errors.DefinitionConflict(what=_("Account"), name=code, differs=_("member"))
        for _book_id, code in sorted(taken)[:TOLD_MOST]
    ]
    found += [errors.DefinitionConflict(what=_("Role"), name=role, differs=_("account of the member")) for role in twice]
    if found:
        raise errors.Refused(found)


def _by_code(book: Book, codes: Sequence[str]) -> list[Account]:
    return [account for part in sql.parts(codes) for account in Account.objects.filter(book=book, code__in=part)]


def check_code(code: str, most: int = rules.CODE_MOST) -> None:
    """Refuse a code that is not written in the ledger's alphabet."""
    if not rules.is_code(code, most):
        raise errors.Refused([errors.CodeInvalid(name=code[: rules.CODE_MOST], most=most)])


def _check_account(opening: AccountOpening) -> None:
    check_code(opening.code)
    _check_role(opening.role)
    floor_most = 0 if opening.floor is None else rules.FLOOR_MOST
    _refuse(
        [
            *rules.one_of("category", opening.category, Account.Category.values),
            *rules.number("number of stripes", opening.stripes, 1, STRIPES_MOST if opening.floor is None else 1),
            *rules.number("floor", opening.floor or 0, -floor_most, floor_most),
        ]
    )


def _refuse(found: Sequence[errors.LedgerError]) -> None:
    if found:
        raise errors.Refused(found)


def _check_role(role: str) -> None:
    check_code(role, ROLE_MOST)
    if role in ROLES_TAKEN:
        raise errors.Refused([errors.RoleTaken(role=role)])
