"""Reversals of single entries in the API: proposed by one, decided by another."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import callers as doorways
from config.doors.api.fields import DigestField, KeyField, NumberTextField, OneOfField, TextField, WholeNumberField
from config.doors.api.input import DecisionInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, ReasonOutput, offers
from ledger_app.api.lots import ShownLotOutput
from ledger_app.models import Reversal
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from ledger_app.reversals.queries import Preview
from ledger_app.reversals.rules import REVERSAL
from ledger_app.values import sides


class ReversalFilters(Input):
    """What a list of reversals may be narrowed by."""

    state = OneOfField(choices=Reversal.State.values, required=False)
    entry = NumberTextField(required=False, source="entry_id", help_text=_("The id of the entry that is to be reversed."))
    ticket = KeyField(required=False)


class ReversalInput(Input):
    """What a proposal takes."""

    entry = WholeNumberField(min_value=1, source="entry_id", help_text=_("The id of the entry that is to be reversed."))
    reason = TextField(allow_blank=True)
    ticket = KeyField(required=False, allow_blank=True, default="")
    shown = DigestField(
        required=False,
        source="digest_shown",
        help_text=_("The digest of the preview that you were shown; refused where it has moved."),
    )


class ReversalApprovalInput(DecisionInput):
    """What an approval takes."""

    shown = DigestField(source="digest_shown", help_text=_("The digest of the preview that you were shown."))


class ReversedBalanceOutput(Output):
    """A balance before and after, in minor units, debit positive."""

    account = serializers.IntegerField(source="account_id")
    account_code = serializers.CharField(source="account")
    amount = serializers.IntegerField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()
    natural_before = serializers.SerializerMethodField()
    natural_after = serializers.SerializerMethodField()
    is_bound = serializers.BooleanField(help_text=_("Whether a decision is bound to this balance."))

    def get_natural_before(self, shown: Any) -> int:
        """Return the balance before, in the account's natural direction."""
        return sides.natural(shown.category, shown.before)

    def get_natural_after(self, shown: Any) -> int:
        """Return the balance after, in the account's natural direction."""
        return sides.natural(shown.category, shown.after)


class ReversalPreviewOutput(Output):
    """What a reversal would do now."""

    effective_on = serializers.DateField(source="draft.effective_on", allow_null=True, default=None)
    prior_period = serializers.CharField(help_text=_("The earlier period that it corrects on a later day; empty where none."))
    balances = ReversedBalanceOutput(many=True)
    lots = ShownLotOutput(many=True)
    digest = serializers.CharField(help_text=_("What a decision binds to."))
    refusals = serializers.SerializerMethodField()

    @extend_schema_field(ReasonOutput(many=True))
    def get_refusals(self, preview: Preview) -> Any:
        """Return every rule that would refuse it now."""
        return [reason.as_dict() for reason in preview.refusals]


class ReversalOutput(Output):
    """A proposal to reverse one entry."""

    id = serializers.IntegerField()
    entry = serializers.IntegerField(source="entry_id")
    reference = serializers.CharField(source="entry.reference")
    book = serializers.CharField(source="entry.book.code")
    effective_on = serializers.DateField()
    prior_period = serializers.CharField()
    # The field of the shape, not of the framework.
    reason = serializers.CharField()
    ticket = serializers.CharField()
    digest = DigestOutput()
    state = serializers.CharField(help_text="proposed, posted, rejected, withdrawn")
    version = serializers.IntegerField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    decided_at = serializers.DateTimeField(allow_null=True)
    reversal = serializers.IntegerField(source="reversal_id", allow_null=True, help_text=_("The entry that was posted."))


class ReversalDetailOutput(ReversalOutput):
    """A proposal with what it would do now, and what can be done next."""

    preview = serializers.SerializerMethodField()
    offers = serializers.SerializerMethodField()

    @extend_schema_field(ReversalPreviewOutput(allow_null=True))
    def get_preview(self, row: Reversal) -> Any:
        """Return what it would do now; null once it is decided."""
        if row.state != Reversal.State.PROPOSED:
            return None
        return ReversalPreviewOutput(asked.preview_on(row.entry, row.effective_on, row.prior_period)).data

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, row: Reversal) -> Any:
        """Return what can be done next."""
        user = doorways.from_request(self.context["request"], "api").user
        return OfferOutput(offers(REVERSAL, asked.facts(row, user=user), row), many=True).data


@extend_schema_view(
    list=extend_schema(summary="List reversals of single entries, newest first"),
    retrieve=extend_schema(summary="Show a reversal, what it would do, and what can be done next"),
)
class ReversalView(LookView):
    """The proposals to reverse one entry."""

    queryset = Reversal.objects.select_related("entry__book", "entry__posting", "proposed_by", "decided_by")
    book_path = "entry__book__code"
    serializer_class = ReversalOutput
    detail_serializer_class = ReversalDetailOutput
    filters = ReversalFilters
    reads = ("ledger_app.view_entry",)

    @extend_schema(summary="Propose to reverse an entry", request=ReversalInput, responses={201: ReversalDetailOutput})
    def create(self, request: Request) -> Response:
        """Another person decides it; until then nothing is posted."""
        row = reversals.propose(caller=self.caller, **self.read(ReversalInput, request.data))
        shown = self._shown(row.pk)
        shown.status_code = 201
        shown["Location"] = reverse("reversal-detail", args=[row.pk], request=request)
        return shown

    @extend_schema(summary="Approve and post a reversal", request=ReversalApprovalInput, responses={200: ReversalDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """The entry that takes the other back is posted in the same transaction."""
        given = self.read(ReversalApprovalInput, request.data)
        note = given.pop("reason", "")
        reversals.approve(reversal_id=self.get_object().pk, caller=self.caller, note=note, **given)
        return self._shown(int(pk))

    @extend_schema(summary="Reject a reversal", request=DecisionInput, responses={200: ReversalDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reject")
    def reject(self, request: Request, pk: str) -> Response:
        """Nothing is posted."""
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        reversals.reject(reversal_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(int(pk))

    @extend_schema(summary="Withdraw one's own reversal", request=DecisionInput, responses={200: ReversalDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Nothing is posted."""
        given = self.read(DecisionInput, request.data)
        reversals.withdraw(reversal_id=self.get_object().pk, caller=self.caller, **given)
        return self._shown(int(pk))

    def _shown(self, pk: int) -> Response:
        return Response(ReversalDetailOutput(self.get_queryset().get(pk=pk), context=self.get_serializer_context()).data)
