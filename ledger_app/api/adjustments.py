"""Adjustments in the API: proposals with their preview, attachments, and decisions bound to what was shown."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import attachment_files, attachment_tokens, scanning
from config.doors import callers as doorways
from config.doors.api.fields import (
    DayField,
    DigestField,
    KeyField,
    ListOfField,
    OneOfField,
    SwitchField,
    TextField,
    UploadedFileField,
    WholeNumberField,
)
from config.doors.api.input import DecisionInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, ReasonOutput, offers
from ledger_app.adjustments.operations import adjustments, attachments
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules import adjustments as rules
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT, Preview, Proposal
from ledger_app.api.lots import ShownLotOutput
from ledger_app.books.queries import books
from ledger_app.erasures import queries as erasures
from ledger_app.models import Adjustment, Attachment
from ledger_app.traces.rules.erased import MARK

TOKENS_MOST = 100
TOKEN_MOST = 2000  # characters


class AdjustmentFilters(Input):
    """What a list of adjustments may be narrowed by."""

    state = OneOfField(choices=Adjustment.State.values, required=False)
    book = KeyField(required=False, help_text=_("The code of the book."))
    ticket = KeyField(required=False)
    account = KeyField(required=False, help_text=_("The code of the account."))


class PlainProposalInput(Input):
    """A proposal to which nothing is attached. Its amount is an integer in minor units, in the natural direction of the account."""

    key = KeyField(
        max_length=rules.KEY_MOST,
        help_text=_("Your own name for this proposal: sent again under it, it is found, not made twice."),
    )
    book = KeyField(help_text=_("The code of the book."))
    account = KeyField(help_text=_("The code of the account."))
    amount = WholeNumberField()
    effective_on = DayField()
    reason = KeyField(help_text=_("A reason code."))
    text = TextField(max_length=rules.TEXT_MOST)
    ticket = KeyField(required=False, allow_blank=True, default="")
    waives_floor = SwitchField(required=False, default=False)


class ProposalInput(PlainProposalInput):
    """A proposal. Its amount is an integer in minor units, in the natural direction of the account."""

    attachments = ListOfField(
        child=KeyField(max_length=TOKEN_MOST),
        required=False,
        max_length=TOKENS_MOST,
        help_text=_("The tokens of files that you have uploaded."),
    )


class SentProposalInput(ProposalInput):
    """A proposal that is sent."""

    shown = DigestField(
        required=False,
        help_text=_("The digest of the preview that you were shown; refused where it has moved."),
    )


class ApprovalOfShownInput(DecisionInput):
    """What an approval takes."""

    shown = DigestField(help_text=_("The digest of the preview that you were shown."))


class UploadOfAttachmentInput(Input):
    """A file to be attached."""

    file = UploadedFileField()


class UploadedOutput(Output):
    """A file that was uploaded; for a day its token stands for it in a proposal, by the user who uploaded it alone."""

    token = serializers.CharField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = DigestOutput()


class ShownLineOutput(Output):
    """A line of the entry, debit positive."""

    account = serializers.CharField()
    amount = serializers.IntegerField()


class ShownBalanceOutput(Output):
    """A balance that the decision is bound to, in the account's natural direction."""

    account = serializers.CharField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class AdjustmentPreviewOutput(Output):
    """What an adjustment would do now, and what would refuse it."""

    digest = serializers.CharField(help_text=_("What a decision names; empty where no entry can be made."))
    lines = ShownLineOutput(many=True)
    balances = ShownBalanceOutput(many=True)
    lots = ShownLotOutput(many=True)
    refusals = ReasonOutput(many=True)


class AttachmentOutput(Output):
    """A file of a proposal."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = DigestOutput()
    erased_by = serializers.SerializerMethodField(help_text=_("The erasure that took its name and bytes; null where none did."))

    @extend_schema_field(OpenApiTypes.INT)
    def get_erased_by(self, file: Attachment) -> int | None:
        """Return the number of the erasure; one that says its name was not erased, and no table is asked."""
        if not file.name.startswith(MARK):
            return None
        erasure = erasures.of_attachments([file.pk]).get(file.pk)
        return erasure.pk if erasure else None


class DecisionOutput(Output):
    """One person's word."""

    decision = serializers.CharField(help_text="approved, rejected")
    decided_by = serializers.CharField(source="decided_by.username")
    decided_at = serializers.DateTimeField()
    note = serializers.CharField()


