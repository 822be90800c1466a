"""Periods in the API: what they accept, what can be done next, and the transitions."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config import doorways
from config.api_input import ControlsField, DecisionInput, Input
from config.api_views import DigestOutput, LookView, OfferOutput, Output, offers
from ledger_app.models import Period, Seal
from ledger_app.operations import periods
from ledger_app.queries import books, closing
from ledger_app.rules.periods import PERIOD


class PeriodFilters(Input):
    """What a list of periods may be narrowed by."""

    book = serializers.CharField(required=False, help_text=_("The code of the book."))
    name = serializers.CharField(required=False)
    state = serializers.ChoiceField(choices=Period.State.values, required=False)


class FreezeInput(DecisionInput):
    """What a freeze takes."""

    controls = ControlsField(
        help_text=_("The totals that you hold from elsewhere, by name, as integers in minor units; at least one.")
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


class PeriodDetailOutput(PeriodOutput):
    """A period with what can be done next, and its seal."""

    control_names = serializers.SerializerMethodField(help_text=_("The control totals that a freeze knows, by name."))
    offers = serializers.SerializerMethodField()
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
        return sorted(self.facts.controls_known)

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, _period: Period) -> Any:
        """Return what can be done next."""
        return OfferOutput(offers(PERIOD, self.facts), many=True).data

    @extend_schema_field(SealOutput(allow_null=True))
    def get_seal(self, period: Period) -> Any:
        """Return the seal of a frozen period."""
        seal = Seal.objects.filter(period=period).select_related("previous", "sealed_by").first()
        return SealOutput(seal).data if seal else None


@extend_schema_view(
    list=extend_schema(summary="List periods", parameters=[PeriodFilters]),
    retrieve=extend_schema(summary="Show a period, what can be done next, and its seal"),
)
class PeriodView(LookView):
    """The periods of the books."""

    queryset = Period.objects.select_related("book")
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

    @extend_schema(summary="Mark a period provisional", request=DecisionInput, responses={200: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/provisional")
    def provisional(self, request: Request, pk: str) -> Response:
        """The figures may be used as provisional; batches are refused."""
        return self._change("provisional", request, pk)

    @extend_schema(summary="Reopen a provisional period", request=DecisionInput, responses={200: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reopen")
    def reopen(self, request: Request, pk: str) -> Response:
        """The period takes batches again."""
        return self._change("reopen", request, pk)

    @extend_schema(summary="Freeze a period for ever", request=FreezeInput, responses={200: PeriodDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/freeze")
    def freeze(self, request: Request, pk: str) -> Response:
        """Seal the period, once its work has ended, everything recomputes and the control totals match."""
        given = self.read(FreezeInput, request.data)
        period = self.get_object()
        periods.freeze(period_id=period.pk, caller=self.caller, code_version=settings.KAKUTEI_CODE_VERSION, **given)
        return self._shown(pk)

    def _change(self, name: str, request: Request, pk: str) -> Response:
        given = self.read(DecisionInput, request.data)
        period = self.get_object()
        periods.change(period_id=period.pk, name=name, caller=self.caller, **given)
        return self._shown(pk)

    def _shown(self, pk: str) -> Response:
        period = self.get_queryset().get(pk=pk)
        return Response(PeriodDetailOutput(period, context=self.get_serializer_context()).data)
