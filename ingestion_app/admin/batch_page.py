"""What the batch page shows: where every record is, what was found, how far it has come, and whether it is safe to run again."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Min
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to, list_url, tellers, url_of
from ingestion_app.admin import batch_progress, batch_sums, undoing, units
from ingestion_app.admin.parts import location_of, sentence_of
from ingestion_app.admin.units import unit_of
from ingestion_app.applying import queries as replays
from ingestion_app.batches.queries.sums import sums_of
from ingestion_app.checks.rules import RULES, Severity, by_severity
from ingestion_app.deciding.queries import alerts, planned_rules
from ingestion_app.models import Batch, Chunk, Finding
from ingestion_app.sources.queries import controls
from ingestion_app.sources.queries.definitions import kept_contras, newer_version
from ingestion_app.states import BATCH
from ingestion_app.status.queries.pauses import pause_of
from ingestion_app.status.queries.rerun import rerun_of
from ingestion_app.validating.queries import shapes
from ledger_app import sql
from ledger_app.base.queries.totals import Total
from ledger_app.errors.printable import escaped
from ledger_app.models import AuditRow, Book, LotRule, Period
from ledger_app.templatetags import look

FINDINGS_SHOWN = 12
REVERSALS_SHOWN = 5
ALERTS_SHOWN = 50
CONTRAS_SHOWN = 50
HAS_POSTED = frozenset({"applying", "applied", "frozen", "reversed"})
LINE_OF_STATES = ("received", "validated", "approved", "applying", "applied", "frozen")
# Those that leave a batch in the state that it has: of when it came into it, and by whom, they say nothing.
ENTER_NOTHING = frozenset(each.name for each in BATCH.transitions if set(each.sources) <= {each.target} or not each.target)
ENDED_OTHERWISE = frozenset({"rejected", "withdrawn", "reversed"})


def context(batch: Batch, asked_after: int | None = None) -> dict[str, Any]:
    """Return the context of the page, but for buttons and audit. ``asked_after``: see ``batch_progress.progress``."""
    books = _books(batch)
    # Before there is a plan the rules say into which book it goes: a batch is told in one zone from its arrival on.
    zone = next((book.time_zone for book in books or units.books_of(batch.source_version)), "UTC")
    original = batch.reverses
    text = (
        gettext("received by {who} · rules v{version} · times in {zone}")
        if original is None
        else gettext("proposed by {who} · rules v{version} · times in {zone}")
    )
    return {
        "title": str(batch),
        "batch": batch,
        "subtitle": text.format(who=batch.received_by, version=batch.source_version.number, zone=zone),
        "zone": zone,
        "steps": steps(batch),
        "pause": pause_of(batch),
        "original": original and {"text": str(original), "url": url_of(original), "state": original.state, "why": _why(batch)},
        "dates": [text for _label, text in undoing.dates_of(batch)],
        "reversals": [
            {"text": str(each), "url": url_of(each), "state": each.state}
            for each in batch.reversals.select_related("source").order_by("-id")[:REVERSALS_SHOWN]
        ],
        **followed(batch, asked_after),
        "receipt": receipt(batch),
        "findings": findings(batch),
        "findings_count": findings_text(batch),
        "findings_url": list_url(Finding, f"batch__id__exact={batch.pk}"),
        "facts": facts(batch),
    }


def followed(batch: Batch, asked_after: int | None = None) -> dict[str, Any]:
    """Return what changes on the page while the batch is worked on. ``asked_after``: see ``batch_progress.progress``.

    All sums are of one statement, and so of one moment.
    """
    unit = unit_of(batch.source_version)
    at = doorways.now()
    sums = sums_of(batch)
    return {
        "batch": batch,
        "waterfall": batch_sums.waterfall(batch, sums),
        "waterfall_unit": unit.unit,
        "waterfall_exponent": unit.exponent,
        "ledger_change": batch_sums.ledger_change(batch, _books(batch), sums.posted),
        "progress": batch_progress.progress(batch, at, asked_after),
        "rerun": batch_progress.rerun(rerun_of(batch, at=at, check=False), batch),
    }


def _books(batch: Batch) -> list[Book]:
    return list(Book.objects.in_bulk(sorted(batch.totals), field_name="code").values())


def receipt(batch: Batch) -> dict[str, Any] | None:
    """Return what the last attempt to apply found and added; None where there was none, or it has not ended."""
    attempt = replays.last_attempt(batch) if batch.state in HAS_POSTED else None
    if attempt is None or attempt.ended_at is None:
        return None
    replay = replays.replay_of_attempt(batch, attempt)
    return {
        "attempt": attempt.number,
        "at": attempt.ended_at,
        "chunks_found": replay.chunks_found,
        "records_found": replay.records_found,
        "chunks_applied": replay.chunks_applied,
        "new_entries": replay.new_entries,
        "equal": replay.is_equal,
        "is_due": batch.state != Batch.State.APPLYING,
    }


def steps(batch: Batch) -> list[dict[str, Any]]:
    """Return the line of states: those that are past with time and person, the one that is, those to come."""
    rows = (
        AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, outcome="done").select_related("actor").order_by("id")
    )
    entered = {row.to_state or "received": row for row in rows if row.action not in ENTER_NOTHING}
    line = list(LINE_OF_STATES)
    if batch.state in ENDED_OTHERWISE:
        line = [state for state in line if state in entered] + [batch.state]
    here = line.index(batch.state)
    return [
        {
            "state": state,
            "label": Batch.State(state).label,
            "past": place < here or (place == here and state == "frozen"),
            "now": place == here,
            "at": entered[state].at if state in entered and place <= here else None,
            "by": entered[state].actor.username if state in entered and place <= here else None,
            "paused": place == here and batch.is_paused,
            "note": _("Paused") if place == here and batch.is_paused else "",
        }
        for place, state in enumerate(line)
    ]


def findings(batch: Batch) -> list[dict[str, Any]]:
    """Return one row for each rule that saw something, the gravest first, with its first place, and how many of its findings are kept."""
    order = list(Severity)
    rules = sorted(batch.finding_counts, key=lambda rule: (order.index(RULES[rule].severity), rule))[:FINDINGS_SHOWN]
    kept = Finding.objects.filter(batch=batch, rule__in=rules).values("rule").annotate(count=Count("id"), first=Min("id"))
    counts = {row["rule"]: row for row in kept}
    firsts = Finding.objects.in_bulk([row["first"] for row in counts.values()])
    return [
        {
            "severity": firsts[counts[rule]["first"]].severity,
            "rule": rule,
            "sentence": sentence_of(firsts[counts[rule]["first"]]),
            "where": location_of(firsts[counts[rule]["first"]]),
            "count": batch.finding_counts[rule],
            "kept": None if counts[rule]["count"] == batch.finding_counts[rule] else counts[rule]["count"],
            "url": list_url(Finding, f"batch__id__exact={batch.pk}&rule={rule}"),
        }
        for rule in rules
        if rule in counts
    ]


def findings_text(batch: Batch) -> str:
    """Return how many findings of each severity there are, in words."""
    counts = by_severity(batch.finding_counts)
    texts = {
        Severity.ERROR: ngettext("{count} error", "{count} errors", counts[Severity.ERROR]),
        Severity.ALERT: ngettext("{count} alert", "{count} alerts", counts[Severity.ALERT]),
        Severity.WARNING: ngettext("{count} warning", "{count} warnings", counts[Severity.WARNING]),
        Severity.NOTE: ngettext("{count} note", "{count} notes", counts[Severity.NOTE]),
    }
    return " · ".join(texts[severity].format(count=look.count_text(count)) for severity, count in counts.items() if count)


def facts(batch: Batch) -> list[tuple[Any, Any]]:
    """Return what identifies the file and its plan."""
    came: list[tuple[Any, Any]] = [
        (_("Name as received"), link_to(batch.receipt)),
        (_("Bytes"), look.count_text(batch.file.size)),
        ("SHA-256", look.digest_cell(bytes(batch.file.sha256))),
    ]
    return [
        *([(_("Reverses"), link_to(batch.reverses))] if batch.reverses_id is not None else came),
        (_("Rules"), link_to(batch.source_version)),
        *_controls(batch),
        *_newer(batch),
        *_contras(batch),
        *_lot_rules(batch),
        *_acknowledged(batch),
        *_compared(batch),
        (
            _("Dates of the records"),
            f"{look.day_text(batch.first_on)} – {look.day_text(batch.last_on)}" if batch.first_on else NOTHING,
        ),
        (_("Plan"), look.digest_cell(bytes(batch.plan_digest)) if batch.plan_digest else NOTHING),
        (_("Approved by"), batch.approved_by.username if batch.approved_by else NOTHING),
    ]


def _controls(batch: Batch) -> list[tuple[Any, Any]]:
    """Return which controls the sender gives: none is said as loudly as any."""
    return [(_("Controls"), controls.text_of(batch))] if batch.reverses_id is None else []


def _newer(batch: Batch) -> list[tuple[Any, Any]]:
    """Return that a newer version of the source was loaded, where that concerns a plan of which nothing is posted yet."""
    newer = newer_version(batch) if batch.state in {"validated", "approved"} and batch.reverses_id is None else None
    return [(_("Loaded since"), gettext("version {number} of the source").format(number=newer))] if newer else []


def _contras(batch: Batch) -> list[tuple[Any, Any]]:
    """Return the accounts that the plan gives to the reason codes of the file."""
    return [
        (gettext("Reason code {reason}").format(reason=reason), f"{book} · {contra.code}")
        for (book, reason), contra in sorted(kept_contras(batch).items())[:CONTRAS_SHOWN]
    ]


def _lot_rules(batch: Batch) -> list[tuple[Any, Any]]:
    """Return the rules of lots that the plan was made under."""
    found = []
    for book, role, said in planned_rules.kept_of(batch):
        fixed_on = date.fromisoformat(said.fixed_on) if said.fixed_on else None
        words = (
            look.expiry_text(said.expiry, said.validity, fixed_on),
            LotRule.Order(said.order).label,
            LotRule.Kind(said.kind).label,
            said.breakage,
        )
        found.append((gettext("Lots of {book}, role {role}").format(book=book, role=role), " · ".join(map(str, words))))
    return found


def _told_totals(_batch: Batch, totals: Mapping[str, Any]) -> dict[str, str]:
    """Return what is planned for each book, in words."""
    books = Book.objects.in_bulk(list(totals), field_name="code")
    sentence = gettext("{entries} entries, {lines} lines, {amount} {unit}")
    return {
        code: sentence.format(
            entries=look.count_text(entries),
            lines=look.count_text(lines),
            amount=look.amount_text(amount, books[code].exponent),
            unit=books[code].unit,
        )
        for code, (entries, lines, amount) in sorted(totals.items())
    }


tellers[Batch, "totals"] = _told_totals


def effects(name: str, batch: Batch) -> Sequence[tuple[Any, Any]]:
    """Say what a transition will do, in records, money and periods."""
    found = [*_paused(batch), *_subject(batch)]
    if name == "acknowledge":
        return [*found, *_alerts(batch)]
    if name == "leave":
        found += _left_out(batch)
    if name in {"approve", "apply", "resume", "pause", "freeze", "reverse"}:
        books = Book.objects.in_bulk(list(batch.totals), field_name="code")
        for code, (entries, _lines, amount) in sorted(batch.totals.items()):
            found.append((gettext("Book {book}, entries").format(book=code), look.count_cell(entries)))
            found.append((gettext("Book {book}, amount").format(book=code), look.amount_cell(amount, books[code])))
        if batch.first_on and batch.last_on:
            periods = Period.objects.filter(sql.meeting(batch.first_on, batch.last_on), book__in=books.values())
            names = ", ".join(f"{period} ({period.get_state_display()})" for period in periods.select_related("book"))
            found.append((_("Periods"), names))
        found += [*_controls(batch), *_compared(batch), *_contras(batch), *_lot_rules(batch)]
        found.append((_("Findings"), findings_text(batch) or _("none")))
        found += _acknowledged(batch)
        found.append((_("Plan"), look.digest_cell(bytes(batch.plan_digest)) if batch.plan_digest else NOTHING))
    if name == "reverse" and batch.reverses_id is None:
        found += undoing.facts(batch, gettext("The reversal"))
    elif name == "approve" and batch.reverses_id is None and batch.state == Batch.State.VALIDATED:
        found += undoing.facts(batch, gettext("If undone"))
    return found


def _alerts(batch: Batch) -> list[tuple[Any, Any]]:
    """Return each alert as a sentence, and the files that this one was compared with: the person who acknowledges the alerts sees them."""
    rows = [(RULES[each.rule].code, sentence_of(each)) for each in alerts.of_batch(batch)[:ALERTS_SHOWN]]
    left = alerts.count_of(batch) - len(rows)
    address = list_url(Finding, f"batch__id__exact={batch.pk}&severity={Severity.ALERT}")
    more = [(_("Further alerts"), format_html('<a href="{}">{}</a>', address, look.count_text(left)))]
    return [*_compared(batch), *rows, *(more if left else [])]


def _acknowledged(batch: Batch) -> list[tuple[Any, Any]]:
    """Return who has acknowledged the alerts of the last validation, and why."""
    found = alerts.acknowledgement_of(batch)
    if found is None:
        return []
    text = gettext("by {who}: {reason}").format(who=found.acknowledged_by, reason=found.reason)
    return [(_("Alerts acknowledged"), text)]


def _compared(batch: Batch) -> list[tuple[Any, Any]]:
    """Return how many earlier files the file was compared with, or why with none."""
    told = shapes.comparison_text(batch)
    return [(_("Earlier files"), told)] if told else []


def _left_out(batch: Batch) -> list[tuple[Any, Any]]:
    """Say how much is left out where a batch ends with what is applied of it, and why that has stopped."""
    rest = Chunk.objects.filter(batch=batch).exclude(state=Chunk.State.APPLIED)
    of_rest = rest.aggregate(chunks=Count("id"), records=Total("record_count"))
    first = rest.filter(state=Chunk.State.STOPPED).order_by("number").first()
    why = [(_("Why the first has stopped"), first.reasons[0]["sentence"])] if first is not None and first.reasons else []
    return [
        (_("Chunks that are left out"), look.count_cell(of_rest["chunks"])),
        (_("Records that are left out"), look.count_cell(of_rest["records"] or 0)),
        *why,
    ]


def _why(batch: Batch) -> str:
    """Return the reason for which a reversal was proposed; it is kept with the batch that it reverses."""
    rows = AuditRow.objects.filter(subject_type="batch", subject_id=batch.reverses_id or 0, action="reverse", outcome="done")
    return next((row.reason for row in rows.order_by("-id") if row.facts.get("reversal") == batch.pk), "")


def _subject(batch: Batch) -> list[tuple[Any, Any]]:
    if batch.receipt is None:
        return [(_("Reverses"), link_to(batch.reverses)), *undoing.dates_of(batch)]
    return [
        (_("File"), escaped(batch.receipt.name)),
        (_("Records"), look.count_cell(batch.record_count)),
        (_("Without effect"), look.count_cell(batch.without_effect_count)),
        (_("Set aside"), look.count_cell(batch.set_aside_count)),
    ]


def _paused(batch: Batch) -> list[tuple[Any, Any]]:
    pause = pause_of(batch)
    if pause is None:
        return []
    by = gettext("itself, applying for {who}").format(who=pause.by) if pause.by_itself else pause.by
    return [(_("Paused at"), look.instant_cell(pause.at)), (_("Paused by"), by), (_("Why it is paused"), pause.reason)]
