"""validate BATCH: reads the whole file and plans what would be posted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app import errors
from ingestion_app.checks.rules import RULES, Severity, by_severity
from ingestion_app.deciding.queries import alerts, batches
from ingestion_app.management import numbered
from ingestion_app.management.beating import beating
from ingestion_app.models import Batch, Finding, Worker
from ingestion_app.sources.queries import controls, definitions
from ingestion_app.states import BATCH
from ingestion_app.validating.operations import validating
from ingestion_app.validating.queries import shapes
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import money

SHOWN = 20
POSTED = frozenset({Batch.State.APPLYING, Batch.State.APPLIED, Batch.State.FROZEN, Batch.State.REVERSED})


class Command(commands.Command):
    """Validates a batch: exit status 3 where it is rejected."""

    help = "Validate a batch: check every record, plan what would be posted, post nothing. Exit status 3: rejected, findings are stored."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("batch", type=commands.positive, metavar="BATCH")
        parser.add_argument("--user", metavar="U", help="who validates; the system where it is not given")
        parser.add_argument("--workers", type=commands.positive, default=1, metavar="N", help="processes that read a large file")
        parser.add_argument("--again", action="store_true", help="validate a batch that is validated or approved once more")
        commands.add_shown_version(parser)

    def run(self, **options: Any) -> commands.Outcome:
        """Validate, unless it was already done."""
        caller = commands.caller(options["user"])
        batch, version = numbered.batch(options["batch"]), options["shown_version"]
        # An approval that holds is another's, and would be void. One whose plan has moved is void already.
        if options["again"] and batch.state == Batch.State.APPROVED and not batches.moved(batch):
            version = commands.demand_version(BATCH, "validate", batch, version)
        return validate(batch, caller, options["workers"], again=options["again"], version=version)


def validate(
    batch: Batch, caller: Caller, workers: int = 1, *, again: bool = False, version: int | None = None
) -> commands.Outcome:
    """Validate a batch and print the result. A batch past validation is left as it is; the command says so, and what to do instead."""
    has_plan = batch.state in {Batch.State.VALIDATED, Batch.State.APPROVED}
    if batch.state in POSTED:
        return _left(batch, f"it is {batch.state}: what it posts is validated no more, and nothing was read")
    if has_plan and not again:
        return _left(batch, f"nothing was read: it was validated already; validate {batch.pk} --again reads it once more")
    with beating(Worker.Kind.VALIDATE), commands.Progress() as progress:
        batch = validating.validate(
            batch_id=batch.pk,
            directory=Path(settings.KAKUTEI_FILES_DIR),
            caller=caller,
            now=doorways.now,
            workers=min(workers, commands.WORKERS_MOST),
            on_progress=progress.phase,
            version=version,
        )
    return tell(batch)


def _left(batch: Batch, why: str) -> commands.Outcome:
    """Say that the batch was left as it is, and why; where the basis of its plan has moved, that the batch has to be validated again."""
    said = tell(batch)
    moved = batches.moved(batch) if batch.state in batches.WAITING else []
    complaints = tuple(str(errors.PlanMoved(what=what, batch=batch.pk)) for what in moved)
    return replace(
        said,
        data={**said.data, "read": False},
        lines=(*said.lines, why),
        status=commands.REFUSED if complaints else said.status,
        complaints=(*said.complaints, *complaints),
    )


def tell(batch: Batch) -> commands.Outcome:
    """Say what validation found: counts, sums, the plan's digest; the first warnings; for a rejected batch the first errors."""
    data = {
        "batch": batch.pk,
        "state": batch.state,
        "version": batch.version,
        "records": batch.record_count,
        "sum": batch.record_sum,
        "trailer_count": batch.trailer_count,
        "trailer_sum": batch.trailer_sum,
        "controls": controls.of_batch(batch),
        "without_effect": batch.without_effect_count,
        "set_aside": batch.set_aside_count,
        "findings": batch.finding_counts,
        "alerts": alerts.count_of(batch),
        "alerts_digest": alerts.digest_of(batch) or None,
        "compared": shapes.compared_with(batch) or [],
        "totals": batch.totals,
        "plan": batches.hexadecimal(batch.plan_digest),
        "read": True,
    }
    line = (
        f"batch {batch.pk} ({batch}) is {batch.state}: {_records(batch.record_count)}, sum {_sum(batch)}; "
        f"findings {', '.join(f'{rule} {count}' for rule, count in sorted(batch.finding_counts.items())) or 'none'}"
    )
    lines = (line, f"controls: {controls.text_of(batch)}")
    if batch.state != Batch.State.REJECTED:
        # What a person has to look at before approving is said, and not only counted.
        looked_at = Finding.objects.filter(batch=batch, severity__in=["alert", "warning"]).order_by("severity", "line", "column")
        open_alerts = (alerts.line_of(batch),) if data["alerts"] else ()
        earlier = (f"earlier files: {shapes.comparison_text(batch)}",) if batch.reverses_id is None else ()
        return commands.Outcome(data, (*lines, *earlier, *map(_complaint, looked_at[:SHOWN]), *open_alerts))
    found = Finding.objects.filter(batch=batch, severity="error").order_by("line", "column")[:SHOWN]
    complaints = tuple(_complaint(finding) for finding in found)
    left = by_severity(batch.finding_counts)[Severity.ERROR] - len(complaints)
    more = (f"… and {left:,} more; {_kept(batch)}",) if left > 0 else ()
    return commands.Outcome(data, lines, commands.INVALID, complaints + more)


def _records(count: int | None) -> str:
    return "records not known" if count is None else counted(count, "record")


def _sum(batch: Batch) -> str:
    if batch.record_sum is None:
        return "not known"
    definition = definitions.definition_of(batch.source_version)
    return money.text(batch.record_sum, definitions.unit_of(definition, definitions.books_of(definition)))


def _complaint(finding: Finding) -> str:
    rule = RULES[finding.rule]
    where = f"line {finding.line}" + (f", field {finding.column}" if finding.column else "") if finding.line else "file"
    return f"{finding.rule}: {where}: {rule.seen_text(finding.facts)} {rule.remedy_text(finding.facts)}"


def _kept(batch: Batch) -> str:
    """Say how many of the findings that are errors can be looked at: of each rule the first are kept."""
    errors_found = {rule: count for rule, count in batch.finding_counts.items() if RULES[rule].severity == "error"}
    kept = Finding.objects.filter(batch=batch, rule__in=errors_found).count()
    total = sum(errors_found.values())
    if kept == total:
        return f"all {total:,} are kept with batch {batch.pk}."
    return f"{kept:,} of {total:,} are kept with batch {batch.pk}, the first of each rule."
