"""Reads a profile from TOML, strictly: what is unknown, missing or contradictory is refused, and what the accounting program would cut or refuse is too."""

import string
from datetime import date
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from ledger_app.accounting.rules.profiles import DAILY, ENTRIES, FIELDS, MATCHERS, AccountRule, Definition, Side
from ledger_app.accounting.rules.targets import ENCODINGS, PARTS, TARGETS, Target, text_unfit
from ledger_app.base.rules import toml_text
from ledger_app.base.rules.toml_table import Table
from ledger_app.values.openings import CODE
from ledger_app.values.sides import CATEGORIES

BOOK_MOST: Final = 20
NAME_MOST: Final = 32
TEXT_BYTES_MOST: Final = 200_000
# Codes of accounts are written in these, and a pattern in stars and question marks besides.
_CODE: Final = f"(?=.{{1,64}}$){CODE.pattern}"
_PATTERN: Final = r"[A-Za-z0-9._*?-]{1,64}"
_ROLE: Final = f"(?=.{{1,32}}$){CODE.pattern}"


class _Head(NamedTuple):
    """The table ``profile`` as far as it could be read."""

    book: str | None
    name: str | None
    target: Target | None
    encoding: str | None
    rows: str | None
    summary: str | None
    begins: int | None
    yen: int | None
    own: tuple[str, ...]


def parse(text: str) -> Definition:
    """Return the profile that ``text`` spells.

    :raises toml_text.DefinitionInvalid: with every problem that was found, ordered by line.
    """
    return toml_text.parse(text, _read)


def _read(root: Table) -> Definition | None:
    table, account_tables = root.table("profile"), root.tables("account")
    root.close()
    head = _read_head(table) if table else None
    if account_tables is not None and not account_tables:
        root.add("account", _("Write at least one rule: a profile that maps no account exports nothing."))
    if head is None or head.target is None or head.encoding is None or head.rows is None:
        return None
    rules = [_read_rule(each, head, head.target, head.encoding, head.rows) for each in account_tables or ()]
    _refuse_twice(account_tables or [], rules)
    if head.book is None or head.name is None or head.summary is None or head.begins is None:
        return None
    return Definition(
        book=head.book,
        name=head.name,
        target=head.target.name,
        encoding=head.encoding,
        rows=head.rows,
        summary=head.summary,
        fiscal_year_begins=head.begins,
        rules=tuple(rule for rule in rules if rule is not None),
        yen_a_unit=head.yen,
        own_tax_classes=head.own,
    )


def _read_head(table: Table) -> _Head:
    book = table.text("book", pattern=rf"(?=.{{1,{BOOK_MOST}}}$){CODE.pattern}", expected=_("the code of a book"))
    expected = _("lower-case letters, digits and hyphens that begin with a letter, at most 32 characters")
    name = table.text("name", pattern=rf"[a-z][a-z0-9-]{{0,{NAME_MOST - 1}}}", expected=expected)
    target = TARGETS.get(table.choice("target", tuple(TARGETS)) or "")
    encoding = table.choice("encoding", target.encodings if target else ENCODINGS)
    rows = table.choice("rows", (DAILY, ENTRIES))
    begins = table.integer("fiscal_year_begins", least=1, most=12)
    yen = table.integer("yen_a_minor_unit", least=1, most=1_000_000, optional=True)
    table.know("own_tax_classes")
    own = tuple(table.texts("own_tax_classes") or ()) if table.has("own_tax_classes") else ()
    for each in own:
        _check_name(table, "own_tax_classes", each, "tax_class", (target, encoding) if target and encoding else None)
    summary = table.text("summary", pattern="(?s).{1,1024}", expected=_("a text of at most 1,024 characters"))
    if summary is not None and target and encoding and rows:
        _check_template(table, summary, target, encoding, rows)
    table.close()
    return _Head(book, name, target, encoding, rows, summary, begins, yen, own)


