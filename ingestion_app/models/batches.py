"""The work of taking files in: batches, and what they are made of."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ingestion_app.models.sources import File, Receipt, Source, SourceVersion
from ledger_app.models import Holder, User
from ledger_app.models.fields import DigestField, ReasonsField


class Batch(models.Model):
    """The work of taking one file in.

    ``holds_slot``, ``holds_file`` and ``holds_original`` are True or NULL: unique keys ignore NULL, so a rejected batch frees its slot for
    the corrected file, and a withdrawn one frees its bytes too, while two live batches can never share either.

    A batch that ``reverses`` another has no receipt: nothing arrived. It has source, file and slot of the one it reverses, and holds neither.
    """

    class State(models.TextChoices):
        """See docs/states-batch.md for the transitions."""

        RECEIVED = "received", _("Received")
        REJECTED = "rejected", _("Rejected")
        VALIDATED = "validated", _("Validated")
        APPROVED = "approved", _("Approved")
        APPLYING = "applying", _("Applying")
        APPLIED = "applied", _("Applied")
        FROZEN = "frozen", _("Frozen")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REVERSED = "reversed", _("Reversed")

    source = models.ForeignKey(Source, models.PROTECT, related_name="batches", verbose_name=_("source"), db_index=False)
    source_version = models.ForeignKey(SourceVersion, models.PROTECT, related_name="batches", verbose_name=_("source version"))
    file = models.ForeignKey(File, models.PROTECT, related_name="batches", verbose_name=_("file"))
    receipt = models.OneToOneField(Receipt, models.PROTECT, null=True, related_name="batch", verbose_name=_("receipt"))
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals", verbose_name=_("reverses"))
    business_date = models.DateField(_("business date"))
    sequence = models.PositiveIntegerField(_("sequence"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    version = models.PositiveIntegerField(_("version"), default=1)
    holds_slot = models.BooleanField(_("holds its slot"), null=True, default=True, editable=False)
    holds_file = models.BooleanField(_("holds its file"), null=True, default=True, editable=False)
    holds_original = models.BooleanField(_("holds what it reverses"), null=True, default=None, editable=False)
    is_paused = models.BooleanField(_("paused"), default=False)

    received_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("received by"))
    planned_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("validated by"))
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by"))
    plan_digest = DigestField(_("plan"), null=True)
    approved_digest = DigestField(_("approved plan"), null=True)

    record_count = models.PositiveIntegerField(_("records"), null=True)
    record_sum = models.BigIntegerField(_("sum of records"), null=True)
    trailer_count = models.BigIntegerField(_("count in the trailer"), null=True)
    trailer_sum = models.BigIntegerField(_("sum in the trailer"), null=True)
    without_effect_count = models.PositiveIntegerField(_("records without effect"), default=0)
    set_aside_count = models.PositiveIntegerField(_("records set aside"), default=0)
    set_aside_sum = models.BigIntegerField(_("sum set aside"), default=0)
    first_on = models.DateField(_("first date"), null=True)
    last_on = models.DateField(_("last date"), null=True)
    totals = models.JSONField(_("planned totals by book"), default=dict)
    # Of a reversal: by book and period of the entries, [the day that they are moved to, or null for their own dates; how many].
    reversal_dates = models.JSONField(_("dates of the reversal"), null=True, editable=False)
    # What the plan decided and its rows do not say: by book and reason code the account that takes the other side, as [id, code].
    contra_accounts = models.JSONField(_("accounts of reason codes"), null=True, editable=False)
    # The rules of lots that the plan was made under, by book and role; null where there is no plan, and of a reversal.
    lot_rules = models.JSONField(_("rules of lots"), null=True, editable=False)
    finding_counts = models.JSONField(_("findings by rule"), default=dict)

    history = HistoricalRecords()

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        permissions = [
            ("receive_batch", gettext_noop("Can receive a file")),
            ("validate_batch", gettext_noop("Can validate a batch")),
            ("approve_batch", gettext_noop("Can approve a batch")),
            ("apply_batch", gettext_noop("Can apply a batch")),
            ("withdraw_batch", gettext_noop("Can withdraw a batch")),
            ("freeze_batch", gettext_noop("Can freeze a batch")),
            ("reverse_batch", gettext_noop("Can propose the reversal of a batch")),
        ]
        indexes = [models.Index(fields=["state"], name="batch_state")]
        constraints = [
            models.UniqueConstraint(fields=["source", "business_date", "sequence", "holds_slot"], name="batch_slot_unique"),
            models.UniqueConstraint(fields=["source", "file", "holds_file"], name="batch_file_unique"),
            models.UniqueConstraint(fields=["reverses", "holds_original"], name="batch_reversal_unique"),
            models.CheckConstraint(
                condition=(Q(holds_slot__isnull=True) | Q(holds_slot=True))
                & (Q(holds_file__isnull=True) | Q(holds_file=True))
                & (Q(holds_original__isnull=True) | Q(holds_original=True)),
                name="batch_holds_true_or_null",
            ),
            models.CheckConstraint(
                condition=Q(reverses__isnull=True, receipt__isnull=False, holds_original__isnull=True)
                | Q(reverses__isnull=False, receipt__isnull=True, holds_slot__isnull=True, holds_file__isnull=True),
                name="batch_received_or_reversal",
            ),
            models.CheckConstraint(condition=Q(is_paused=False) | Q(state="applying"), name="batch_paused_applying"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "received",
                        "rejected",
                        "validated",
                        "approved",
                        "applying",
                        "applied",
                        "frozen",
                        "withdrawn",
                        "reversed",
                    ]
                ),
                name="batch_state_known",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | (~Q(approved_by=F("received_by")) & ~Q(approved_by=F("planned_by"))),
                name="batch_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "applying", "applied", "frozen", "reversed"])
                | Q(
                    approved_by__isnull=False,
                    planned_by__isnull=False,
                    # Said of itself: a CHECK that comes to NULL, as a comparison with NULL does, passes.
                    approved_digest__isnull=False,
                    plan_digest__isnull=False,
                    approved_digest=F("plan_digest"),
                ),
                name="batch_approved_plan",
            ),
        ]

    def __str__(self) -> str:
        """Return the batch's name: source, business date, sequence; of a reversal, the number of the batch that it reverses too."""
        name = f"{self.source.code} · {self.business_date} · {self.sequence}"
        return name if self.reverses_id is None else f"{name} · ↶{self.reverses_id}"


