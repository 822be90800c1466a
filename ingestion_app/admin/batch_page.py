"""What the batch page shows: where every record is, what was found, how far it has come, and whether it is safe to run again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.model_admin import NOTHING, link_to, list_url
from ingestion_app.admin.parts import place_of, sentence_of
from ingestion_app.admin.units import unit_of
from ingestion_app.checks.rules import RULES
from ingestion_app.models import Attempt, Batch, Chunk, Finding, Record
from ingestion_app.queries import batches
from ledger_app.models import AuditRow, Book, Period
from ledger_app.templatetags import look

CELLS_MOST = 400
FINDINGS_SHOWN = 12
SILENT_AFTER = timedelta(seconds=60)
MAY_BE_QUEUED = frozenset({"received", "rejected", "validated", "approved", "applying"})
ENDED_BADLY = frozenset({Attempt.Outcome.REFUSED, Attempt.Outcome.FAILED})
LINE_OF_STATES = ("received", "validated", "approved", "applying", "applied", "frozen")


def context(batch: Batch, asked_after: int | None = None) -> dict[str, Any]:
    """Return the context of the page, but for buttons and audit. ``asked_after``: see ``progress``."""
    posted = batches.posted(batch) if batch.state in {"applying", "applied", "frozen"} else {}
    books = Book.objects.in_bulk(sorted(set(batch.totals) | set(posted)), field_name="code")
    zone = next((book.time_zone for book in books.values()), "UTC")
    shown = followed(batch, asked_after)
    return {
        "title": str(batch),
        "batch": batch,
        "subtitle": gettext("received by {who} · rules v{version} · times in {zone}").format(
            who=batch.received_by, version=batch.source_version.number, zone=zone
        ),
        "zone": zone,
        "steps": steps(batch),
        **shown,
        "rerun": rerun(batch, shown["progress"]),
        "findings": findings(batch),
        "findings_count": findings_text(batch),
        "findings_url": list_url(Finding, f"batch__id__exact={batch.pk}"),
        "books": [_book_row(book, batch, posted) for book in books.values()],
        "facts": facts(batch),
    }


def followed(batch: Batch, asked_after: int | None = None) -> dict[str, Any]:
    """Return what changes on the page while the batch is worked on. ``asked_after``: see ``progress``."""
    unit = unit_of(batch.source_version)
    return {
        "waterfall": waterfall(batch),
        "waterfall_unit": unit.unit,
        "waterfall_exponent": unit.exponent,
        "progress": progress(batch, asked_after),
    }


def steps(batch: Batch) -> list[dict[str, Any]]:
    """Return the line of states: those that are past with time and person, the one that is, those to come."""
    rows = (
        AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, outcome="done").select_related("actor").order_by("id")
    )
    entered = {row.to_state or "received": row for row in rows if row.action != "resume"}
    line = list(LINE_OF_STATES)
    if batch.state in {"rejected", "withdrawn"}:
        line = [state for state in LINE_OF_STATES if state in entered] + [batch.state]
    here = line.index(batch.state)
    return [
        {
            "state": state,
            "label": Batch.State(state).label,
            "past": place < here or (place == here and state == "frozen"),
            "now": place == here,
            "at": entered[state].at if state in entered and place <= here else None,
            "by": entered[state].actor.username if state in entered and place <= here else None,
            "note": "",
        }
        for place, state in enumerate(line)
    ]


def waterfall(batch: Batch) -> list[dict[str, Any]]:
    """Return the sum that places every record: in the file, without effect, set aside, to apply, in the ledger, still to come."""
    if batch.record_count is None:
        return []
    equal = (batch.trailer_count, batch.trailer_sum) == (batch.record_count, batch.record_sum)
    verdict = _("equal") if equal else _("differs")
    rows = [
        _row(_("In the file"), batch.record_count, batch.record_sum),
        _row(_("Trailer says"), batch.trailer_count, batch.trailer_sum, kind="ok" if equal else "differs", note=verdict),
    ]
    if batch.state == Batch.State.REJECTED:
        return [*rows, _row(_("To apply"), 0, 0, kind="sum", note=_("the file is rejected"))]
    of_batch = f"batch__id__exact={batch.pk}&status__exact="
    rows.append(
        _row(_("Without effect"), batch.without_effect_count, 0, kind="minus", url=list_url(Record, f"{of_batch}no_effect"))
    )
    if batch.set_aside_count:
        url = list_url(Record, f"{of_batch}set_aside")
        rows.append(_row(_("Set aside"), batch.set_aside_count, batch.set_aside_sum, kind="minus", url=url))
    chunks = list(Chunk.objects.filter(batch=batch).values_list("state", "record_count", "record_sum"))
    count, total = sum(row[1] for row in chunks), sum(row[2] for row in chunks)
    done = [row for row in chunks if row[0] == Chunk.State.APPLIED]
    applied, applied_sum = sum(row[1] for row in done), sum(row[2] for row in done)
    return [
        *rows,
        _row(_("To apply"), count, total, kind="sum"),
        _row(_("In the ledger"), applied, applied_sum),
        _row(_("Still to come"), count - applied, total - applied_sum, kind="left"),
    ]


def _row(label: Any, records: int | None, amount: int | None, *, kind: str = "", note: Any = "", url: str = "") -> dict[str, Any]:
    return {"label": label, "records": records, "amount": amount, "kind": kind, "note": note, "url": url or None}


def progress(batch: Batch, asked_after: int | None = None) -> dict[str, Any] | None:
    """Return how far the batch has come, and whether somebody is at it; None where there is nothing to tell yet.

    ``asked_after`` is the last attempt that there was when a person asked for a step: until a later one begins, the step is queued.
    """
    attempt = Attempt.objects.filter(batch=batch).order_by("-id").first()
    running = (
        attempt is not None
        and attempt.outcome == Attempt.Outcome.RUNNING
        and timezone.now() - attempt.heartbeat_at < SILENT_AFTER
    )
    queued = asked_after is not None and (attempt.pk if attempt else 0) <= asked_after and batch.state in MAY_BE_QUEUED
    now = batches.progress(batch)
    if not now["records"] and not running and not queued and attempt is None:
        return None
    is_applying = attempt is not None and attempt.step == Attempt.Step.APPLY
    left = now["records"] - now["records_applied"]
    rate = None
    if attempt is not None and is_applying:
        seconds = int(((attempt.ended_at or attempt.heartbeat_at) - attempt.started_at).total_seconds())
        rate = attempt.done_records // seconds if seconds else None
    return {
        "percent": now["percent"],
        "done": now["records_applied"],
        "total": now["records"],
        "rate": rate,
        "seconds_left": left // rate if rate else None,
        "running": running or queued,
        # A file that is being read has no share to show: nothing is known of it before its end.
        "is_reading": running and not is_applying,
        "queued": queued,
        "attempt": _attempt_text(attempt, running=running) if attempt else "",
        "reasons": attempt.reasons if attempt and attempt.outcome in ENDED_BADLY and not queued else [],
        "chunks": now["chunks"],
        "chunk_cells": _cells(batch),
        "chunks_url": list_url(Chunk, f"batch__id__exact={batch.pk}"),
    }


def _attempt_text(attempt: Attempt, *, running: bool) -> str:
    text = f"{attempt.get_step_display()} {attempt.number} · {attempt.host}:{attempt.process}"
    if attempt.outcome == Attempt.Outcome.RUNNING and not running:
        return gettext("{attempt}, silent since {at}: its process is gone").format(
            attempt=text, at=look.instant_text(attempt.heartbeat_at)
        )
    return f"{text} · {attempt.get_outcome_display()}"


def _cells(batch: Batch) -> list[str]:
    """Return the chunks' states in order; where there are many, each cell stands for several and shows the least done of them."""
    states = list(Chunk.objects.filter(batch=batch).order_by("number").values_list("state", flat=True))
    size = -(-len(states) // CELLS_MOST) or 1
    order = ("stopped", "pending", "applied")
    return [min(states[start : start + size], key=order.index) for start in range(0, len(states), size)]


def rerun(batch: Batch, now: dict[str, Any] | None) -> dict[str, Any]:
    """Answer "safe to run again?"."""
    if batch.state in {"applying", "applied", "frozen"} and now:
        skipped = now["chunks"]["applied"]
        sentence = ngettext("{count} chunk would be skipped", "{count} chunks would be skipped", skipped).format(count=skipped)
        left = now["chunks"]["pending"] + now["chunks"]["stopped"]
        return {"safe": True, "sentence": gettext("{skipped}, {left} would run.").format(skipped=sentence, left=left)}
    return {"safe": True, "sentence": gettext("Nothing of it is in the ledger.")}


def findings(batch: Batch) -> list[dict[str, Any]]:
    """Return one row for each rule that saw something, the gravest first, with its first place."""
    order = ["error", "warning", "note"]
    rules = sorted(batch.finding_counts, key=lambda rule: (order.index(RULES[rule].severity), rule))
    found = []
    for rule in rules[:FINDINGS_SHOWN]:
        first = Finding.objects.filter(batch=batch, rule=rule).order_by("id").first()
        if first is not None:
            found.append(
                {
                    "severity": first.severity,
                    "rule": rule,
                    "sentence": sentence_of(first),
                    "where": place_of(first),
                    "count": batch.finding_counts[rule],
                    "url": list_url(Finding, f"batch__id__exact={batch.pk}&rule={rule}"),
                }
            )
    return found


def findings_text(batch: Batch) -> str:
    """Return how many findings of each severity there are, in words."""
    counts: dict[str, int] = {}
    for rule, count in batch.finding_counts.items():
        severity = str(RULES[rule].severity)
        counts[severity] = counts.get(severity, 0) + count
    texts = {
        "error": ngettext("{count} error", "{count} errors", counts.get("error", 0)),
        "warning": ngettext("{count} warning", "{count} warnings", counts.get("warning", 0)),
        "note": ngettext("{count} note", "{count} notes", counts.get("note", 0)),
    }
    return " · ".join(texts[severity].format(count=look.count_text(counts[severity])) for severity in texts if severity in counts)


def _book_row(book: Book, batch: Batch, posted: dict[str, tuple[int, int, int]]) -> dict[str, Any]:
    entries, _lines, amount = batch.totals.get(book.code, [0, 0, 0])
    has_entries, _has_lines, has_amount = posted.get(book.code, (0, 0, 0))
    return {
        "book": book,
        "unit": book.unit,
        "exponent": book.exponent,
        "entries_planned": entries,
        "entries_posted": has_entries,
        "amount_planned": amount,
        "amount_posted": has_amount,
        "is_due": batch.state in {"applied", "frozen"},
        "differs": (entries, amount) != (has_entries, has_amount),
    }


def facts(batch: Batch) -> list[tuple[Any, Any]]:
    """Return what identifies the file and its plan."""
    return [
        (_("Name as received"), link_to(batch.receipt)),
        (_("Bytes"), look.count_text(batch.file.size)),
        ("SHA-256", look.digest_cell(bytes(batch.file.sha256))),
        (_("Rules"), link_to(batch.source_version)),
        (
            _("Dates of the records"),
            f"{look.day_text(batch.first_on)} – {look.day_text(batch.last_on)}" if batch.first_on else NOTHING,
        ),
        (_("Plan"), look.digest_cell(bytes(batch.plan_digest)) if batch.plan_digest else NOTHING),
        (_("Approved by"), batch.approved_by.username if batch.approved_by else NOTHING),
    ]


def effects(name: str, batch: Batch) -> Sequence[tuple[Any, Any]]:
    """Say what a transition will do, in records, money and periods."""
    found: list[tuple[Any, Any]] = [(_("File"), batch.receipt.name), (_("Records"), look.count_cell(batch.record_count))]
    if name in {"approve", "apply", "resume", "freeze"}:
        books = Book.objects.in_bulk(list(batch.totals), field_name="code")
        found.append((_("Without effect"), look.count_cell(batch.without_effect_count)))
        found.append((_("Set aside"), look.count_cell(batch.set_aside_count)))
        for code, (entries, _lines, amount) in sorted(batch.totals.items()):
            found.append((gettext("Book {book}, entries").format(book=code), look.count_cell(entries)))
            found.append((gettext("Book {book}, amount").format(book=code), look.amount_cell(amount, books[code])))
        if batch.first_on and batch.last_on:
            periods = Period.objects.filter(book__in=books.values(), starts_on__lte=batch.last_on, ends_on__gte=batch.first_on)
            names = ", ".join(f"{period} ({period.get_state_display()})" for period in periods.select_related("book"))
            found.append((_("Periods"), names))
        found.append((_("Findings"), findings_text(batch) or _("none")))
        found.append((_("Plan"), look.digest_cell(bytes(batch.plan_digest)) if batch.plan_digest else NOTHING))
    return found