def _read_rule(table: Table, head: _Head, target: Target, encoding: str, rows: str) -> AccountRule | None:
    matchers = _read_matchers(table)
    said: dict[str, str] = {}
    for part in PARTS:
        if part not in target.parts:
            if table.has(part):
                table.add(part, _("Take it out: a file for {target} has no column for it.").format(target=target.name))
            table.know(part)
            continue
        value = table.text(
            part,
            pattern="(?s).{1,200}",
            expected=_("a text of at most 200 characters"),
            optional=part not in {"account", "tax_class"},
        )
        if value is not None and _check_name(table, part, value, part, (target, encoding)):
            said[part] = value
    _check_tax(table, said, head, target)
    summary = table.text("summary", pattern="(?s).{1,1024}", expected=_("a text of at most 1,024 characters"), optional=True)
    if summary is not None:
        _check_template(table, summary, target, encoding, rows)
    first, last = table.day("first_on") or date.min, table.day("last_on") or date.max
    if first > last:
        table.add("last_on", _("Write a day that is not before {first}.").format(first=first.isoformat()))
    table.close()
    return AccountRule(matchers, Side(**said), summary or "", first, last) if "account" in said else None


def _read_matchers(table: Table) -> tuple[tuple[str, str], ...]:
    """Return what says which accounts are meant: at least one thing."""
    read = {
        "code": table.text("code", pattern=_CODE, expected=_("the code of an account"), optional=True),
        "pattern": table.text(
            "pattern",
            pattern=_PATTERN,
            expected=_("the code of an account in which * stands for any characters and ? for one"),
            optional=True,
        ),
        "role": table.text("role", pattern=_ROLE, expected=_("the role of accounts"), optional=True),
        "category": table.text("category", pattern="|".join(CATEGORIES), expected=" / ".join(CATEGORIES), optional=True),
    }
    if not any(table.has(name) for name in MATCHERS):
        table.problems.add(table.path, _("Say which accounts are meant: by code, pattern, role or category."))
    return tuple((name, value) for name, value in read.items() if value is not None)


def _check_tax(table: Table, said: dict[str, str], head: _Head, target: Target) -> None:
    tax_class, invoice = said.get("tax_class"), said.get("invoice")
    if tax_class is not None and tax_class not in target.tax_classes and tax_class not in head.own:
        known = ", ".join(sorted(target.tax_classes))
        table.add(
            "tax_class",
            _("{target} knows no such tax class: write one of {known}, or name it in own_tax_classes.").format(
                target=target.name, known=known
            ),
        )
    if invoice is not None and invoice not in target.invoices:
        table.add("invoice", _("Write one of: {choices}.").format(choices=", ".join(sorted(target.invoices))))
    if tax_class in target.purchases and not table.has("invoice"):
        # Nothing counts as a qualified invoice there, no matter who sold.
        table.add(
            "invoice",
            _("Add it: {target} takes a purchase without it for one with a qualified invoice.").format(target=target.name),
        )


def _check_name(table: Table, key: str, value: str, part: str, form: tuple[Target, str] | None) -> bool:
    """Report where a name would not arrive letter for letter; return whether it would."""
    why = str(text_unfit(*form, part, value) or "") if form else ""
    if not why and value != value.strip():
        why = _("it begins or ends with a blank")
    if why:
        table.add(key, _("Change “{text}”: {why}.").format(text=value, why=why))
    return not why


def _check_template(table: Table, text: str, target: Target, encoding: str, rows: str) -> None:
    """Report what a summary names that is not there, and what of it could not be written whatever stands in it."""
    allowed = FIELDS[rows]
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        table.add("summary", _("Write each name of a fact in braces, and a brace itself twice."))
        return
    if any(name is not None and (name not in allowed or form or turn) for _text, name, form, turn in parts):
        named = ", ".join(f"{{{each}}}" for each in sorted(allowed))
        table.add("summary", _("Name nothing but: {named}.").format(named=named))
    why = text_unfit(target, encoding, "summary", "".join(said for said, *_rest in parts))
    if why is not None:
        table.add("summary", _("Change “{text}”: {why}.").format(text=text, why=why))


def _refuse_twice(tables: list[Table], rules: list[AccountRule | None]) -> None:
    """Report a rule that says just what an earlier one says of just the same accounts and days: it would never be asked."""
    seen: set[tuple[object, ...]] = set()
    for table, rule in zip(tables, rules, strict=True):
        if rule is None or not rule.matchers:
            continue
        key = (rule.matchers, rule.first_on, rule.last_on)
        if key in seen:
            table.problems.add(
                table.path, _("Take it out: an earlier rule means the same accounts, and is the one that is taken.")
            )
        seen.add(key)
