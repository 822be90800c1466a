"""Periods in the API: what they accept, what can be done next, and the transitions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import callers as doorways
from config.doors.api import jobs as api_jobs
from config.doors.api.fields import ControlsField, KeyField, OneOfField
from config.doors.api.input import DecisionInput, DecisionOnShownInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, offers
from ledger_app import tasks
from ledger_app.books.queries import books
from ledger_app.books.rules.periods import PERIOD
from ledger_app.close.operations import freezing, periods
from ledger_app.close.queries import closing, readiness
from ledger_app.errors import NotFound, Refused
from ledger_app.models import FreezeAttempt, Period, Seal


class PeriodFilters(Input):
    """What a list of periods may be narrowed by."""

    book = KeyField(required=False, help_text=_("The code of the book."))
    name = KeyField(required=False)
    state = OneOfField(choices=Period.State.values, required=False)


class FreezeInput(DecisionInput):
    """What a freeze takes."""

    controls = ControlsField(
        help_text=_(
            "The totals that you hold from elsewhere, by name, as integers in minor units; at least one that is no mere count."
        )
    )


class SealOutput(Output):
    """The evidence of a freeze."""

    number = serializers.IntegerField()
    digest = DigestOutput()
    previous_digest = DigestOutput(source="previous.digest", allow_null=True, default=None)
    form = serializers.CharField()
    entry_count = serializers.IntegerField()
    line_count = serializers.IntegerField()
    debit_total = serializers.IntegerField()
    trial_balance = serializers.ListField(child=serializers.DictField())
    controls = serializers.DictField(child=serializers.IntegerField())
    code_version = serializers.CharField()
    sealed_by = serializers.CharField(source="sealed_by.username")
    sealed_at = serializers.DateTimeField()


class PeriodOutput(Output):
    """A period."""

    id = serializers.IntegerField()
    book = serializers.CharField(source="book.code")
    name = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    state = serializers.CharField(help_text="open, provisional, frozen")
    version = serializers.IntegerField()


class FreezeAttemptOutput(Output):
    """A freeze that was asked for: waiting, running, sealed, refused, failed, or superseded by one that was asked for later."""

    state = serializers.CharField(help_text="waiting, running, sealed, refused, failed, superseded")
    asked_by = serializers.CharField(source="asked_by.username")
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True, help_text=_("The last sign of life of whoever works on it."))
    ended_at = serializers.DateTimeField(allow_null=True)
    proved_count = serializers.IntegerField(help_text=_("How many entries have been proved."))
    reasons = serializers.ListField(child=serializers.DictField(), help_text=_("Why it did not end with a seal."))


class _Job(NamedTuple):
    """A freeze, as every job is told."""

    state: str
    tries: int
    reasons: Sequence[Any]
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, attempt: FreezeAttempt) -> "_Job":
        """Return the job of an attempt: it is done when the period is sealed."""
        state = "done" if attempt.state == FreezeAttempt.State.SEALED else attempt.state
        return cls(state, int(attempt.started_at is not None), attempt.reasons, attempt.started_at, attempt.ended_at)


class PeriodDetailOutput(PeriodOutput):
    """A period with what can be done next, the last freeze that was asked for, and its seal."""

    control_names = serializers.SerializerMethodField(help_text=_("The control totals that a freeze knows, by name."))
    offers = serializers.SerializerMethodField()
    freeze = serializers.SerializerMethodField(help_text=_("The last freeze that was asked for, and what became of it."))
    seal = serializers.SerializerMethodField()

    def to_representation(self, instance: Period) -> dict[str, Any]:
        """Gather once what the guards are asked with. What reads every line of the book is asked at the freeze itself."""
        caller = doorways.from_request(self.context["request"], "api")
        self.facts = closing.facts(instance, user=caller.user, at=caller.at, controls=None, proofs=False)
        shown: dict[str, Any] = super().to_representation(instance)
        return shown

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_control_names(self, _period: Period) -> list[str]:
        """Return the names, not the totals: those are to come from elsewhere."""
        return sorted(self.facts.control_names)

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, period: Period) -> Any:
        """Return what can be done next."""
        return OfferOutput(offers(PERIOD, self.facts, period), many=True).data

    @extend_schema_field(FreezeAttemptOutput(allow_null=True))
    def get_freeze(self, period: Period) -> Any:
        """Return the last freeze that was asked for."""
        attempt = period.freezes.select_related("asked_by").order_by("-id").first()
        return FreezeAttemptOutput(attempt).data if attempt else None

    @extend_schema_field(SealOutput(allow_null=True))
    def get_seal(self, period: Period) -> Any:
        """Return the seal of a frozen period."""
        seal = Seal.objects.filter(period=period).select_related("previous", "sealed_by").first()
        return SealOutput(seal).data if seal else None


class RowOutput(Output):
    """A row to look at."""

    model = serializers.CharField(help_text="application.model")
    number = serializers.IntegerField()
    state = serializers.CharField()


class ReadinessLineOutput(Output):
    """One thing that stands in the way of a freeze."""

    check = serializers.CharField(help_text=_("The question of the freeze that it answers."))
    code = serializers.CharField()
    what = serializers.CharField()
    count = serializers.IntegerField()
    is_more = serializers.BooleanField(help_text=_("Whether there are more than were counted."))
    comes_with_freeze = serializers.BooleanField(
        help_text=_("Whether it is in nobody's way, and given when the freeze is asked for.")
    )
    clears = serializers.CharField(help_text=_("What clears it."))
    who = serializers.CharField(help_text=_("Who may."))
    sentences = serializers.ListField(child=serializers.CharField(), help_text=_("The first of them."))
    rows = RowOutput(many=True, help_text=_("The first of them."))


class ReadinessOutput(Output):
    """What stands in the way of freezing a period."""

    book = serializers.CharField()
    period = serializers.CharField()
    state = serializers.CharField(help_text="open, provisional, frozen")
    ready = serializers.BooleanField()
    lines = ReadinessLineOutput(many=True)


@extend_schema_view(
    list=extend_schema(summary="List periods"),
    retrieve=extend_schema(summary="Show a period, what can be done next, and its seal"),
)
class PeriodView(LookView):
    """The periods of the books."""

    queryset = Period.objects.select_related("book")
    book_path = "book__code"
    serializer_class = PeriodOutput
    detail_serializer_class = PeriodDetailOutput
    filters = PeriodFilters
    reads = ("ledger_app.view_seal",)

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the periods that were asked for."""
        wanted = dict(asked)
        if "book" in wanted:
            wanted["book"] = books.find(wanted["book"])
        return rows.filter(**wanted)

    @extend_schema(summary="Tell what stands in the way of freezing a period", responses=ReadinessOutput)
    @action(detail=True, url_path="readiness")
    def readiness(self, request: Request, pk: str) -> Response:
        """Answer with one line for each thing, its count, what clears it and who may. No entry is read."""
        del request, pk
        period = self.get_object()
        facts = closing.facts(period, user=self.caller.user, at=self.caller.at, controls=None, proofs=False)
        checks = readiness.checks(period, facts, at=self.caller.at)
        said = {"book": period.book.code, "period": period.name, "state": period.state}
        said |= {"ready": not readiness.in_the_way(checks), "lines": readiness.as_objects(checks)}
        return Response(ReadinessOutput(said).data)

    @extend_schema(summary="Mark a period provisional", request=DecisionOnShownInput, responses={200: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/provisional")
    def provisional(self, request: Request, pk: str) -> Response:
        """The figures may be used as provisional; batches are refused."""
        return self._change("provisional", request, pk)

    @extend_schema(summary="Reopen a provisional period", request=DecisionOnShownInput, responses={200: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reopen")
    def reopen(self, request: Request, pk: str) -> Response:
        """The period takes batches again."""
        return self._change("reopen", request, pk)

    @extend_schema(summary="Freeze a period for ever", request=FreezeInput, responses={202: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/freeze")
    def freeze(self, request: Request, pk: str) -> Response:
        """Have a worker seal the period, once its work has ended, everything recomputes and the control totals match.

        What can be refused at once is; how it ended stands under ``freeze``.
        """
        given = self.read(FreezeInput, request.data)
        period = self.get_object()
        attempt = freezing.ask(period_id=period.pk, caller=self.caller, **given)
        tasks.freeze_period.enqueue(attempt_id=attempt.pk, user_id=self.caller.user.pk)
        shown = self._shown(pk, status.HTTP_202_ACCEPTED)
        shown["Location"] = reverse("period-job", args=[pk, attempt.pk], request=request)
        return shown

    @extend_schema(
        summary="Tell how a freeze goes that was asked for",
        parameters=[OpenApiParameter("number", int, OpenApiParameter.PATH)],
        responses=api_jobs.JobOutput,
    )
    @action(
        detail=True,
        url_path="jobs/freeze/(?P<number>[0-9]{1,18})",
        url_name="job",
        reads=("ledger_app.view_seal", "ledger_app.view_freezeattempt"),
    )
    def job(self, request: Request, pk: str, number: str) -> Response:
        """Answer whether it waits, is at work, or how it ended. 202 of ``freeze`` leads here."""
        del pk
        period = self.get_object()
        attempt = period.freezes.filter(pk=int(number)).first()
        if attempt is None:
            raise Refused([NotFound(what=_("job"), name=f"freeze {number}")])
        seal = Seal.objects.filter(period=period).first() if attempt.state == FreezeAttempt.State.SEALED else None
        total = seal.entry_count if seal else None
        come = api_jobs.Progress(attempt.proved_count if total is None else total, total, "entries")
        job = _Job.of(attempt)
        return api_jobs.shown(job, kind="freeze", of=("period-detail", period.pk), subject=period, progress=come, request=request)

    def _change(self, name: str, request: Request, pk: str) -> Response:
        given = self.read(DecisionOnShownInput, request.data)
        period = self.get_object()
        periods.change(period_id=period.pk, name=name, caller=self.caller, **given)
        return self._shown(pk)

    def _shown(self, pk: str, code: int = status.HTTP_200_OK) -> Response:
        period = self.get_queryset().get(pk=pk)
        return Response(PeriodDetailOutput(period, context=self.get_serializer_context()).data, status=code)
