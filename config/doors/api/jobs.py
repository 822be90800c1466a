"""Jobs in the API: work outside of a request, at an address that says how it goes and how it ended."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors.api.views import Output, ReasonOutput


class JobProgressOutput(Output):
    """How far a job has come."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True, help_text=_("Null where it is not known before the end."))
    unit = serializers.CharField(help_text="records, entries")


class JobResultOutput(Output):
    """What a job came to."""

    state = serializers.CharField(help_text=_("The state of what it was done to, as it is now."))
    version = serializers.IntegerField()


class JobOutput(Output):
    """Something that is done outside of the request that asked for it. What was done stands at the address ``of``."""

    kind = serializers.CharField(help_text="validate, apply, freeze")
    state = serializers.CharField(
        help_text=_(
            "waiting (also to be tried again), running, paused, done, refused (a rule says no), failed (left to people), superseded (asked for again)"
        )
    )
    of = serializers.URLField()
    tries = serializers.IntegerField(help_text=_("How often it was begun."))
    progress = JobProgressOutput()
    result = JobResultOutput(allow_null=True, help_text=_("Null before it is done."))
    reasons = ReasonOutput(many=True, help_text=_("Why it was refused, or the last try failed."))
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class Progress(NamedTuple):
    """How far a job has come; ``total`` is None where it is not known before the end."""

    done: int
    total: int | None
    unit: str


def shown(job: Any, *, kind: str, of: tuple[str, int], subject: Any, progress: Progress, request: Request) -> Response:
    """Answer with a job: something that has a state, tries, reasons and instants; ``of`` names the address of ``subject``, which it is done to."""
    is_done = job.state == "done"
    told = {
        "kind": kind,
        "state": job.state,
        "of": reverse(of[0], args=[of[1]], request=request),
        "tries": job.tries,
        "progress": progress._asdict(),
        "result": {"state": subject.state, "version": subject.version} if is_done else None,
        "reasons": job.reasons,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }
    return Response(JobOutput(told).data)
