"""The invariants of what came in and of what was removed: each has the audit row of the user who did it."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from ingestion_app.models import Acknowledgement, Batch, PrunedFile, SourceVersion
from ledger_app.base.proofs import Invariant
from ledger_app.errors.sentences import Sentence
from ledger_app.errors.sentences import say as _
from ledger_app.models import AuditRow, Book
from ledger_app.traces.proofs.history import Audited, unaudited, unmade

# Each line of these histories is told.
TOLD = (Audited("ingestion_app_historicalbatch", "batch"), Audited("ingestion_app_historicalsource", "source"))
# An old version of a source may be loaded, which changes nothing else of it.
VERSIONS = Audited("ingestion_app_sourceversion", "source", "source_id", (), person="loaded_by_id", instant="loaded_at")
PRUNED = Audited("ingestion_app_prunedfile", "file", "file_id", (), person="pruned_by_id", instant="pruned_at")

Made = tuple[int, int, str]  # the subject, who did it, and what tells it from others of the subject


def what_was_made_has_its_audit_row(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for what has no state before it: versions of sources, batches, files whose bytes were removed."""
    loaded = {
        (row.source_id, row.loaded_by_id, f"{row.number} {bytes(row.digest).hex()}"): row
        for row in SourceVersion.objects.select_related("source")
    }
    # By its number too: an old version that is brought in again would be the one in force.
    yield from _unsaid(loaded, "source", ("load",), ("version", "digest"), _("{what} was loaded, and no audit row says so."))
    removed = {(row.file_id, row.pruned_by_id, str(row.file)): row for row in PrunedFile.objects.select_related("file")}
    sentence = _("The bytes of {what} were removed, and no audit row says so.")
    yield from _unsaid(removed, "file", ("prune",), ("sha256",), sentence)
    looked = {
        (row.batch_id, row.acknowledged_by_id, f"{bytes(row.digest).hex()} {row.alerts}"): row.batch
        for row in Acknowledgement.objects.select_related("batch__source")
    }
    yield from _unsaid(
        looked,
        "batch",
        ("acknowledge",),
        ("alerts", "count"),
        _("The alerts of {what} were acknowledged, and no audit row says so."),
    )
    came = {(row.pk, row.received_by_id, ""): row for row in Batch.objects.select_related("source")}
    yield from _unsaid(came, "batch", ("receive", "propose"), (), _("{what} is there, and no audit row says who brought it."))


def lines_have_audit_rows(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for the histories of batches and sources."""
    for told in TOLD:
        yield from unaudited(told)


def audit_rows_have_lines(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, the other way, for the audit rows of batches, sources and removed bytes."""
    batches, sources = TOLD
    for told in ([batches], [sources, VERSIONS], [PRUNED]):
        yield from unmade(told)


def _unsaid(
    made: dict[Made, Any], subject: str, actions: Sequence[str], names: Sequence[str], sentence: Sentence
) -> Iterator[str]:
    rows = AuditRow.objects.filter(subject_type=subject, action__in=actions, outcome="done")
    said = {
        (key, actor, " ".join(str(facts.get(name, "")) for name in names))
        for key, actor, facts in rows.values_list("subject_id", "actor_id", "facts").iterator()
    }
    for key, what in made.items():
        if key not in said:
            yield sentence.format(what=what)


INVARIANTS = (
    Invariant(
        12,
        gettext_lazy("Each version of a source, each batch and each removal of bytes has its audit row."),
        what_was_made_has_its_audit_row,
    ),
    Invariant(12, gettext_lazy("Each change that a history says, and each decision, has its audit row."), lines_have_audit_rows),
    Invariant(12, gettext_lazy("Each audit row tells of what was done."), audit_rows_have_lines),
)
