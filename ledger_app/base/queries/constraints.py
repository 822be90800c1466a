"""What a refusal of the database means: the constraint or the trigger it names, and the error that is told for it.

The engines name constraints in ways of their own; SQLite names the columns of a unique key, and nothing of a foreign one.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

from django.apps import apps
from django.db import DatabaseError, InterfaceError, models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError, rows

PRIMARY = "PRIMARY"
ANY = _("row")  # of which table is not told
# The unique keys on which two can meet who each saw nothing there: anyone who tries again finds what the other has written. The others are asked by
# no rule that could find it, so that a second try meets it again.
COLLIDE = frozenset(
    {
        PRIMARY,
        *("identifier_unique", "period_start_unique", "period_name_unique", "seal_number_unique", "account_code_unique"),
        *("contra_account_unique", "adjustment_limit_unique", "adjustment_key_unique", "adjustment_decision_unique"),
        *("posting_origin_unique", "entry_reference_unique", "line_sequence_unique", "lotrule_role_unique"),
        *(
            "hold_reference_unique",
            "holdtarget_once",
            "ledger_app_link.number",
            "template_role_unique",
            "ledger_app_holdrule.book_id",
            "ledger_app_closepolicy.book_id",
            "merge_holder_once",
            "merge_undone_once",
            "idempotency_key_unique",
            "ledger_app_event.number",
            "ledger_app_webhook.name",
            "dead_letter_once",
            "reversal_entry_unique",
            "profile_name_unique",
            "profile_version_unique",
            "export_period_once",
        ),
        *(
            "ledger_app_user.username",
            "user_folded_unique",
            "second_factor_credential_unique",
            "identity_subject_unique",
            "ledger_app_book.code",
            "ledger_app_reasoncode.code",
            "ledger_app_entry.reverses_id",
        ),
        *("ledger_app_seal.period_id", "ledger_app_seal.previous_id"),
    }
)
# Those that nobody meets by chance: a second try would only meet them again.
STAND = frozenset(
    {
        *("account_role_unique", "balance_stripe_unique", "attachment_name_unique", "holdlot_once", "moved_identifier_once"),
        *("recovery_code_unique", "ledger_app_reversal.reversal_id", "erased_digest_once"),
        # Keys are random, and the one who replaces a token holds its user, as does the one who binds an identity.
        *("token_digest_unique", "ledger_app_token.replaces_id", "ledger_app_identity.user_id"),
    }
)


class Constraint(NamedTuple):
    """One constraint: its name here, its table, the word for a row of that table, and its columns with their words."""

    name: str
    table: str
    what: str | Promise
    kind: type[LedgerError]
    columns: tuple[str, ...] = ()
    fields: tuple[str | Promise, ...] = ()
    event: str = ""  # of a trigger, what it refuses

    def error(self) -> LedgerError:
        """Return the error that is told where a row breaks it."""
        facts = {"what": self.what, "constraint": self.name}
        if self.kind is rows.NotUnique:
            return rows.NotUnique(**facts, fields=", ".join(map(str, self.fields)))
        if self.event:
            facts |= {"table": self.table, "event": self.event}
        return self.kind(**facts)


_others: list[frozenset[str]] = []


def register(collide: frozenset[str]) -> None:
    """Add the unique keys of another application on which two can meet. Called once, by its ``AppConfig.ready``."""
    _others.append(collide)


def collide() -> frozenset[str]:
    """Return the unique keys on which two can meet."""
    return COLLIDE.union(*_others)


def broken(error: DatabaseError | InterfaceError) -> Constraint | None:
    """Return the constraint, or the trigger as one, that an error of the database tells of; None where it tells of none."""
    said = str(error.args[-1]) if error.args else ""
    if (trigger := _trigger(said)) is not None:
        return trigger
    for kind, pattern in PATTERNS:
        if (match := pattern.search(said)) is not None:
            return _found(kind, {name: value or "" for name, value in match.groupdict().items()})
    return None


def all_of(model: type[models.Model]) -> Iterator[Constraint]:
    """Yield every constraint of a model's table: unique keys, checks, links to other rows, and the columns that need a value."""
    options = model._meta  # noqa: SLF001 - the documented way to ask a model
    table, what = options.db_table, options.verbose_name or ""
    yield Constraint(PRIMARY, table, what, rows.NotUnique, (str(options.pk.column),), (options.pk.verbose_name,))
    for each in options.constraints:
        if isinstance(each, models.UniqueConstraint):
            fields = [found for found in options.local_concrete_fields if found.name in each.fields]
            columns, called = tuple(str(found.column) for found in fields), tuple(found.verbose_name for found in fields)
            yield Constraint(each.name, table, what, rows.NotUnique, columns, called)
        elif isinstance(each, models.CheckConstraint):
            yield Constraint(each.name, table, what, rows.RowRefused)
    for field in options.local_concrete_fields:
        kinds = {
            rows.NotUnique: field.unique and not field.primary_key,
            rows.RowRefused: isinstance(field, CHECKED),
            rows.RowLinked: isinstance(field, models.ForeignKey),
            rows.RowIncomplete: not field.null,
        }
        for kind in (kind for kind, has in kinds.items() if has):
            yield Constraint(f"{table}.{field.column}", table, what, kind, (str(field.column),), (field.verbose_name,))


