"""What goes out about batches."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.doors import callers as doorways
from config.doors.api.views import DigestOutput, OfferOutput, Output, ReasonOutput, offers
from ingestion_app.api.status import AlertsOutput
from ingestion_app.checks.rules import RULES
from ingestion_app.deciding.queries import alerts, batches
from ingestion_app.models import Attempt, Batch, Finding, Record
from ingestion_app.reversing.queries import reversals
from ingestion_app.sources.queries import definitions
from ingestion_app.states import BATCH
from ingestion_app.status.queries import explain

ATTEMPTS_SHOWN = 10


class TotalsOutput(Output):
    """What is planned for one book: entries, lines, and the sum of debits in minor units."""

    entries = serializers.IntegerField()
    lines = serializers.IntegerField()
    debits = serializers.IntegerField()


@extend_schema_field(serializers.DictField(child=TotalsOutput()))
class TotalsByBookOutput(serializers.Field[Any, Any, Any, Any]):
    """Planned totals by the code of the book."""

    def to_representation(self, value: dict[str, list[int]]) -> dict[str, dict[str, int]]:
        """Return each total under its name."""
        return {book: dict(zip(("entries", "lines", "debits"), totals, strict=True)) for book, totals in value.items()}


class BatchOutput(Output):
    """A batch, as lists show it. Sums are in minor units."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="*", help_text=_("Source, business date and sequence, for people."))
    source = serializers.CharField(source="source.code")  # type: ignore[assignment]  # a field of the shape, not the attribute
    business_date = serializers.DateField()
    sequence = serializers.IntegerField()
    state = serializers.CharField(help_text=", ".join(Batch.State.values))
    version = serializers.IntegerField(help_text=_("Moves with every change of state."))
    record_count = serializers.IntegerField(allow_null=True)
    record_sum = serializers.IntegerField(allow_null=True)
    finding_counts = serializers.DictField(child=serializers.IntegerField(), help_text=_("How many findings, by rule."))
    received_by = serializers.CharField(source="received_by.username")
    received_at = serializers.DateTimeField(
        source="receipt.received_at", allow_null=True, default=None, help_text=_("Null for a reversal: nothing arrived.")
    )
    reverses = serializers.IntegerField(source="reverses_id", allow_null=True, help_text=_("The batch that this one undoes."))
    is_paused = serializers.BooleanField(help_text=_("Whether applying waits for somebody to resume it."))


class ChunkCountsOutput(Output):
    """How many chunks are in each state."""

    pending = serializers.IntegerField()
    stopped = serializers.IntegerField()
    applied = serializers.IntegerField()


class AttemptOutput(Output):
    """One try at a step."""

    step = serializers.CharField(help_text="validate, apply")
    number = serializers.IntegerField()
    outcome = serializers.CharField(help_text="running, done, refused, failed, paused")
    phase = serializers.CharField(help_text="check, store, apply, recount")
    actor = serializers.CharField(source="actor.username")
    started_at = serializers.DateTimeField()
    heartbeat_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    done_records = serializers.IntegerField()
    seconds = serializers.DictField(help_text=_("Seconds spent, by what they were spent on."))
    counts = serializers.DictField(help_text=_("How often something happened, such as commits and deadlocks."))
    reasons = ReasonOutput(many=True)


class ProgressOutput(Output):
    """How far applying has come."""

    chunks = ChunkCountsOutput()
    records = serializers.IntegerField()
    records_applied = serializers.IntegerField()
    percent = serializers.IntegerField(help_text=_("Of the records, rounded down."))