class Attempt(models.Model):
    """One try at a step of a batch: where it ran, how far it came, how it ended."""

    class Step(models.TextChoices):
        """The steps that take time."""

        VALIDATE = "validate", _("Validate")
        APPLY = "apply", _("Apply")

    class Outcome(models.TextChoices):
        """How it ended; ``running`` with an old heartbeat means that its process is gone."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")
        PAUSED = "paused", _("Paused")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="attempts", verbose_name=_("batch"), db_index=False)
    step = models.CharField(_("step"), max_length=10, choices=Step)
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.RUNNING)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("by"))
    host = models.CharField(_("host"), max_length=64)
    process = models.PositiveIntegerField(_("process"))
    # The process by a name that no other has: numbers are given again, and hosts may share a name.
    worker = models.CharField(_("instance"), max_length=40, null=True, editable=False)
    # The batch's when the attempt began: it moves when a person starts the step again.
    batch_version = models.PositiveIntegerField(_("version of the batch"), null=True, editable=False)
    started_at = models.DateTimeField(_("started at"))
    heartbeat_at = models.DateTimeField(_("last sign of life"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    phase = models.CharField(_("phase"), max_length=10, blank=True)
    done_records = models.PositiveIntegerField(_("records done"), default=0)
    reasons = ReasonsField(_("why it stopped"), default=list)
    seconds = models.JSONField(_("seconds by phase"), default=dict)
    counts = models.JSONField(_("counts"), default=dict)

    class Meta:
        """Names and constraints."""

        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint(fields=["batch", "step", "number"], name="attempt_number_unique")]

    def __str__(self) -> str:
        """Return step and number."""
        return f"{self.step} {self.number}"


class Chunk(models.Model):
    """The records of a set of holders that are applied in one transaction, and what the plan expects of it.

    A worker takes a chunk under a lease: ``lease_token`` counts how often it was taken, and only the worker that took it last may apply or stop it;
    who applies it says under which token, and the database refuses any but the last.
    A chunk of a reversal ``undoes`` a chunk of the batch that is reversed, and has no records of its own. Where a ``holder`` is named, the
    chunk is one part of that member's records. Chunks of one ``series`` touch the same account of which it matters what it has, or are parts of
    one member's records: each is applied after those before it.
    """

    class State(models.TextChoices):
        """``applied`` is final and is written in the transaction that writes the chunk's entries."""

        PENDING = "pending", _("Waiting")
        STOPPED = "stopped", _("Stopped")
        APPLIED = "applied", _("Applied")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="chunks", verbose_name=_("batch"), db_index=False)
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    record_count = models.PositiveIntegerField(_("records"))
    record_sum = models.BigIntegerField(_("sum of records"))
    totals = models.JSONField(_("planned totals by book"))
    records_digest = DigestField(_("digest of its records"), null=True)
    holder = models.ForeignKey(
        Holder,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("the only member"),
        db_index=False,
        db_constraint=False,
    )
    series = models.PositiveIntegerField(_("number of its series"), null=True, editable=False)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("undoes"))
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, related_name="chunks", verbose_name=_("attempt"))
    lease_token = models.PositiveIntegerField(_("fencing token"), default=0)
    applied_token = models.PositiveIntegerField(_("fencing token when it was applied"), default=0)
    lease_until = models.DateTimeField(_("leased until"), null=True)
    leased_by = models.CharField(_("leased by"), max_length=120, blank=True)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    reasons = ReasonsField(_("why it stopped"), default=list)

    class Meta:
        """Names and constraints."""

        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="chunk_number_unique"),
            models.CheckConstraint(condition=Q(state__in=["pending", "stopped", "applied"]), name="chunk_state_known"),
            models.CheckConstraint(condition=~Q(state="applied") | Q(applied_at__isnull=False), name="chunk_applied_at_given"),
            models.CheckConstraint(
                condition=~Q(state="applied") | Q(applied_token=F("lease_token")), name="chunk_applied_by_last"
            ),
        ]

    def __str__(self) -> str:
        """Return batch and number."""
        return f"{self.batch_id}/{self.number}"


