"""What a proof of the histories reads grows with the rows, and not with the rows times what one person did."""

from typing import Any

import pytest
from django.db import connection

from ingestion_app.verification.proofs import making as making_proofs
from ledger_app.traces.proofs import history as history_proofs

pytestmark = pytest.mark.django_db

TOLD = (*history_proofs.AUDITED, *making_proofs.TOLD)
# By what it is of: few rows are of one thing, and very many of one person, one instant or one kind.
BY_SUBJECT = {
    "subject_type=? AND subject_id=?",
    "rowid=?",
    *(f"{each.subject}=?" for each in (*TOLD, making_proofs.VERSIONS, making_proofs.PRUNED)),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the proofs ask."""
    found: list[str] = []

    def kept(sql: str, _books: Any) -> list[Any]:
        found.append(sql)
        return []

    monkeypatch.setattr(history_proofs, "rows", kept)
    for each in TOLD:
        assert list(history_proofs.unaudited(each)) == []
    for proof in (history_proofs.audit_rows_have_lines, making_proofs.audit_rows_have_lines):
        assert list(proof(())) == []
    assert len(found) == 2 * len(TOLD) + len(history_proofs.EACH_TELLS) + 3
    return found


def read_for_each_row(sql: str) -> list[str]:
    """Return by what each row of a statement has it read another table, as SQLite plans it without knowing how many rows there are."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        steps: list[Any] = cursor.fetchall()
    of_each = {number for number, _parent, _unused, step in steps if step.startswith("CORRELATED")}
    return [step for _number, parent, _unused, step in steps if parent in of_each]


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="asks SQLite for its plan; the others decide by the rows that are there"
)
def test_each_row_has_only_what_it_is_of_read(asked: list[str]) -> None:
    seen, wrong = 0, []
    for sql in asked:
        # Of an erasure beside lines of one instant, which few have: what stands behind COUNT(*) > 1 is asked of those alone.
        for step in read_for_each_row(sql)[: 1 if "+ (0)" not in sql and "HAVING" in sql else None]:
            seen += 1
            if step.rpartition("(")[2].rstrip(")") not in BY_SUBJECT:
                wrong.append(f"{step}: {sql}")
    assert wrong == []
    assert seen >= len(asked)
