"""Reads the ``[roles]`` and ``[[posting]]`` tables of a source definition against the columns of its layout."""

import re
from collections.abc import Sequence

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
from ingestion_app.formats.toml_controls import check_signs, read_controls
from ingestion_app.formats.toml_layout import ReadLayout
from ingestion_app.formats.toml_names import Columns, check_column, named_column
from ledger_app.base.rules.toml_table import Table
from ledger_app.values.identifiers import KINDS

REFERENCE_CHARACTERS, ACCOUNT_CHARACTERS, DESCRIPTION_CHARACTERS = 100, 64, 200  # what the ledger takes
BOOK_CHARACTERS = 20

_UNITS_AT_MOST = 1_000_000_000
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# Kinds that have one spelling each, whatever stands in the file: cp932 spells some characters in two ways.
_OF_KEYS = (Kind.IDENTIFIER, Kind.COUNT, Kind.AMOUNT, Kind.DATE)
_WORD_CHARACTERS, _NUMBER_CHARACTERS = 10, 17  # a date, or a number of a file, line or occurrence; an amount with its sign
_VALUE_CHARACTERS = 32  # more than any amount, count, date or instant takes


def read_roles(table: Table, layout: ReadLayout) -> Roles | None:
    """Return the roles, or None where one does not pass."""
    data, header = layout.data.columns, layout.header.columns
    key = table.texts("key")
    _check_key(table, key or (), data)
    holder = named_column(table, "holder", data, (Kind.IDENTIFIER,))
    holder_kind = table.text(
        "holder_kind", pattern="[a-z][a-z0-9_]{0,19}", expected=_("a kind of identifier, such as member_number")
    )
    amount = named_column(table, "amount", data, (Kind.AMOUNT,))
    business_date = (
        named_column(table, "header_business_date", header, (Kind.DATE,)) if table.has("header_business_date") else None
    )
    sequence = named_column(table, "header_sequence", header, (Kind.COUNT,)) if table.has("header_sequence") else None
    controls = read_controls(table, layout)
    order = named_column(table, "order", data, (Kind.COUNT, Kind.DATE, Kind.INSTANT)) if table.has("order") else None
    for optional in ("header_business_date", "header_sequence", "order"):
        table.know(optional)
    table.close()
    check_signs(table, controls, data.get(amount or ""), layout)
    if not (key and holder and holder_kind and amount):
        return None
    return Roles(
        key=tuple(key),
        holder=holder,
        holder_kind=holder_kind,
        amount=amount,
        header_business_date=business_date,
        header_sequence=sequence,
        order=order,
        **controls._asdict(),
    )


def _check_key(table: Table, key: Sequence[str], data: Columns) -> None:
    """Report parts of a key that are none, or that name a record in no file but this."""
    for name in key:
        if name not in KEY_WORDS:
            check_column(table, "key", name, data, _OF_KEYS)
    if LINE in key and not {BUSINESS_DATE, SEQUENCE} <= set(key):
        sentence = _("Add {day} and {sequence}: every file has such a line, and only the three together name a record.")
        table.add("key", sentence.format(day=BUSINESS_DATE, sequence=SEQUENCE))
    elif key and set(key) <= {OCCURRENCE, BUSINESS_DATE, SEQUENCE}:
        table.add("key", _("Add a column, or {line}: these alone name no record.").format(line=LINE))


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
    amount = named_column(table, "amount", data, (Kind.AMOUNT,))
    per = table.integer("per", least=1, most=_UNITS_AT_MOST)
    effective = named_column(table, "effective", data, (Kind.DATE, Kind.INSTANT))
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
        reason = named_column(table, "reason", data, (Kind.IDENTIFIER,))
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
    checked = [check_column(table, key, name, data, kinds, may_be_absent=may_be_absent) for name in names]
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
    return column.width if column.kind.is_text else _VALUE_CHARACTERS