# Columns that the engines check by themselves, or that Django has checked: not below zero, or JSON.
CHECKED = (models.PositiveIntegerField, models.PositiveSmallIntegerField, models.PositiveBigIntegerField, models.JSONField)
# As they are told by MariaDB and MySQL, and by SQLite. Values may stand before the names, and hold anything.
PATTERNS: tuple[tuple[type[LedgerError], re.Pattern[str]], ...] = (
    (rows.NotUnique, re.compile(r"for key '(?:(?P<table>\w+)\.)?(?P<name>\w+)'$")),
    (rows.NotUnique, re.compile(r"^UNIQUE constraint failed: (?P<columns>\w+\.\w+(?:, \w+\.\w+)*)$")),
    (rows.RowRefused, re.compile(r"CONSTRAINT `(?P<name>[\w.]+)` failed")),
    (rows.RowRefused, re.compile(r"^Check constraint '(?P<name>[\w.]+)' is violated")),
    (rows.RowRefused, re.compile(r"^CHECK constraint failed: (?:\W*JSON_VALID\(|\()?\"?(?P<name>\w+)")),
    (rows.RowRefused, re.compile(r"^(?:Out of range value|Data too long) for column '(?P<name>\w+)'")),
    (rows.RowLinked, re.compile(r"\(`\w+`\.`(?P<table>\w+)`, CONSTRAINT `\w+` FOREIGN KEY \(`(?P<name>\w+)`\)")),
    (rows.RowLinked, re.compile(r"^FOREIGN KEY constraint failed|foreign key constraint fails")),
    (rows.RowIncomplete, re.compile(r"^Column '(?P<name>\w+)' cannot be null")),
    (rows.RowIncomplete, re.compile(r"^NOT NULL constraint failed: (?P<table>\w+)\.(?P<name>\w+)$")),
)


# What the triggers say, on every engine: the table and what it refuses, or a sentence of one trigger's own.
TRIGGER = re.compile(r"^kakutei: (?P<table>\w+) refuses this (?P<event>INSERT|UPDATE|DELETE)$")
OWN_SENTENCES = {
    "kakutei: an entry needs a period that is not frozen": ("ledger_app_entry", "INSERT"),
    "kakutei: an entry takes the reference of another only once that is reversed": ("ledger_app_entry", "INSERT"),
}


def _trigger(said: str) -> Constraint | None:
    match = TRIGGER.match(said)
    table, event = (match["table"], match["event"]) if match else OWN_SENTENCES.get(said, ("", ""))
    if not event:
        return None
    name = f"{table} {event}" if match else said.removeprefix("kakutei: ")
    return Constraint(name, table, _tables().get(table, ANY), rows.RowRefused, event=event)


@cache
def _tables() -> dict[str, str | Promise]:
    """Return what a row of each table is called, by table."""
    found = [model._meta for model in apps.get_models(include_auto_created=True)]  # noqa: SLF001 - the documented way to ask a model
    return {options.db_table: options.verbose_name or ANY for options in found}


def _found(kind: type[LedgerError], said: dict[str, str]) -> Constraint:
    """Return the constraint of a kind that the words of an engine name; one of the words' name where none of ours has it."""
    columns = frozenset(name.rpartition(".")[2] for name in said.get("columns", "").split(", ")) - {""}
    table = said.get("table") or said.get("columns", "").partition(".")[0]
    name = said.get("name") or ", ".join(sorted(columns)) or "FOREIGN KEY"
    candidates = [each for each in _every() if each.kind is kind and (not table or each.table == table)]
    exact = [each for each in candidates if each.name in {name, f"{table}.{name}"} or (columns and columns == set(each.columns))]
    # A key of one column is named after it, and its table not told; part of a key's columns is enough to know it by.
    near = [each for each in candidates if each.columns == (name,) or (columns and columns < set(each.columns))]
    found = exact or near
    if not found:
        return Constraint(name, table, ANY, kind, fields=(name,))
    return found[0] if len(found) == 1 else found[0]._replace(what=ANY)


@cache
def _every() -> tuple[Constraint, ...]:
    return tuple(chain.from_iterable(all_of(model) for model in apps.get_models(include_auto_created=True)))
