"""Reads the ``[roles]`` and ``[[posting]]`` tables of a source definition against the columns of its layout."""

import re
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from ingestion_app.formats.definition import (
    BUSINESS_DATE,
    KEY_WORDS,
    LINE,
    OCCURRENCE,
    SEQUENCE,
    AccountRule,
    Column,
    Kind,
    PostingRule,
    Roles,
)
from ingestion_app.formats.toml_columns import name_description
from ingestion_app.formats.toml_layout import ReadLayout
from ledger_app.rules.identifiers import KINDS
from ledger_app.rules.toml_table import Table

REFERENCE_CHARACTERS, ACCOUNT_CHARACTERS, DESCRIPTION_CHARACTERS = 100, 64, 200  # what the ledger takes
BOOK_CHARACTERS = 20

_UNITS_AT_MOST = 1_000_000_000
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# Kinds that have one spelling each, whatever stands in the file: cp932 spells some characters in two ways.
_OF_KEYS = (Kind.IDENTIFIER, Kind.COUNT, Kind.AMOUNT, Kind.DATE)
_WORD_CHARACTERS, _NUMBER_CHARACTERS = 10, 17  # a date, or a number of a file, line or occurrence; an amount with its sign
_VALUE_CHARACTERS = 32  # more than any amount, count, date or instant takes

Columns = Mapping[str, Column | None]


def read_roles(table: Table, layout: ReadLayout) -> Roles | None:
    """Return the roles, or None where one does not pass."""
    data, header, trailer = layout.data.columns, layout.header.columns, layout.trailer.columns
    key = table.texts("key")
    _check_key(table, key or (), data)
    holder = _column(table, "holder", data, (Kind.IDENTIFIER,))
    holder_kind = table.text(
        "holder_kind", pattern="[a-z][a-z0-9_]{0,19}", expected=_("a kind of identifier, such as member_number")
    )
    amount = _column(table, "amount", data, (Kind.AMOUNT,))
    business_date = _column(table, "header_business_date", header, (Kind.DATE,)) if table.has("header_business_date") else None
    sequence = _column(table, "header_sequence", header, (Kind.COUNT,)) if table.has("header_sequence") else None
    count, total = _read_controls(table, trailer)
    order = _column(table, "order", data, (Kind.COUNT, Kind.DATE, Kind.INSTANT)) if table.has("order") else None
    for optional in ("header_business_date", "header_sequence", "order"):
        table.know(optional)
    table.close()
    _check_sign(table, data.get(amount or ""), trailer.get(total or ""))
    if not (key and holder and holder_kind and amount):
        return None
    return Roles(
        key=tuple(key),
        holder=holder,
        holder_kind=holder_kind,
        amount=amount,
        header_business_date=business_date,
        header_sequence=sequence,
        trailer_count=count,
        trailer_sum=total,
        order=order,
    )


def _check_key(table: Table, key: Sequence[str], data: Columns) -> None:
    """Report parts of a key that are none, or that name a record in no file but this."""
    for name in key:
        if name not in KEY_WORDS:
            _check(table, "key", name, data, _OF_KEYS)
    if LINE in key and not {BUSINESS_DATE, SEQUENCE} <= set(key):
        sentence = _("Add {day} and {sequence}: every file has such a line, and only the three together name a record.")
        table.add("key", sentence.format(day=BUSINESS_DATE, sequence=SEQUENCE))
    elif key and set(key) <= {OCCURRENCE, BUSINESS_DATE, SEQUENCE}:
        table.add("key", _("Add a column, or {line}: these alone name no record.").format(line=LINE))


def _read_controls(table: Table, trailer: Columns) -> tuple[str | None, str | None]:
    """Return the trailer's columns of count and sum. A source without either says so, so that nobody takes it for an oversight."""
    count = _column(table, "trailer_count", trailer, (Kind.COUNT,)) if table.has("trailer_count") else None
    total = _column(table, "trailer_sum", trailer, (Kind.AMOUNT,)) if table.has("trailer_sum") else None
    table.know("trailer_count", "trailer_sum")
    has_any = table.has("trailer_count") or table.has("trailer_sum")
    controls = table.choice("controls", ("none",), optional=True)
    if has_any and controls:
        table.add("controls", _("Take it out: the trailer has controls."))
    if not has_any and not table.has("controls"):
        table.add(
            "trailer_count",
            _('Name the trailer\'s count, its sum, or both; where the sender sends neither, write controls = "none".'),
        )
    return count, total


def check_key_width(table: Table, roles: Roles, data: Columns, *, source: str) -> None:
    """Report a key so wide that the reference of an entry, made of the source's code and the key, would not fit."""
    columns = [data.get(name) for name in roles.key]
    widths = [_WORD_CHARACTERS if column is None else _longest_in_key(column) for column in columns]
    left = REFERENCE_CHARACTERS - len(source) - 1
    if sum(widths) + len(widths) - 1 > left:
        table.add(
            "key", _("Narrow the key's columns: together, with a / between, they may have {most} characters.").format(most=left)
        )


def check_secret(table: Table, roles: Roles, postings: Sequence[PostingRule]) -> None:
    """Report a column of card numbers that would get into a reference, a description or an account's code, where all may read it."""
    if not (roles.holder_kind in KINDS and KINDS[roles.holder_kind].is_secret):
        return
    place = f"{{{roles.holder}}}"
    texts = [text for rule in postings for text in (rule.description, rule.debit.code, rule.credit.code) if text]
    if roles.holder in roles.key or any(place in text for text in texts):
        table.add("holder", _("Leave the card number out of key, descriptions and accounts: it is kept nowhere in the clear."))