class BatchProgressOutput(ProgressOutput):
    """How far a batch has come, and its last attempts: made to be asked again and again."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    attempts = AttemptOutput(many=True, help_text=_("The last ten, newest first."))

    def to_representation(self, instance: Batch) -> dict[str, Any]:
        """Return the progress of a batch."""
        attempts = Attempt.objects.filter(batch=instance).select_related("actor").order_by("-id")[:ATTEMPTS_SHOWN]
        shown = {"id": instance.pk, "state": instance.state, "version": instance.version, "attempts": attempts}
        found: dict[str, Any] = super().to_representation({**shown, **batches.progress(instance)})
        return found


class DatedOutput(Output):
    """Which dates the reversals of one period's entries get."""

    book = serializers.CharField()
    period = serializers.CharField(help_text=_("The period of the entries that are reversed."))
    moved_to = serializers.DateField(allow_null=True, help_text=_("Null: each on its own date."))
    entries = serializers.IntegerField(allow_null=True, help_text=_("Null before they are posted."))


class PreviewOutput(Output):
    """What the reversal of a batch would come to."""

    is_posted = serializers.BooleanField(
        help_text=_(
            "Whether this is what the batch has posted, and so at most: what was reversed by itself is left out of the plan."
        )
    )
    totals = TotalsByBookOutput()
    dates = DatedOutput(many=True)
    refusals = ReasonOutput(many=True, help_text=_("Why the ledger would not take it."))


class BatchDetailOutput(BatchOutput):
    """A batch: what came, what was found, what is planned, how far it is, and what can be done next."""

    receipt = serializers.IntegerField(source="receipt_id", allow_null=True)
    file_name = serializers.CharField(source="receipt.name", allow_null=True, default=None)
    sha256 = DigestOutput(source="file.sha256")
    bytes = serializers.IntegerField(source="file.size")
    source_version = serializers.IntegerField(source="source_version.number")
    newer_source_version = serializers.SerializerMethodField(
        help_text=_(
            "The newest version of the source, where it was loaded after the plan was made; an approval then says to know of it."
        )
    )
    planned_by = serializers.CharField(source="planned_by.username", allow_null=True, default=None)
    approved_by = serializers.CharField(source="approved_by.username", allow_null=True, default=None)
    plan = DigestOutput(source="plan_digest", allow_null=True, help_text=_("The digest that an approval names."))
    approved_plan = DigestOutput(source="approved_digest", allow_null=True)
    trailer_count = serializers.IntegerField(allow_null=True)
    trailer_sum = serializers.IntegerField(allow_null=True)
    without_effect_count = serializers.IntegerField()
    set_aside_count = serializers.IntegerField()
    set_aside_sum = serializers.SerializerMethodField(help_text=_("Null where the amount of a record could not be read."))
    first_on = serializers.DateField(allow_null=True)
    last_on = serializers.DateField(allow_null=True)
    totals = TotalsByBookOutput()
    alerts = serializers.SerializerMethodField(
        help_text=_("What looks wrong with the file, to be acknowledged before it is approved.")
    )
    reversal = serializers.SerializerMethodField(help_text=_("The batch that undoes this one, or is to undo it."))
    reversal_dates = serializers.SerializerMethodField(help_text=_("Of a reversal: which dates its entries get."))
    progress = serializers.SerializerMethodField()
    offers = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_newer_source_version(self, batch: Batch) -> int | None:
        """Return the number of the newer version."""
        is_waiting = batch.state in batches.WAITING and batch.reverses_id is None
        return definitions.newer_version(batch) if is_waiting else None

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_set_aside_sum(self, batch: Batch) -> int | None:
        """Return the sum of what was set aside, as far as all of it could be read."""
        return None if batch.record_count is not None and batch.record_sum is None else batch.set_aside_sum

    @extend_schema_field(AlertsOutput)
    def get_alerts(self, batch: Batch) -> Any:
        """Return the alerts, and who has acknowledged them."""
        return AlertsOutput(alerts.as_dict(batch)).data

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_reversal(self, batch: Batch) -> int | None:
        """Return the number of the reversal."""
        return Batch.objects.filter(reverses=batch, holds_original=True).values_list("id", flat=True).first()

    @extend_schema_field(DatedOutput(many=True))
    def get_reversal_dates(self, batch: Batch) -> Any:
        """Return the dates of a reversal."""
        return DatedOutput(reversals.dates_of(batch), many=True).data

    @extend_schema_field(ProgressOutput)
    def get_progress(self, batch: Batch) -> Any:
        """Return how far applying has come."""
        return ProgressOutput(batches.progress(batch)).data

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, batch: Batch) -> Any:
        """Return what can be done next."""
        caller = doorways.from_request(self.context["request"], "api")
        return OfferOutput(offers(BATCH, batches.facts(batch, user=caller.user, deep=False)), many=True).data


