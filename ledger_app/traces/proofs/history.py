"""Invariant 12, for histories and decisions: each line of a history has an audit row beside it, of the same person and the same instant.

A row is compared with the last line of its history elsewhere. Without this, anyone who writes the line as well would have changed a floor or a limit, and
nobody would be told. Of several lines at one instant each has its own audit row, and a history begins once: so nobody writes what a setting said in
between, either.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book
from ledger_app.traces.queries import traces

CHANGED, MADE_OR_CHANGED = ("~", "-"), ("+", "~", "-")


class Audited(NamedTuple):
    """A history and its audit rows: their subject, the column of a line that names it, and the kinds of lines that need one.

    Or another table of who did what: ``person`` and ``instant`` are the columns that say it, and of its rows all are told.
    """

    table: str
    subject_type: str
    subject: str = "id"
    kinds: Sequence[str] = MADE_OR_CHANGED
    beside: str = ""
    person: str = "history_user_id"
    instant: str = "history_date"


# Books, periods, accounts, members and users may be made without an audit row of their own: by a file, or with the installation.
AUDITED = (
    Audited("ledger_app_historicalaccount", "account", kinds=CHANGED),
    Audited("ledger_app_historicalaccounttemplate", "accounttemplate"),
    Audited("ledger_app_historicaladjustment", "adjustment"),
    Audited("ledger_app_adjustmentdecision", "adjustment", "adjustment_id", (), person="decided_by_id", instant="decided_at"),
    Audited("ledger_app_historicaladjustmentlimit", "adjustmentlimit"),
    # Nothing changes a book once it is open: no such line is told.
    Audited("ledger_app_historicalbook", "book", kinds=CHANGED),
    Audited("ledger_app_historicalclosepolicy", "closepolicy"),
    Audited("ledger_app_historicalcontraaccount", "reasoncode", "reason_code_id"),
    Audited("ledger_app_historicalerasure", "erasure"),
    Audited("ledger_app_historicalhold", "hold"),
    # An erasure is of a member and of those who were merged into that one, each with a line.
    Audited("ledger_app_historicalholder", "member", kinds=CHANGED, beside="erasure"),
    Audited("ledger_app_historicalholdrule", "holdrule"),
    Audited("ledger_app_historicalholdtarget", "holdrule", "rule_id"),
    Audited("ledger_app_historicallotrule", "lotrule"),
    Audited("ledger_app_historicalmerge", "merge"),
    Audited("ledger_app_historicalperiod", "period", kinds=CHANGED),
    Audited("ledger_app_historicalreasoncode", "reasoncode"),
    Audited("ledger_app_historicalreversal", "reversal"),
    Audited("ledger_app_historicalsettingchange", "setting"),
    Audited("ledger_app_accessreview", "accessreview", kinds=(), person="signed_by_id", instant="signed_at"),
)
# Whose every audit row tells of a line: those of the others tell also of what has no history, as identifiers.
EACH_TELLS = (
    *(
        "accessreview",
        "account",
        "accounttemplate",
        "adjustment",
        "adjustmentlimit",
        "closepolicy",
        "erasure",
        "hold",
        "holdrule",
    ),
    *("lotrule", "merge", "period", "reasoncode", "reversal", "setting"),
)
TELLS_OF_NOTHING = """
    SELECT audit.id, audit.subject_type, audit.action, audit.subject
      FROM ledger_app_auditrow AS audit
     WHERE audit.subject_type = '{subject_type}' AND audit.outcome = 'done' AND {nothing}
"""
# Found by what it is of, and not by the person or the instant, which thousands of lines can have in common: the plus keeps SQLite from those indexes.
NO_LINE = """NOT EXISTS (SELECT 1 FROM {table} AS line
                      WHERE line.{subject} = audit.subject_id AND +line.{person} = audit.actor_id AND +line.{instant} = audit.at)"""
ROWS_THAT_TELL = """
    FROM ledger_app_auditrow AS audit
   WHERE audit.subject_type = '{subject_type}' AND audit.subject_id = line.{subject} AND audit.outcome = 'done'
     AND audit.actor_id = line.{person} AND audit.at = line.{instant}