class Record(models.Model):
    """One parsed row of a file: where its bytes are, what they say, and which chunk applies it."""

    class Status(models.TextChoices):
        """Every record of a file is exactly one of these."""

        PLANNED = "planned", _("To apply")
        WITHOUT_EFFECT = "no_effect", _("Without effect")
        SET_ASIDE = "set_aside", _("Set aside")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="records", verbose_name=_("batch"), db_index=False)
    line = models.PositiveIntegerField(_("line"))
    offset = models.PositiveBigIntegerField(_("offset"))
    length = models.PositiveIntegerField(_("length"))
    status = models.CharField(_("status"), max_length=9, choices=Status)
    chunk = models.ForeignKey(Chunk, models.PROTECT, null=True, related_name="records", verbose_name=_("chunk"))
    key = models.CharField(_("key"), max_length=100, blank=True)
    # Neither index nor constraint: holders are never deleted, and a record is reached by batch and line or by chunk.
    holder = models.ForeignKey(
        Holder, models.PROTECT, null=True, related_name="+", verbose_name=_("member"), db_index=False, db_constraint=False
    )
    amount = models.BigIntegerField(_("amount"), null=True)
    values = models.JSONField(_("values"), null=True)

    class Meta:
        """Names and constraints."""

        verbose_name = _("record")
        verbose_name_plural = _("records")
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="record_line_unique"),
            models.CheckConstraint(
                condition=Q(status="planned", chunk__isnull=False, holder__isnull=False, amount__isnull=False)
                | Q(status__in=["no_effect", "set_aside"], chunk__isnull=True),
                name="record_planned_is_whole",
            ),
        ]

    def __str__(self) -> str:
        """Return batch and line."""
        return f"{self.batch_id}:{self.line}"


class Finding(models.Model):
    """Something validation saw. The rule's code says what it means (docs/findings.md)."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="findings", verbose_name=_("batch"))
    severity = models.CharField(_("severity"), max_length=8)
    rule = models.CharField(_("rule"), max_length=40)
    line = models.PositiveIntegerField(_("line"))
    column = models.PositiveIntegerField(_("column"))
    offset = models.PositiveBigIntegerField(_("offset"))
    raw = models.BinaryField(_("bytes"), max_length=200)
    facts = models.JSONField(_("facts"))

    class Meta:
        """Names and constraints."""

        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__in=["error", "alert", "warning", "note"]), name="finding_severity_known"
            ),
        ]

    def __str__(self) -> str:
        """Return the rule and the line."""
        return f"{self.rule} @ {self.line}"