class ReceiptOutput(Output):
    """The arrival of a file. For the same bytes again, ``first`` is the receipt they came under before, and ``batch`` is its batch."""

    id = serializers.IntegerField()
    outcome = serializers.CharField(help_text="accepted, duplicate")
    first = serializers.IntegerField(source="first_id", allow_null=True)
    name = serializers.CharField()
    sha256 = DigestOutput(source="file.sha256")
    bytes = serializers.IntegerField(source="file.size")
    received_at = serializers.DateTimeField()
    batch = serializers.SerializerMethodField()

    @extend_schema_field(BatchOutput)
    def get_batch(self, receipt: Any) -> Any:
        """Return the batch that works on these bytes."""
        return BatchOutput((receipt.first or receipt).batch).data


class FindingOutput(Output):
    """Something that validation saw, and what would make it pass."""

    id = serializers.IntegerField()
    severity = serializers.CharField(help_text="error, alert, warning, note")
    rule = serializers.CharField()
    line = serializers.IntegerField(help_text=_("From 1; 0 is the file as a whole."))
    column = serializers.IntegerField(help_text=_("From 1, the marker; 0 is the line as a whole."))
    offset = serializers.IntegerField(help_text=_("In bytes from the beginning of the file."))
    raw = serializers.SerializerMethodField(help_text=_("The first bytes of the line, in hexadecimal."))
    sentence = serializers.SerializerMethodField()
    remedy = serializers.SerializerMethodField()
    facts = serializers.DictField()

    def get_raw(self, finding: Finding) -> str:
        """Return the bytes in hexadecimal: they need not be text in any encoding."""
        return bytes(finding.raw).hex()

    def get_sentence(self, finding: Finding) -> str:
        """Say what was seen."""
        return RULES[finding.rule].seen_text(finding.facts)

    def get_remedy(self, finding: Finding) -> str:
        """Say what would make it pass."""
        return RULES[finding.rule].remedy_text(finding.facts)


class RecordOutput(Output):
    """One parsed row of a file."""

    line = serializers.IntegerField()
    offset = serializers.IntegerField()
    length = serializers.IntegerField()
    status = serializers.CharField(help_text="planned, no_effect, set_aside")
    chunk = serializers.IntegerField(source="chunk_id", allow_null=True)
    key = serializers.CharField()
    holder = serializers.IntegerField(source="holder_id", allow_null=True)
    amount = serializers.IntegerField(allow_null=True, help_text=_("In minor units."))
    values = serializers.SerializerMethodField(help_text=_("By the names of the layout's columns."))

    @extend_schema_field({"type": "object", "additionalProperties": True, "nullable": True})
    def get_values(self, record: Record) -> dict[str, Any] | None:
        """Return what the record says, by column."""
        return explain.typed(self.context["source_version"], record) if record.values is not None else None


class ChunkOutput(Output):
    """The records of a set of holders that are applied in one transaction."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField(help_text="pending, stopped, applied")
    record_count = serializers.IntegerField()
    record_sum = serializers.IntegerField()
    totals = TotalsByBookOutput()
    undoes = serializers.IntegerField(
        source="undoes_id", allow_null=True, help_text=_("Of a reversal: the chunk that it undoes.")
    )
    lease_token = serializers.IntegerField(help_text=_("How often it was taken to be applied."))
    lease_until = serializers.DateTimeField(allow_null=True)
    leased_by = serializers.CharField()
    applied_at = serializers.DateTimeField(allow_null=True)
    reasons = ReasonOutput(many=True, help_text=_("Why it stopped."))