"""
UNTOLD = f"""
    SELECT line.id
      FROM {{table}} AS line
     WHERE {{is_told}} AND NOT EXISTS (SELECT 1 {ROWS_THAT_TELL}) AND {{is_untold_beside}}
"""
# Asked by itself, and of no line: an OR, or the line in it, would have each line read all that its person ever did.
UNTOLD_BESIDE = """(line.{person} IS NULL OR (line.{person}, line.{instant}) NOT IN
       (SELECT audit.actor_id, audit.at FROM ledger_app_auditrow AS audit WHERE audit.subject_type = '{beside}' AND audit.outcome = 'done'))"""
# Lines of one row, person and instant: few have more than one, and those as many audit rows.
TOO_FEW = f"""
    SELECT line.id
      FROM {{table}} AS line
     WHERE {{is_told}}
     GROUP BY line.id, line.{{subject}}, line.{{person}}, line.{{instant}}
    HAVING COUNT(*) > 1 AND COUNT(*) > (SELECT COUNT(*) {ROWS_THAT_TELL}) + ({{beside_them}})
"""
BESIDE_THEM = """
    SELECT COUNT(*) FROM ledger_app_auditrow AS audit
     WHERE audit.subject_type = '{beside}' AND audit.outcome = 'done' AND audit.actor_id = line.{person} AND audit.at = line.{instant}
"""
BEGUN_AGAIN = """
    SELECT line.{key} FROM {history} AS line WHERE line.history_type = '+' GROUP BY line.{key} HAVING COUNT(*) > 1
"""


def unaudited(told: Audited) -> Iterator[str]:
    """Yield each row of which a line of its history has no audit row of the same person and instant, or several lines have fewer."""
    kinds = ", ".join(f"'{kind}'" for kind in told.kinds)
    is_told = f"line.history_type IN ({kinds})" if kinds else "1 = 1"
    given = {**told._asdict(), "is_told": is_told, "is_untold_beside": "1 = 1", "beside_them": "0"}
    if told.beside:
        given |= {"is_untold_beside": UNTOLD_BESIDE.format(**given), "beside_them": BESIDE_THEM.format(**given)}
    keys = {key for sql in (UNTOLD, TOO_FEW) for (key,) in rows(sql.format(**given), ())}
    for key in sorted(keys):
        yield _("{table} {key}: what somebody did to it has no audit row of the same person and instant.").format(
            table=told.table.replace("_historical", "_"), key=key
        )


def unmade(told: Sequence[Audited]) -> Iterator[str]:
    """Yield each audit row of one kind of subject beside which none of these tables has a line of the same person and instant."""
    nothing = " AND ".join(
        NO_LINE.format(table=each.table, subject=each.subject, person=each.person, instant=each.instant) for each in told
    )
    sql = TELLS_OF_NOTHING.format(subject_type=told[0].subject_type, nothing=nothing)
    for key, kind, action, subject in rows(sql, ()):
        yield _("Audit row {key} ({action}, {subject_type} {subject}) tells of what was not done.").format(
            key=key, action=action, subject_type=kind, subject=subject
        )


def audit_rows_have_lines(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, the other way: an audit row tells of what was done, and of nothing else."""
    for subject_type in EACH_TELLS:
        yield from unmade([told for told in AUDITED if told.subject_type == subject_type])


def lines_have_audit_rows(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for all histories of the ledger."""
    for told in AUDITED:
        yield from unaudited(told)


def histories_begin_once(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for the first line of each history."""
    for table in traces.historied():
        for (key,) in rows(BEGUN_AGAIN.format(key=table.key, history=table.history), ()):
            yield _("{table} {key}: its history says twice that it was made.").format(table=table.name, key=key)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(12, gettext_lazy("Each change that a history says, and each decision, has its audit row."), lines_have_audit_rows),
    Invariant(12, gettext_lazy("Each audit row tells of what was done."), audit_rows_have_lines),
    Invariant(12, gettext_lazy("Each history begins once."), histories_begin_once),
)