def read_posting(table: Table, data: Columns) -> PostingRule | None:
    """Return the posting rule, or None where it does not pass."""
    expected = _("the code of a book")
    book = table.text("book", pattern=f"[A-Za-z0-9][A-Za-z0-9_-]{{0,{BOOK_CHARACTERS - 1}}}", expected=expected)
    amount = _column(table, "amount", data, (Kind.AMOUNT,))
    per = table.integer("per", least=1, most=_UNITS_AT_MOST)
    effective = _column(table, "effective", data, (Kind.DATE, Kind.INSTANT))
    debit, credit = _read_account(table, "debit", data), _read_account(table, "credit", data)
    literal = r"[^{}\x00-\x1f\x7f-\x9f]*"
    told = tuple(kind for kind in Kind if kind is not Kind.UNUSED)
    description = _template(
        table, "description", data, kinds=told, may_be_absent=True, literal=literal, most=DESCRIPTION_CHARACTERS
    )
    table.close()
    if debit is not None and debit == credit:
        table.add("credit", _("Name another account than the debit's: an entry between an account and itself has no effect."))
    if not (book and amount and per and effective and debit and credit and description):
        return None
    return PostingRule(
        book=book, amount=amount, per=per, effective=effective, debit=debit, credit=credit, description=description
    )


def refuse_same_books(tables: list[Table], postings: list[PostingRule | None]) -> None:
    """Report a second posting rule for a book: both entries of a record would have the same reference there."""
    books: set[str] = set()
    for table, posting in zip(tables, postings, strict=True):
        if posting is None:
            continue
        if posting.book in books:
            table.add(
                "book",
                _("Name another book: a record posts one entry into a book, and {book} has its rule.").format(book=posting.book),
            )
        books.add(posting.book)


def _check_sign(table: Table, amount: Column | None, total: Column | None) -> None:
    if amount is not None and total is not None and amount.minimum < 0 <= total.minimum:
        sentence = _("Give the column {name} a negative minimum: amounts may be negative, and so may their sum.")
        table.add("trailer_sum", sentence.format(name=total.name))


def _column(table: Table, key: str, columns: Columns, kinds: tuple[Kind, ...]) -> str | None:
    name = table.text(key, pattern="[a-z][a-z0-9_]{0,39}", expected=name_description())
    return name if name is not None and _check(table, key, name, columns, kinds) else None


def _check(table: Table, key: str, name: str, columns: Columns, kinds: tuple[Kind, ...], *, may_be_absent: bool = False) -> bool:
    """Tell whether ``name`` is a column of one of ``kinds`` that always has a value, or is one that could not be read."""
    if name not in columns:
        known = ", ".join(columns) or "–"
        table.add(
            key, _("Name a column of the record type instead of {name}. There are: {known}.").format(name=name, known=known)
        )
        return False
    column = columns[name]
    if column is not None and column.kind not in kinds:
        wanted = ", ".join(kinds)
        table.add(
            key, _("Name a column of kind {wanted}: {name} is of kind {kind}.").format(wanted=wanted, name=name, kind=column.kind)
        )
        return False
    if column is not None and column.may_be_absent and not may_be_absent:
        table.add(key, _("Name a column that always has a value, or give {name} a default.").format(name=name))
        return False
    return True


def _read_account(posting: Table, key: str, data: Columns) -> AccountRule | None:
    table = posting.table(key)
    if table is None:
        return None
    table.know("role", "code", "reason")
    if sum(map(table.has, ("role", "code", "reason"))) != 1:
        posting.add(key, _("Give it a role of the holder, the code of an account, or the column of a reason code."))
    role = code = reason = None
    if table.has("role"):
        role = table.text("role", pattern="[a-z][a-z0-9_]{0,31}", expected=_("the role of one of the holder's accounts"))
    if table.has("code"):
        code = _template(table, "code", data, kinds=(Kind.IDENTIFIER,), literal="[A-Za-z0-9._-]*", most=ACCOUNT_CHARACTERS)
    if table.has("reason"):
        reason = _column(table, "reason", data, (Kind.IDENTIFIER,))
    table.close()
    return AccountRule(role=role, code=code, reason=reason) if sum(map(bool, (role, code, reason))) == 1 else None


def _template(
    table: Table, key: str, data: Columns, *, kinds: tuple[Kind, ...], literal: str, most: int, may_be_absent: bool = False
) -> str | None:
    """Return a text in which ``{name}`` stands for the value of a data column of one of ``kinds``."""
    text = table.text(key, pattern="(?s).+", expected=_("a text of at least one character"))
    if text is None:
        return None
    parts = _PLACE.split(text)
    literals, names = parts[::2], parts[1::2]
    if not all(re.fullmatch(literal, part) for part in literals):
        sentence = _(
            "Write only characters that belong there, and braces only around the name of a data column, as in {example}."
        )
        table.add(key, sentence.format(example="{name}"))
        return None
    # Every name is checked before any refusal, so that all of them are reported.
    checked = [_check(table, key, name, data, kinds, may_be_absent=may_be_absent) for name in names]
    if not all(checked):
        return None
    columns = [data[name] for name in names]
    length = sum(map(len, literals)) + sum(_longest(column) for column in columns if column is not None)
    if length > most:
        sentence = _("Shorten it, or narrow its columns: it may become {length} characters long, and {most} fit.")
        table.add(key, sentence.format(length=length, most=most))
        return None
    return text


def _longest_in_key(column: Column) -> int:
    return {Kind.IDENTIFIER: column.width, Kind.DATE: _WORD_CHARACTERS}.get(column.kind, _NUMBER_CHARACTERS)


def _longest(column: Column) -> int:
    return column.width if column.kind in (Kind.TEXT, Kind.IDENTIFIER) else _VALUE_CHARACTERS
