"""What goes out about the status of a batch: whether it is safe to run again, how far it has come, until when it is due."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.doors.api.views import Output, ReasonOutput


class ChunksOutput(Output):
    """Some of a batch's chunks."""

    count = serializers.IntegerField()
    chunks = serializers.CharField(help_text=_("Their numbers as spans, such as 0–41, 43."))


class StoppedChunkOutput(Output):
    """A chunk that stopped."""

    chunk = serializers.IntegerField(help_text=_("Its number within the batch."))
    attempt = serializers.IntegerField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True, help_text=_("When the attempt began in which it stopped last."))
    reasons = ReasonOutput(many=True)


class StoppedChunksOutput(ChunksOutput):
    """The chunks that have stopped; a run tries them again."""

    first = StoppedChunkOutput(many=True, help_text=_("The first twenty."))


class LeasedChunkOutput(Output):
    """A chunk that is being worked on."""

    chunk = serializers.IntegerField(help_text=_("Its number within the batch."))
    by = serializers.CharField(help_text=_("Host, process and attempt."))
    until = serializers.DateTimeField(help_text=_("Until then nobody else takes it, unless its process is gone."))


class LeasedChunksOutput(ChunksOutput):
    """The chunks that are being worked on; a run leaves them alone."""

    first = LeasedChunkOutput(many=True, help_text=_("The first twenty."))


class PauseOutput(Output):
    """A pause that has not ended."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField()
    by_itself = serializers.BooleanField(help_text=_("Whether too many chunks had stopped, and nobody paused it by hand."))


class RerunOutput(Output):
    """The answer to “safe to run again?”."""

    safe = serializers.BooleanField(help_text=_("False only where the rows are not what was approved: then nothing runs."))
    checked = serializers.BooleanField(help_text=_("Whether the rows were held against what was approved."))
    verdict = serializers.CharField(help_text="done, would_run, being_worked_on, paused, nothing_to_run, cannot_run")
    sentence = serializers.CharField()
    done = ChunksOutput()
    would_run = ChunksOutput()
    stopped = StoppedChunksOutput()
    being_worked_on = LeasedChunksOutput()
    paused = PauseOutput(allow_null=True)
    reasons = ReasonOutput(many=True, help_text=_("Why nothing would run."))


class ChunkStatesOutput(Output):
    """How many chunks are in each state; running ones are being worked on."""

    applied = serializers.IntegerField()
    running = serializers.IntegerField()
    pending = serializers.IntegerField()
    stopped = serializers.IntegerField()


class PaceOutput(Output):
    """How far the batch has come, and how fast."""

    running = serializers.BooleanField()
    phase = serializers.CharField(allow_blank=True, help_text="check, store, apply, recount; empty where nothing is running")
    records_done = serializers.IntegerField()
    records = serializers.IntegerField(allow_null=True, help_text=_("Null where it is not known before the end."))
    percent = serializers.IntegerField(allow_null=True)
    rate = serializers.IntegerField(allow_null=True, help_text=_("Records a second over the last stretch."))
    seconds_left = serializers.IntegerField(allow_null=True)
    commit_percent = serializers.IntegerField(allow_null=True, help_text=_("The share of time that was spent in COMMIT."))
    deadlocks = serializers.IntegerField()
    lock_waits = serializers.IntegerField()
    taken_over = serializers.IntegerField(help_text=_("Chunks taken over from workers that were gone."))
    given_up = serializers.BooleanField(
        help_text=_("Whether attempts to apply failed until none is made any more without a person.")
    )
    chunks = ChunkStatesOutput()


class DueOutput(Output):
    """Until when the batch has to be applied."""

    received_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)
    late = serializers.BooleanField()
    sentence = serializers.CharField()


class WorkerOutput(Output):
    """A process that works, on whatever host."""

    kind = serializers.CharField(help_text="worker, waker, apply, validate")
    host = serializers.CharField()
    process = serializers.IntegerField()
    instance = serializers.CharField(help_text=_("A name that no other process has or will have."))
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text=_("Its last sign of life."))
    dead = serializers.BooleanField(help_text=_("Whether it is gone, or has been silent for too long."))


class AlertsOutput(Output):
    """What looks wrong with a file, and who of finance has said why it is right."""

    count = serializers.IntegerField()
    digest = serializers.CharField(
        allow_null=True, help_text=_("What an acknowledgement names; null where there is nothing to acknowledge.")
    )
    acknowledged_by = serializers.CharField(allow_null=True, help_text=_("Null until somebody has, since the last validation."))
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class StatusOutput(Output):
    """The status of a batch."""

    batch = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    reverses = serializers.IntegerField(allow_null=True)
    alerts = AlertsOutput()
    controls = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("What the sender says of the whole file, such as count and sum; empty where it says nothing."),
    )
    rerun = RerunOutput()
    progress = PaceOutput()
    due = DueOutput(allow_null=True, help_text=_("Null where nothing was agreed with the source."))
    workers = WorkerOutput(many=True, help_text=_("Those that are there, and those that died within a day; the last twenty."))
