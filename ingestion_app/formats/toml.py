"""Reads the definition of a source from TOML, strictly: what is unknown, missing or contradictory is refused, all of it at once."""

import re
from typing import NamedTuple

from django.utils.translation import gettext as _

from ingestion_app.formats import presets
from ingestion_app.formats.definition import Definition, PostingRule
from ingestion_app.formats.toml_layout import LINE_BYTES, ReadLayout, read_layout
from ingestion_app.formats.toml_postings import check_key_width, check_secret, read_posting, read_roles, refuse_same_books
from ingestion_app.formats.toml_shape import read_shape
from ledger_app.base.rules import toml_text
from ledger_app.base.rules.toml_table import Table
from ledger_app.base.rules.toml_text import DefinitionInvalid
from ledger_app.values import references

__all__ = ["DefinitionInvalid", "parse"]

_NAME_GROUPS = ("business_date", "sequence")
_FAILING_CHUNKS = 10  # how many chunks may stop in one attempt where nothing is asked for
_WITHIN_MINUTES = 60 * 24 * 366


def parse(text: str) -> Definition:
    """Return the definition that ``text`` spells.

    :raises DefinitionInvalid: with every problem that was found, ordered by line.
    """
    return toml_text.parse(text, _read_definition)


class _Limits(NamedTuple):
    """The limits as far as they could be read."""

    set_aside: int | None
    line_bytes: int | None
    chunk_records: int | None
    failing_chunks: int
    redirects_merged: bool


def _read_definition(root: Table) -> Definition | None:
    source, limits, layout_table, roles_table = (root.table(key) for key in ("source", "limits", "layout", "roles"))
    within_minutes = _read_agreement(root.table("sla", optional=True))
    shape = read_shape(root.table("shape", optional=True))
    posting_tables = root.tables("posting")
    root.close()
    code, name, pattern = _read_source(source) if source else (None, None, None)
    read_limits = _read_limits(limits) if limits else _Limits(None, None, None, _FAILING_CHUNKS, redirects_merged=True)
    if layout_table is not None and presets.is_named(layout_table):
        applied = presets.applied(layout_table, roles_table)
        layout_table, roles_table = applied or (None, None)
    if layout_table is None:
        return None
    layout = read_layout(layout_table, read_limits.line_bytes)
    roles = read_roles(roles_table, layout) if roles_table else None
    postings = _read_postings(root, posting_tables, layout)
    if roles and roles_table and code:
        check_key_width(roles_table, roles, layout.data.columns, source=code)
        check_secret(roles_table, roles, postings)
    set_aside, chunk_records = read_limits.set_aside, read_limits.chunk_records
    if code is None or name is None or layout.layout is None or roles is None or set_aside is None or chunk_records is None:
        return None
    return Definition(
        code=code,
        name=name,
        name_pattern=pattern,
        layout=layout.layout,
        roles=roles,
        postings=postings,
        set_aside_limit=set_aside,
        chunk_records=chunk_records,
        failing_chunks=read_limits.failing_chunks,
        redirects_merged=read_limits.redirects_merged,
        applied_within_minutes=within_minutes,
        shape=shape,
    )


def _read_source(table: Table) -> tuple[str | None, str | None, re.Pattern[str] | None]:
    expected = _(
        "lower-case letters, digits and hyphens that begin with a letter, at most 32 characters, and no word that the ledger's own "
        "references begin with ({words})"
    ).format(words=", ".join(references.WORDS))
    # A record's reference is its source's code and its key: under one of these words it could be taken for an entry of the ledger's own.
    code = table.text("code", pattern=f"(?!(?:{'|'.join(references.WORDS)})$)[a-z][a-z0-9-]{{0,31}}", expected=expected)
    name = table.text(
        "name", pattern=r"[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]{0,99}", expected=_("a name of at most 100 characters")
    )
    pattern = _read_name_pattern(table)
    table.close()
    return code, name, pattern


def _read_name_pattern(table: Table) -> re.Pattern[str] | None:
    text = table.text(
        "name_pattern", pattern="(?s).{1,500}", expected=_("a regular expression of at most 500 characters"), optional=True
    )
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        table.add("name_pattern", _("Correct the regular expression: {message}.").format(message=error))
        return None
    missing = [group for group in _NAME_GROUPS if group not in pattern.groupindex]
    for group in missing:
        table.add("name_pattern", _("Add the named group {group}.").format(group=f"(?P<{group}>…)"))
    return None if missing else pattern


def _read_limits(table: Table) -> _Limits:
    set_aside = table.integer("set_aside", least=0, most=1_000_000)
    line_bytes = table.integer("line_bytes", least=1, most=LINE_BYTES)
    chunk_records = table.integer("chunk_records", least=1, most=1_000_000)
    failing_chunks = table.integer("failing_chunks", least=1, most=1_000_000, optional=True)
    merged = table.text("merged", pattern="redirect|stop", expected=_("redirect or stop"), optional=True)
    table.close()
    failing = _FAILING_CHUNKS if failing_chunks is None else failing_chunks
    return _Limits(set_aside, line_bytes, chunk_records, failing, redirects_merged=merged != "stop")


def _read_agreement(table: Table | None) -> int | None:
    if table is None:
        return None
    minutes = table.integer("applied_within_minutes", least=1, most=_WITHIN_MINUTES)
    table.close()
    return minutes


def _read_postings(root: Table, tables: list[Table] | None, layout: ReadLayout) -> tuple[PostingRule, ...]:
    if tables is not None and not tables:
        root.add("posting", _("Write at least one posting rule: a source whose records post nothing is of no use."))
    read = [read_posting(table, layout.data.columns) for table in tables or ()]
    refuse_same_books(tables or [], read)
    return tuple(posting for posting in read if posting is not None)
