"""Opens months of a book, reads accounts from a file, and says which accounts each member gets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.defined import check_same
from ledger_app.books.operations import books
from ledger_app.books.operations.books import OPEN, ROLE_MOST, ROLES_TAKEN, AccountOpening, check_right
from ledger_app.errors import opening
from ledger_app.members.rules import member_files
from ledger_app.members.rules.member_files import Finding
from ledger_app.models import Account, AccountTemplate, Book, Period
from ledger_app.posting.rules import floors
from ledger_app.values.balances import STRIPES_MOST
from ledger_app.values.most import AMOUNT_MOST
from ledger_app.values.openings import CODE_MOST, FLOOR_MOST
from ledger_app.values.openings import number as number_refusals

COLUMNS = ("code", "role", "category", "floor", "stripes")
NEEDED = ("code", "role", "category")
ACCOUNTS_MOST = 100_000
MONTHS_MOST = 240
NUMBER_MOST = len(str(FLOOR_MOST))


class Months(NamedTuple):
    """The names of the periods that were opened, and of those that were there."""

    opened: list[str]
    there: list[str]


def open_months(*, book: Book, first: date, months: int, caller: Caller) -> Months:
    """Open a period for each of so many whole months, from that of ``first`` on, in their order; those that are there stay as they are.

    :raises errors.Refused: number_out_of_range, no_month_left; else as ``books.open_period``, and the months before the refused one are opened
    """
    # The calendar ends with December 9999, after which no day is left to begin the next period on.
    left = 12 * (date.max.year - first.year) + date.max.month - first.month
    if not left:
        last = f"{date.max.year}-{date.max.month - 1}"
        raise errors.Refused([opening.NoMonthLeft(first=first.isoformat()[:7], last=last)])
    if wrong := number_refusals(_("The number of months"), months, 1, min(MONTHS_MOST, left)):
        raise errors.Refused(wrong)
    found = Months([], [])
    starts_on = first.replace(day=1)
    for _number in range(months):
        following = (starts_on.replace(day=28) + timedelta(days=4)).replace(day=1)
        name = starts_on.isoformat()[:7]
        was_there = Period.objects.filter(book=book, name=name).exists()
        books.open_period(book=book, name=name, starts_on=starts_on, ends_on=following - timedelta(days=1), caller=caller)
        (found.there if was_there else found.opened).append(name)
        starts_on = following
    return found


def read_accounts(lines: Iterable[bytes]) -> tuple[list[AccountOpening], list[Finding]]:
    """Read accounts from the lines of a CSV; return them and what is wrong with the file, each with its line and column."""
    openings: dict[str, tuple[int, AccountOpening]] = {}
    findings: list[Finding] = []
    columns: list[str] = []
    number = 0
    for number, raw in enumerate(lines, start=1):
        fields, wrong = _fields(number, raw)
        if fields and not columns:
            columns = fields
            wrong += member_files.heading_findings(number, columns, COLUMNS, NEEDED)
        elif fields:
            account, unfit = _account(number, columns, fields)
            wrong += unfit
            first, same = openings.setdefault(account.code, (number, account)) if account else (number, account)
            if account != same:
                wrong.append(Finding(number, "code", opening.GivenTwice(what=fields[columns.index("code")], first=first)))
        findings += wrong
        if number > ACCOUNTS_MOST or (wrong and not openings and columns == fields) or (wrong and not columns):
            break  # without columns nothing that follows means anything
    if not columns and not findings:
        findings.append(Finding(1, "", opening.FileEmpty()))
    if number > ACCOUNTS_MOST:
        findings.append(Finding(number, "", opening.LineUnreadable(why=_("a file has at most 100,000 accounts"))))
    return [account for _line, account in openings.values()], findings


def _fields(number: int, raw: bytes) -> tuple[list[str], list[Finding]]:
    """Return the fields of a line, none of a blank one, and why it cannot be read."""
    try:
        text = member_files.text_of(raw.removeprefix(member_files.MARK) if number == 1 else raw)
        return (member_files.fields_of(text) if text.strip() else []), []
    except ValueError as error:
        return [], [Finding(number, "", opening.LineUnreadable(why=error.args[0]))]


def set_template(*, book: Book, role: str, category: str, floor: int | None, caller: Caller) -> history.Kept[AccountTemplate]:
    """Say that each member who is registered is opened an account of ``role`` in a book; return the template, whether it is new, and whether something changed.

    The system may say it where nothing is said yet, as it opens books; to change it takes the right. Accounts that are open stay as they are.

    :raises errors.Refused: not_permitted, code_invalid, role_taken, template_invalid; definition_conflict, where the system finds another
    """
    check_right(caller, OPEN, _("Say which accounts members get"), _("Finance and engineers"))
    _check_template(role, category, floor)

    def work() -> history.Kept[AccountTemplate]:
        row = locks.setting(AccountTemplate.objects.filter(book=book, role=role))
        said = {"category": category, "floor": floor}
        is_new = row is None
        if row is None:
            row = history.create(AccountTemplate(book=book, role=role, **said), caller=caller)
        elif said == {"category": row.category, "floor": row.floor}:
            return history.Kept(row, False, False)
        else:
            if caller.user.username == caller.user.SYSTEM:
                check_same(_("account template"), str(row), row, said)
            row.category, row.floor = category, floor
            history.save(row, caller=caller)
        audit.record(subject=audit.Subject("accounttemplate", row.pk, str(row)), action="set", caller=caller, facts=said)
        return history.Kept(row, is_new, True)

    return transactions.join(work)


def _check_template(role: str, category: str, floor: int | None) -> None:
    books.check_code(role, ROLE_MOST)
    why = ""
    if role in ROLES_TAKEN:
        raise errors.Refused([errors.RoleTaken(role=role)])
    if category not in Account.Category.values:
        why = str(_("the category is none of asset, liability, equity, income, expense"))
    elif floor is not None and not -AMOUNT_MOST <= floor <= AMOUNT_MOST:
        why = str(_("the floor is beyond the ledger's range"))
    elif floors.is_above_nothing(floor):
        why = str(books.UNDER_FLOOR)
    if why:
        raise errors.Refused([opening.TemplateInvalid(role=role, why=why)])


def _account(line: int, columns: Sequence[str], fields: Sequence[str]) -> tuple[AccountOpening | None, list[Finding]]:
    if len(fields) != len(columns):
        return None, [Finding(line, "", opening.FieldsDiffer(found=len(fields), wanted=len(columns)))]
    said = dict(zip(columns, fields, strict=True))
    wrong: list[Finding] = []
    for column, most in (("code", CODE_MOST), ("role", ROLE_MOST)):
        try:
            books.check_code(said[column], most)
        except errors.Refused as refusal:
            wrong.append(Finding(line, column, refusal.reasons[0]))
    if said["role"] in ROLES_TAKEN:
        wrong.append(Finding(line, "role", errors.RoleTaken(role=said["role"])))
    if said["category"] not in Account.Category.values:
        known = ", ".join(Account.Category.values)
        wrong.append(Finding(line, "category", opening.CategoryUnknown(category=said["category"][:20], known=known)))
    numbers, unfit = _numbers(line, said)
    wrong += unfit
    stripes = 1 if numbers["stripes"] is None else numbers["stripes"]
    if wrong:
        return None, wrong
    return AccountOpening(said["code"], said["role"], said["category"], floor=numbers["floor"], stripes=stripes), []


def _numbers(line: int, said: Mapping[str, str]) -> tuple[dict[str, int | None], list[Finding]]:
    """Return floor and stripes, None where a line is silent, and what is wrong with them."""
    wrong: list[Finding] = []
    numbers: dict[str, int | None] = {}
    for column in ("floor", "stripes"):
        text = said.get(column, "")
        digits = text.removeprefix("-")
        is_number = digits.isascii() and digits.isdecimal()
        if text and not is_number:
            wrong.append(Finding(line, column, opening.ValueUnfit(name=column, why=_("it is a whole number, or empty"))))
        elif is_number and (len(digits) > NUMBER_MOST or int(digits) > FLOOR_MOST):
            is_number = False
            wrong.append(Finding(line, column, opening.ValueUnfit(name=column, why=_("it is beyond the ledger's range"))))
        numbers[column] = int(text) if text and is_number else None
    stripes = 1 if numbers["stripes"] is None else numbers["stripes"]
    if not 1 <= stripes <= STRIPES_MOST:
        wrong.append(Finding(line, "stripes", opening.ValueUnfit(name="stripes", why=_("it is 1 to 64"))))
    elif floors.is_above_nothing(numbers["floor"]):
        wrong.append(Finding(line, "floor", opening.ValueUnfit(name="floor", why=books.UNDER_FLOOR)))
    elif stripes > 1 and numbers["floor"] is not None:
        why = _("an account with stripes has no floor")
        wrong.append(Finding(line, "stripes", opening.ValueUnfit(name="stripes", why=why)))
    return numbers, wrong