class AdjustmentOutput(Output):
    """An adjustment."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    book = serializers.CharField(source="book.code")
    account = serializers.CharField(source="account.code")
    contra_account = serializers.CharField(source="contra_account.code")
    amount = serializers.IntegerField(help_text=_("In the account's natural direction."))
    effective_on = serializers.DateField()
    reason = serializers.CharField(source="reason_code.code")
    text = serializers.CharField()
    ticket = serializers.CharField()
    waives_floor = serializers.BooleanField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.CharField(help_text="proposed, endorsed, approved, rejected, withdrawn, expired")
    version = serializers.IntegerField()


class AdjustmentDetailOutput(AdjustmentOutput):
    """An adjustment with what it would do now, what was attached and decided, and what can be done next."""

    preview = serializers.SerializerMethodField(help_text=_("Null once it is decided."))
    posted = serializers.SerializerMethodField(help_text=_("What was decided on, as it was posted; null where nothing was."))
    attachments = AttachmentOutput(many=True, source="attachments.all")
    decisions = DecisionOutput(many=True, source="decisions.all")
    offers = serializers.SerializerMethodField()

    def to_representation(self, instance: Adjustment) -> dict[str, Any]:
        """Make the preview once, and gather once what the guards are asked with."""
        caller = doorways.from_request(self.context["request"], "api")
        is_open = instance.state in rules.UNDECIDED
        self.now = queries.preview(queries.terms_of(instance)) if is_open else None
        self.facts = queries.facts(instance, user=caller.user, at=caller.at, now=self.now)
        shown: dict[str, Any] = super().to_representation(instance)
        return shown

    @extend_schema_field(AdjustmentPreviewOutput(allow_null=True))
    def get_preview(self, _row: Adjustment) -> Any:
        """Return what it would do now."""
        return shown_preview(self.now) if self.now is not None else None

    @extend_schema_field(AdjustmentPreviewOutput(allow_null=True))
    def get_posted(self, row: Adjustment) -> Any:
        """Return what it did."""
        is_posted = row.state == Adjustment.State.APPROVED
        return shown_preview(queries.preview_as_posted(queries.terms_of(row))) if is_posted else None

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, row: Adjustment) -> Any:
        """Return what can be done next."""
        return OfferOutput(offers(ADJUSTMENT, self.facts, row), many=True).data


def shown_preview(now: Preview) -> Any:
    """Return a preview as it goes out."""
    said = asdict(now.shown) if now.shown is not None else {"lines": [], "balances": [], "lots": []}
    return AdjustmentPreviewOutput({**said, "digest": now.digest, "refusals": [reason.as_dict() for reason in now.refusals]}).data


DETAIL = {200: AdjustmentDetailOutput}


@extend_schema_view(
    list=extend_schema(summary="List adjustments, newest first"),
    retrieve=extend_schema(summary="Show an adjustment: what it would do, and what can be done next"),
)
class AdjustmentView(LookView):
    """Proposals to adjust a balance, and what became of them."""

    looks = frozenset({"preview"})
    queryset = Adjustment.objects.select_related("book", "account", "contra_account", "reason_code", "proposed_by")
    book_path = "book__code"
    names_books = frozenset({"create", "preview"})
    serializer_class = AdjustmentOutput
    detail_serializer_class = AdjustmentDetailOutput
    filters = AdjustmentFilters
    reads = ("ledger_app.view_adjustmentdecision", "ledger_app.view_attachment")

    def get_parsers(self) -> list[BaseParser]:
        """Take a form where a file comes in, JSON everywhere else."""
        method = str(getattr(self.request, "method", "")).lower()
        return [MultiPartParser()] if self.action_map.get(method) == "upload" else super().get_parsers()

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the adjustments that were asked for."""
        return rows.filter(**books.narrowed(asked))

    @extend_schema(
        summary="Propose an adjustment",
        request=SentProposalInput,
        responses={201: AdjustmentDetailOutput, 200: AdjustmentDetailOutput},
    )
    def create(self, request: Request) -> Response:
        """Send a proposal, which another person decides. 200: it was sent before under this key."""
        given = self.read(SentProposalInput, request.data)
        shown = given.pop("shown", None)
        proposal = self._proposal(given)
        caller = self.caller
        before = Adjustment.objects.filter(proposed_by=caller.user, key=proposal.key).exists()
        row = adjustments.propose(
            proposal=proposal,
            caller=caller,
            expires_at=caller.at + timedelta(days=settings.KAKUTEI_PROPOSAL_DAYS),
            digest_shown=shown,
        )
        answer = self._shown(str(row.pk), status.HTTP_200_OK if before else status.HTTP_201_CREATED)
        answer["Location"] = reverse("adjustment-detail", args=[row.pk], request=request)
        return answer

    @extend_schema(summary="Tell what a proposal would do", request=ProposalInput, responses=AdjustmentPreviewOutput)
    @action(detail=False, methods=["post"], serializer_class=AdjustmentPreviewOutput)
    def preview(self, request: Request) -> Response:
        """Answer with lines, balances before and after, and what would refuse it. Writes nothing."""
        proposal = self._proposal(self.read(ProposalInput, request.data))
        return Response(shown_preview(queries.preview_of_proposal(proposal)))

    @extend_schema(
        summary="Upload a file to be attached",
        request={"multipart/form-data": UploadOfAttachmentInput},
        responses={201: UploadedOutput},
    )
    @action(detail=False, methods=["post"], url_path="attachments", serializer_class=UploadedOutput)
    @attachment_files.takes_one
    def upload(self, request: Request) -> Response:
        """Check a file and store its bytes. Nothing points to them until a proposal names the token."""
        file = self.read(UploadOfAttachmentInput, request.data)["file"]
        kept = attachments.take_in(
            stream=file,
            name=file.name,
            directory=attachment_files.directory(),
            bytes_most=settings.KAKUTEI_ATTACHMENT_BYTES,
            scan=scanning.scanner(),
            caller=self.caller,
        )
        token = attachment_tokens.token_of(kept, self.caller.user)
        return Response(UploadedOutput({**kept._asdict(), "token": token}).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Download an attachment", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, url_path="attachments/(?P<number>[0-9]{1,18})")
    def download(self, _request: Request, pk: str, number: str) -> FileResponse:
        """Answer with the bytes."""
        file = Attachment.objects.filter(pk=int(number), adjustment=int(pk)).first()
        if file is None:
            raise Http404(_("There is no such attachment."))
        return attachment_files.response(file)

    @extend_schema(summary="Approve an adjustment, and post it", request=ApprovalOfShownInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """Bind yourself to what you were shown; the entry is posted in the same transaction."""
        return self._approve("approve", request, pk)

    @extend_schema(summary="Approve an adjustment as the first of two", request=ApprovalOfShownInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/endorse")
    def endorse(self, request: Request, pk: str) -> Response:
        """Give the first of the two approvals that an amount above your own limit needs."""
        return self._approve("endorse", request, pk)

    @extend_schema(summary="Reject an adjustment", request=DecisionInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/reject")
    def reject(self, request: Request, pk: str) -> Response:
        """End a proposal with a reason."""
        return self._end("reject", request, pk)

    @extend_schema(summary="Withdraw an adjustment", request=DecisionInput, responses=DETAIL)
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take your own proposal back."""
        return self._end("withdraw", request, pk)

    def _approve(self, name: str, request: Request, pk: str) -> Response:
        given = self.read(ApprovalOfShownInput, request.data)
        shown = given.pop("shown")
        adjustments.decide(adjustment_id=self.get_object().pk, name=name, digest_shown=shown, caller=self.caller, **given)
        return self._shown(pk)

    def _end(self, name: str, request: Request, pk: str) -> Response:
        given = self.read(DecisionInput, request.data)
        adjustments.decide(adjustment_id=self.get_object().pk, name=name, caller=self.caller, **given)
        return self._shown(pk)

    def _proposal(self, given: dict[str, Any]) -> Proposal:
        files = attachment_tokens.files_of(given.pop("attachments", ()), self.caller.user)
        attachments.check_kept(files, directory=attachment_files.directory(), count_most=settings.KAKUTEI_ATTACHMENTS)
        return Proposal(**given, attachments=files)

    def _shown(self, pk: str, code: int = status.HTTP_200_OK) -> Response:
        row = self.get_queryset().get(pk=pk)
        return Response(AdjustmentDetailOutput(row, context=self.get_serializer_context()).data, status=code)
