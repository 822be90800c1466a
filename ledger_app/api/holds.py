"""Holds in the API: what a till reserves, takes and lets go."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import callers as doorways
from config.doors.api.fields import DayField, InstantField, KeyField, OneOfField, TextField, WholeNumberField
from config.doors.api.input import DecisionInput, Input, StepInput
from config.doors.api.views import LookView, OfferOutput, Output, offers
from ledger_app.books.queries import books
from ledger_app.models import Hold
from ledger_app.points.operations import holds
from ledger_app.points.queries import holds as hold_rows
from ledger_app.posting.rules.holds import HOLD


class HoldFilters(Input):
    """What a list of holds may be narrowed by."""

    book = KeyField(required=False, help_text=_("The code of the book."))
    reference = KeyField(required=False, help_text=_("The whole reference."))
    account = KeyField(required=False, help_text=_("The code of the account."))
    state = OneOfField(choices=Hold.State.values, required=False)


class BalanceInput(Input):
    """What the caller may believe in of the account."""

    expected_balance = WholeNumberField(
        required=False,
        allow_null=True,
        default=None,
        help_text=_("What you believe that the account has, in its natural direction; refused where it is another."),
    )


class HoldInput(BalanceInput):
    """What a hold takes. The same again, by its reference, answers with the hold that is there."""

    book = KeyField()
    account = KeyField(help_text=_("The code of the account whose points are held."))
    target = KeyField(help_text=_("The code of the account that takes what is settled."))
    amount = WholeNumberField(help_text=_("Minor units, 1 or more."))
    reference = KeyField(help_text=_("A name of your own, once in a book."))
    expires_at = InstantField(help_text=_("Until when it is good."))
    description = TextField(required=False, allow_blank=True, default="")


class SettleInput(BalanceInput, StepInput):
    """What settling takes."""

    amount = WholeNumberField(help_text=_("Minor units, no more than is held; the rest is let go."))
    effective_on = DayField(
        required=False, allow_null=True, default=None, help_text=_("The date of the entry; today in the book's zone.")
    )


class ReleaseInput(BalanceInput, DecisionInput):
    """What releasing takes."""


class HoldOutput(Output):
    """A hold."""

    id = serializers.IntegerField()
    book = serializers.CharField(source="book.code")
    account = serializers.CharField(source="account.code")
    target = serializers.CharField(source="target.code")
    reference = serializers.CharField()
    amount = serializers.IntegerField()
    description = serializers.CharField()
    expires_at = serializers.DateTimeField()
    placed_at = serializers.DateTimeField()
    settled_amount = serializers.IntegerField(allow_null=True)
    settled_on = serializers.DateField(allow_null=True)
    state = serializers.CharField(help_text="open, settled, released, expired")
    version = serializers.IntegerField()


class HeldLotOutput(Output):
    """What a hold reserved of one lot."""

    lot = serializers.IntegerField(source="lot_id")
    amount = serializers.IntegerField()


class HoldDetailOutput(HoldOutput):
    """A hold with its lots and what can be done next."""

    lots = HeldLotOutput(many=True, source="parts")
    offers = serializers.SerializerMethodField()

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, hold: Hold) -> Any:
        """Return what can be done next."""
        caller = doorways.from_request(self.context["request"], "api")
        return OfferOutput(offers(HOLD, hold_rows.facts(hold, user=caller.user, at=caller.at), hold), many=True).data


@extend_schema_view(
    list=extend_schema(summary="List holds"),
    retrieve=extend_schema(summary="Show a hold, its lots and what can be done next"),
)
class HoldView(LookView):
    """The holds."""

    queryset = Hold.objects.select_related("book", "account", "target")
    book_path = "book__code"
    names_books = frozenset({"create"})
    serializer_class = HoldOutput
    detail_serializer_class = HoldDetailOutput
    filters = HoldFilters
    reads = ("ledger_app.view_account", "ledger_app.view_holdlot")

    def get_queryset(self) -> QuerySet[Any]:
        """Bring the lots with one row. A till looks at its own; what others placed, the operations refuse it by name."""
        rows: QuerySet[Any] = super().get_queryset()
        if self.action in {"list", "retrieve"} and not doorways.looks_at_all(self.request):
            rows = rows.filter(placed_by=self.request.user.pk)
        return rows if self.action == "list" else rows.prefetch_related("parts")

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the holds that were asked for."""
        return rows.filter(**books.narrowed(asked))

    @extend_schema(summary="Hold points", request=HoldInput, responses={200: HoldDetailOutput, 201: HoldDetailOutput})
    def create(self, request: Request) -> Response:
        """Hold points of an account, in the order in which they would be spent."""
        given = self.read(HoldInput, request.data)
        book = given.pop("book")
        wanted = holds.Wanted(
            account_id=hold_rows.find_account(book, given.pop("account")).pk,
            target_id=hold_rows.find_account(book, given.pop("target")).pk,
            **given,
        )
        hold, is_new = holds.place(wanted=wanted, caller=self.caller)
        return self._shown(hold.pk, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(summary="Settle a hold, in part or in full", request=SettleInput, responses={200: HoldDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/settle")
    def settle(self, request: Request, pk: str) -> Response:
        """Post what is settled, out of the lots that are held, and let the rest go. The same again answers with what was settled."""
        del pk
        given = self.read(SettleInput, request.data)
        hold = self.get_object()
        holds.settle(hold_id=hold.pk, caller=self.caller, **given)
        return self._shown(hold.pk)

    @extend_schema(summary="Release a hold", request=ReleaseInput, responses={200: HoldDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/release")
    def release(self, request: Request, pk: str) -> Response:
        """Let go what is held."""
        del pk
        given = {"reason": "", **self.read(ReleaseInput, request.data)}
        hold = self.get_object()
        holds.release(hold_id=hold.pk, caller=self.caller, **given)
        return self._shown(hold.pk)

    def _shown(self, pk: int, number: int = status.HTTP_200_OK) -> Response:
        hold = self.get_queryset().get(pk=pk)
        return Response(HoldDetailOutput(hold, context=self.get_serializer_context()).data, status=number)
