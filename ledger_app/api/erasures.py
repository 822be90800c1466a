"""Erasures of members' personal data in the API: asked for by one, decided by another; and corrections of names."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import attachment_files
from config.doors import callers as doorways
from config.doors.api.fields import KeyField, NumberTextField, OneOfField, TextField, WholeNumberField
from config.doors.api.input import DecisionInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, offers
from ledger_app.erasures import queries as asked
from ledger_app.erasures.operations import erasures, names
from ledger_app.erasures.rules import ERASURE
from ledger_app.members.rules.member_files import NAME_MOST
from ledger_app.models import Erasure
from ledger_app.values.most import TICKET_MOST


class NameInput(Input):
    """A name that is corrected."""

    name = KeyField(max_length=NAME_MOST, allow_blank=True)
    shown = KeyField(max_length=NAME_MOST, allow_blank=True, help_text=_("What the member is called now, as you were shown."))
    reason = TextField(max_length=500)


class NamedOutput(Output):
    """Whose name was corrected: answers are kept with the keys of requests, and no name is kept there."""

    member = serializers.IntegerField(source="id")


class NameActions:
    """What the view of members has besides."""

    @extend_schema(summary="Correct the name of a member", request=NameInput, responses={200: NamedOutput})
    @action(detail=True, methods=["post"], url_path="name")
    def correct_name(self, request: Request, pk: str) -> Response:
        """What the member was called before stays in the history."""
        del pk
        view: Any = self
        given = view.read(NameInput, request.data)
        return Response(NamedOutput(names.correct(holder_id=view.get_object().pk, caller=view.caller, **given)).data)


class ErasureFilters(Input):
    """What a list of erasures may be narrowed by."""

    state = OneOfField(choices=Erasure.State.values, required=False)
    member = NumberTextField(required=False, source="holder_id")


class ErasureInput(Input):
    """What asking for an erasure takes."""

    member = WholeNumberField(min_value=1, source="holder_id", help_text=_("The member who remains after merges."))
    ticket = KeyField(max_length=TICKET_MOST, help_text=_("Of the member’s own request."))
    reason = TextField(max_length=500, help_text=_("Without the name."))


class ErasureOutput(Output):
    """A request that a member's personal data be erased."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text="proposed, done, rejected, withdrawn")
    version = serializers.IntegerField()
    member = serializers.IntegerField(source="holder_id")
    ticket = serializers.CharField()
    reason = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    decided_at = serializers.DateTimeField(allow_null=True)
    digest = DigestOutput(allow_null=True, help_text=_("Of all that was erased; null where nothing was."))


class ErasureDetailOutput(ErasureOutput):
    """A request with what can be done next."""

    offers = serializers.SerializerMethodField()

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, row: Erasure) -> Any:
        """Return what can be done next."""
        user = doorways.from_request(self.context["request"], "api").user
        return OfferOutput(offers(ERASURE, asked.facts(row, user=user)), many=True).data


@extend_schema_view(
    list=extend_schema(summary="List erasures, newest first"),
    retrieve=extend_schema(summary="Show an erasure, and what can be done next"),
)
class ErasureView(LookView):
    """The requests that members' personal data be erased."""

    queryset = Erasure.objects.select_related("proposed_by", "decided_by")
    serializer_class = ErasureOutput
    detail_serializer_class = ErasureDetailOutput
    filters = ErasureFilters
    reads = ("ledger_app.view_holder",)

    @extend_schema(
        summary="Ask for an erasure", request=ErasureInput, responses={200: ErasureDetailOutput, 201: ErasureDetailOutput}
    )
    def create(self, request: Request) -> Response:
        """Another person decides. 201: a new request; 200: you have asked for the same already, and it waits."""
        row, is_new = erasures.propose(caller=self.caller, **self.read(ErasureInput, request.data))
        return self._shown(row.pk, 201 if is_new else 200)

    @extend_schema(summary="Approve an erasure, and erase", request=DecisionInput, responses={200: ErasureDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """What tells who the member is goes for ever; entries and balances stay."""
        given = self.read(DecisionInput, request.data)
        note = given.pop("reason", "")
        directory = attachment_files.directory()
        erasures.approve(erasure_id=self.get_object().pk, caller=self.caller, note=note, directory=directory, **given)
        return self._shown(int(pk))

    @extend_schema(summary="Reject an erasure", request=DecisionInput, responses={200: ErasureDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reject")
    def reject(self, request: Request, pk: str) -> Response:
        """Nothing is erased."""
        return self._end("reject", request, pk)

    @extend_schema(summary="Withdraw one's own request", request=DecisionInput, responses={200: ErasureDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Nothing is erased."""
        return self._end("withdraw", request, pk)

    def _end(self, name: str, request: Request, pk: str) -> Response:
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        erasures.end(erasure_id=self.get_object().pk, name=name, caller=self.caller, **given)
        return self._shown(int(pk))

    def _shown(self, pk: int, status: int = 200) -> Response:
        return Response(ErasureDetailOutput(asked.find(pk), context=self.get_serializer_context()).data, status=status)
