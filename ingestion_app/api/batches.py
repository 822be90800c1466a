"""Batches in the API: a file comes in, and goes through its states."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import callers as doorways
from config.doors import scanning
from config.doors.api import jobs as api_jobs
from config.doors.api.fields import (
    DayField,
    DigestField,
    KeyField,
    NumberTextField,
    OneOfField,
    SwitchTextField,
    UploadedFileField,
    WholeNumberField,
)
from config.doors.api.input import DecisionInput, DecisionOnShownInput, Input, StepInput, StepOnShownInput
from config.doors.api.reading import KeysetAscending, KeysetByLine, KeysetByNumber
from config.doors.api.views import LookView
from config.doors.requests.bodies import takes_files
from ingestion_app import tasks
from ingestion_app.api.shapes import (
    BatchDetailOutput,
    BatchOutput,
    BatchProgressOutput,
    ChunkOutput,
    FindingOutput,
    PreviewOutput,
    ReceiptOutput,
    RecordOutput,
)
from ingestion_app.api.status import StatusOutput
from ingestion_app.applying.operations import applying, leaving
from ingestion_app.checks.rules import RULES, Severity
from ingestion_app.deciding.operations import deciding, reversing
from ingestion_app.deciding.queries import batches as sums
from ingestion_app.models import Attempt, Batch, Chunk, Finding, Receipt, Record, Source
from ingestion_app.receiving.operations import receiving
from ingestion_app.reversing.queries import reversals
from ingestion_app.status.queries import jobs
from ingestion_app.status.queries.status import status_of
from ingestion_app.validating.operations import validating
from ledger_app.errors import NotFound, Refused

DETAIL = {200: BatchDetailOutput}
STARTED = {202: BatchDetailOutput}


class BatchFilters(Input):
    """What a list of batches may be narrowed by."""

    state = OneOfField(choices=Batch.State.values, required=False)
    source = KeyField(  # type: ignore[assignment]  # a field of the shape, not the attribute
        required=False, source="source__code", help_text=_("The code of the source.")
    )
    business_date = DayField(required=False)


class FindingFilters(Input):
    """What a list of findings may be narrowed by."""

    severity = OneOfField(choices=[each.value for each in Severity], required=False)
    rule = OneOfField(choices=list(RULES), required=False)
    line = NumberTextField(required=False)


class RecordFilters(Input):
    """What a list of records may be narrowed by."""

    status = OneOfField(choices=Record.Status.values, required=False)
    line = NumberTextField(required=False)
    chunk = NumberTextField(required=False, help_text=_("The id of the chunk."))


class ChunkFilters(Input):
    """What a list of chunks may be narrowed by."""

    state = OneOfField(choices=Chunk.State.values, required=False)


class StatusAsked(Input):
    """What a status may be asked with."""

    check = SwitchTextField(
        required=False, help_text=_("Hold the plan and the ledger's rows against what was approved, which reads them all.")
    )


class UploadInput(Input):
    """A file, and what it is for where its name does not say."""

    file = UploadedFileField()
    source = KeyField(help_text=_("The code of the source."))  # type: ignore[assignment]  # a field of the shape, not the attribute
    business_date = DayField(required=False)
    sequence = NumberTextField(min_value=1, max_value=2**31 - 1, required=False)


class ApprovalInput(DecisionInput):
    """What an approval takes."""

    plan = DigestField(help_text=_("The digest of the plan that you were shown."))
    acknowledged_version = WholeNumberField(
        min_value=1,
        required=False,
        help_text=_("The newer version of the source that you know of, where one was loaded after the plan was made."),
    )


class AcknowledgementInput(DecisionOnShownInput):
    """What an acknowledgement of alerts takes."""

    alerts = DigestField(help_text=_("The digest of the alerts that you were shown."))


@extend_schema_view(
    list=extend_schema(summary="List batches, newest first"),
    retrieve=extend_schema(summary="Show a batch: counts, plan, progress, and what can be done next"),
)
class BatchView(LookView):
    """The batches, reversals among them."""

    queryset = Batch.objects.select_related("source", "received_by", "receipt")
    serializer_class = BatchOutput
    detail_serializer_class = BatchDetailOutput
    filters = BatchFilters
    reads = ("ingestion_app.view_receipt", "ingestion_app.view_source")

    def get_parsers(self) -> list[BaseParser]:
        """Take a form where a file comes in, JSON everywhere else."""
        method = str(getattr(self.request, "method", "")).lower()
        return [MultiPartParser()] if self.action_map.get(method) == "create" else super().get_parsers()

    def get_queryset(self) -> QuerySet[Any]:
        """Bring with a single row all that its page shows."""
        rows = super().get_queryset()
        return rows.select_related("file", "source_version", "planned_by", "approved_by") if self.detail else rows

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the batches that were asked for."""
        source = asked.get("source__code")
        if source is not None and not Source.objects.filter(code=source).exists():
            raise Refused([NotFound(what=_("source"), name=source)])
        return rows.filter(**asked)

    @extend_schema(
        summary="Receive a file",
        request={"multipart/form-data": UploadInput},
        responses={201: ReceiptOutput, 200: ReceiptOutput},
    )
    @takes_files(right=receiving.RIGHT, bytes_most=lambda: settings.KAKUTEI_UPLOAD_BYTES)
    def create(self, request: Request) -> Response:
        """Store bytes, hash and register them, and nothing else. 201: a new batch; 200: these bytes came in before, under any name."""
        given = self.read(UploadInput, request.data)
        file = given["file"]
        receipt = receiving.receive(
            stream=file,
            name=file.name,
            source_code=given["source"],
            directory=Path(settings.KAKUTEI_FILES_DIR),
            caller=self.caller,
            business_date=given.get("business_date"),
            sequence=given.get("sequence"),
            scan=scanning.scanner(),
        )
        is_new = receipt.outcome == Receipt.Outcome.ACCEPTED
        batch = (receipt.first or receipt).batch
        return Response(
            ReceiptOutput(receipt).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
            headers={"Location": reverse("batch-detail", args=[batch.pk], request=request)},
        )

    @extend_schema(summary="Validate a batch", request=StepOnShownInput, responses=STARTED)
    @action(detail=True, methods=["post"], url_path="transitions/validate")
    def validate(self, request: Request, pk: str) -> Response:
        """Start the validation, which runs outside of this request; ``progress`` tells how it goes."""
        given = self.read(StepOnShownInput, request.data)
        batch = self.get_object()
        validating.ask(batch_id=batch.pk, caller=self.caller, **given)
        number = jobs.next_number(batch.pk, Attempt.Step.VALIDATE)
        tasks.validate_batch.enqueue(batch_id=batch.pk, user_id=self.caller.user.pk, version=batch.version)
        return self._started(pk, Attempt.Step.VALIDATE, number)

    @extend_schema(summary="Acknowledge the alerts of a batch", request=AcknowledgementInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/acknowledge")
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say why the file is right although it does not look like the ones before it. Another validation asks for another."""
        given = {"reason": "", **self.read(AcknowledgementInput, request.data)}
        deciding.acknowledge(batch_id=self.get_object().pk, alerts_shown=given.pop("alerts"), caller=self.caller, **given)
        return self._shown(pk)

    @extend_schema(summary="Approve the plan of a batch", request=ApprovalInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """Bind yourself to the plan that you were shown."""
        given = self.read(ApprovalInput, request.data)
        shown, note = given.pop("plan"), given.pop("reason", "")
        deciding.approve(batch_id=self.get_object().pk, digest_shown=shown, caller=self.caller, note=note, **given)
        return self._shown(pk)

    @extend_schema(summary="Apply a batch", request=StepInput, responses={**STARTED, **DETAIL})
    @action(detail=True, methods=["post"], url_path="transitions/apply")
    def apply(self, request: Request, pk: str) -> Response:
        """Start applying, or take it up again; it runs outside of this request. 200: it was applied already. A pause is ended by ``resume``."""
        return self._apply(request, pk, StepInput)

    @extend_schema(
        summary="Take up again a batch that is being applied", request=StepOnShownInput, responses={**STARTED, **DETAIL}
    )
    @action(detail=True, methods=["post"], url_path="transitions/resume")
    def resume(self, request: Request, pk: str) -> Response:
        """Apply the chunks that are left; it runs outside of this request. 200: none was left."""
        return self._apply(request, pk, StepOnShownInput, name="resume")

    @extend_schema(summary="Pause a batch that is being applied", request=DecisionOnShownInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/pause")
    def pause(self, request: Request, pk: str) -> Response:
        """Let the chunks that are being applied come to their end, and begin no other until somebody resumes."""
        given = {"reason": "", **self.read(DecisionOnShownInput, request.data)}
        applying.pause(batch_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(pk)

    @extend_schema(summary="Withdraw a batch", request=DecisionInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """End a batch that was not applied."""
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        deciding.withdraw(batch_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(pk)

    @extend_schema(summary="End a batch with what is applied of it", request=DecisionInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/leave")
    def leave(self, request: Request, pk: str) -> Response:
        """Set aside the records of the chunks that are not applied, and bind yourself to what is left of the plan."""
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        leaving.leave(batch_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(pk)

    @extend_schema(summary="Freeze a batch for ever", request=DecisionInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/freeze")
    def freeze(self, request: Request, pk: str) -> Response:
        """End an applied batch for ever."""
        given = self.read(DecisionInput, request.data)
        deciding.freeze(batch_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(pk)

    @extend_schema(summary="Propose the reversal of a batch", request=DecisionOnShownInput, responses=STARTED)
    @action(detail=True, methods=["post"], url_path="transitions/reverse")
    def reverse(self, request: Request, pk: str) -> Response:
        """Make a batch that is to undo this one, and answer with it. Its plan is made outside of this request; another person approves it."""
        del pk
        given = {"reason": "", **self.read(DecisionOnShownInput, request.data)}
        made = reversing.propose(batch_id=self.get_object().pk, caller=self.caller, **given)
        tasks.validate_batch.enqueue(batch_id=made.pk, user_id=self.caller.user.pk, version=made.version)
        return self._started(str(made.pk), Attempt.Step.VALIDATE, 1)

    @extend_schema(summary="Tell what the reversal of a batch would come to", responses=PreviewOutput)
    @action(detail=True, url_path="reversal-preview", serializer_class=PreviewOutput)
    def reversal_preview(self, _request: Request, pk: str) -> Response:
        """Answer with what would be posted and which dates it would get. Which accounts would refuse it is asked when its plan is made. Writes nothing."""
        del pk
        shown = reversals.preview(self.get_object())
        return Response(PreviewOutput({**shown._asdict(), "refusals": [reason.as_dict() for reason in shown.refusals]}).data)

    @extend_schema(summary="Tell how far a batch has come")
    @action(detail=True, serializer_class=BatchProgressOutput, reads=("ingestion_app.view_chunk", "ingestion_app.view_attempt"))
    def progress(self, _request: Request, pk: str) -> Response:
        """Answer with the progress and the last attempts."""
        del pk
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(summary="Tell whether a batch is safe to run again, how fast it goes, and until when it is due")
    @action(
        detail=True,
        url_path="status",
        serializer_class=StatusOutput,
        asks=StatusAsked,
        reads=("ingestion_app.view_chunk", "ingestion_app.view_attempt"),
    )
    def tell_status(self, _request: Request, pk: str) -> Response:
        """Answer with what a run would do now, chunk by chunk, and with the pace of the one that is under way."""
        del pk
        check = self.asked.get("check", False)
        return Response(self.get_serializer(status_of(self.get_object(), at=doorways.now(), check=check)).data)

    @extend_schema(
        summary="Tell how a step goes that was asked for",
        parameters=[
            OpenApiParameter("step", str, OpenApiParameter.PATH, enum=list(Attempt.Step.values)),
            OpenApiParameter("number", int, OpenApiParameter.PATH),
        ],
        responses=api_jobs.JobOutput,
    )
    @action(
        detail=True,
        url_path="jobs/(?P<step>validate|apply)/(?P<number>[0-9]{1,9})",
        url_name="job",
        reads=("ingestion_app.view_chunk", "ingestion_app.view_attempt"),
    )
    def job(self, request: Request, pk: str, step: str, number: str) -> Response:
        """Answer whether it waits, is at work, or how it ended. 202 of ``validate``, ``apply`` and ``resume`` leads here."""
        del pk
        batch = self.get_object()
        found = jobs.find(batch, step, int(number), at=doorways.now())
        counted = sums.progress(batch)
        is_applied = step == Attempt.Step.APPLY
        done, total = (counted["records_applied"], counted["records"]) if is_applied else (found.done_records, batch.record_count)
        come = api_jobs.Progress(done, total, "records")
        return api_jobs.shown(found, kind=step, of=("batch-detail", batch.pk), subject=batch, progress=come, request=request)

    @extend_schema(summary="List the findings of a batch", responses=FindingOutput(many=True))
    @action(
        detail=True,
        serializer_class=FindingOutput,
        asks=FindingFilters,
        pages=True,
        pagination_class=KeysetAscending,
        reads=("ingestion_app.view_finding",),
    )
    def findings(self, _request: Request, pk: str) -> Response:
        """Answer with what validation saw."""
        del pk
        return self.page(Finding.objects.filter(batch=self.get_object(), **self.asked))

    @extend_schema(summary="List the records of a batch, by line", responses=RecordOutput(many=True))
    @action(
        detail=True,
        serializer_class=RecordOutput,
        asks=RecordFilters,
        pages=True,
        pagination_class=KeysetByLine,
        reads=("ingestion_app.view_record",),
    )
    def records(self, _request: Request, pk: str) -> Response:
        """Answer with the parsed rows."""
        del pk
        batch = self.get_object()
        rows = self.paginate_queryset(Record.objects.filter(batch=batch, **self.asked))
        context = {**self.get_serializer_context(), "source_version": batch.source_version}
        return self.get_paginated_response(RecordOutput(rows, many=True, context=context).data)

    @extend_schema(summary="List the chunks of a batch, by number", responses=ChunkOutput(many=True))
    @action(
        detail=True,
        serializer_class=ChunkOutput,
        asks=ChunkFilters,
        pages=True,
        pagination_class=KeysetByNumber,
        reads=("ingestion_app.view_chunk",),
    )
    def chunks(self, _request: Request, pk: str) -> Response:
        """Answer with the chunks of the plan."""
        del pk
        return self.page(Chunk.objects.filter(batch=self.get_object(), **self.asked))

    def _apply(self, request: Request, pk: str, shape: type[Input], name: str = "") -> Response:
        given = self.read(shape, request.data)
        batch = applying.begin(batch_id=self.get_object().pk, caller=self.caller, name=name, **given)
        if batch.state != Batch.State.APPLYING:
            return self._shown(pk)
        number = jobs.next_number(batch.pk, Attempt.Step.APPLY)
        tasks.apply_batch.enqueue(batch_id=batch.pk, user_id=self.caller.user.pk)
        return self._started(pk, Attempt.Step.APPLY, number)

    def _started(self, pk: str, step: str, number: int) -> Response:
        """Answer with the batch, and with where it is told how the step goes."""
        shown = self._shown(pk, status.HTTP_202_ACCEPTED)
        shown["Location"] = reverse("batch-job", args=[pk, step, number], request=self.request)
        return shown

    def _shown(self, pk: str, code: int = status.HTTP_200_OK) -> Response:
        batch = self.get_queryset().get(pk=pk)
        return Response(BatchDetailOutput(batch, context=self.get_serializer_context()).data, status=code)
