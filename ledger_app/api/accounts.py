"""Accounts, their balances and their lines in the API."""

from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import callers as doorways
from config.doors.api.fields import KeyField
from config.doors.api.input import DecisionInput, DecisionOnShownInput, Input
from config.doors.api.reading import KeysetByDay
from config.doors.api.views import OfferOutput, Output, offers
from ledger_app import errors
from ledger_app.api.explanations import ExplainedAccountView
from ledger_app.api.lots import DueFilters, DueLotsOutput, LotFilters, LotOutput
from ledger_app.base.queries.totals import Total, TotalOf
from ledger_app.books.operations import accounts as operations
from ledger_app.books.queries import account_states, books
from ledger_app.books.rules.accounts import ACCOUNT
from ledger_app.errors.requests import AccountNotNamed
from ledger_app.members.queries import members
from ledger_app.models import Account, Balance, Hold, Identifier, Line
from ledger_app.points.queries import expiry, lot_pages, standing
from ledger_app.values.sides import natural


class AccountFilters(Input):
    """What a list of accounts may be narrowed by."""

    book = KeyField(required=False, help_text=_("The code of the book."))
    code = KeyField(required=False)
    role = KeyField(required=False)
    member = KeyField(required=False, help_text=_("The holder's member number."))


class HolderOutput(Output):
    """The member to whom an account belongs."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    member_numbers = serializers.SerializerMethodField()
    merged_into = serializers.IntegerField(
        source="merged_into_id", allow_null=True, help_text=_("The holder that this one was merged into.")
    )

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_member_numbers(self, holder: Any) -> list[str]:
        """Return the member's numbers."""
        return [identifier.value for identifier in holder.numbers]


class BalanceOutput(Output):
    """The balance of an account in minor units: signed, debit positive; and in the natural direction of its category."""

    amount = serializers.IntegerField()
    natural = serializers.IntegerField()


class StandingOutput(Output):
    """What of a balance can be spent now, and what cannot: minor units in the natural direction of the account."""

    held = serializers.IntegerField(help_text=_("Reserved by holds."))
    overdue = serializers.IntegerField(help_text=_("Was due before today in the book's zone, and is not expired yet."))
    upcoming = serializers.IntegerField(help_text=_("Granted from a later day on."))
    spendable = serializers.IntegerField(allow_null=True, help_text=_("What can be spent today; null where nothing bounds it."))


class AccountOutput(Output):
    """An account with its balance."""

    id = serializers.IntegerField()
    book = serializers.CharField(source="book.code")
    code = serializers.CharField()
    role = serializers.CharField()
    category = serializers.CharField(help_text="asset, liability, equity, income, expense")
    state = serializers.CharField(help_text="open, suspended, closed")
    floor = serializers.IntegerField(allow_null=True, help_text=_("The least natural balance, in minor units."))
    stripes = serializers.IntegerField()
    version = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    holder = HolderOutput(allow_null=True, help_text=_("Null where it is nobody's, and for who may not look at members."))
    balance = serializers.SerializerMethodField()
    standing = serializers.SerializerMethodField()

    def to_representation(self, instance: Any) -> Any:
        """Leave out whose it is, for who may not look at members."""
        shown = super().to_representation(instance)
        if "holder" in shown and not doorways.looks_at_all(self.context["request"]):
            shown["holder"] = None
        return shown

    @extend_schema_field(StandingOutput)
    def get_standing(self, account: Any) -> Any:
        """Return what of the balance can be spent."""
        found = getattr(account, "standing", None) or standing.of([account], at=doorways.now())[account.pk]
        return StandingOutput(found).data

    @extend_schema_field(BalanceOutput)
    def get_balance(self, account: Any) -> dict[str, int]:
        """Return the sum of the stripes."""
        amount = account.balance_amount
        return {"amount": amount, "natural": natural(account.category, amount)}


class AccountDetailOutput(AccountOutput):
    """An account with what can be done next."""

    offers = serializers.SerializerMethodField()

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, account: Any) -> Any:
        """Return what can be done next."""
        caller = doorways.from_request(self.context["request"], "api")
        return OfferOutput(
            offers(ACCOUNT, account_states.facts(account, user=caller.user, at=caller.at), account), many=True
        ).data


class AccountLineOutput(Output):
    """A line, as the account sees it."""

    id = serializers.IntegerField()
    entry = serializers.IntegerField(source="entry_id")
    reference = serializers.CharField(source="entry.reference")
    effective_on = serializers.DateField(source="entry.effective_on")
    description = serializers.CharField(source="entry.description")
    stripe = serializers.IntegerField()
    sequence = serializers.IntegerField(help_text=_("Counts the lines of the stripe from 1, without a gap."))
    amount = serializers.IntegerField(help_text=_("Signed minor units, debit positive."))
    balance_after = serializers.IntegerField(help_text=_("The balance of the stripe after this line."))


@extend_schema_view(
    list=extend_schema(summary="List accounts with their balances"),
    retrieve=extend_schema(summary="Show an account with its balance"),
)
class AccountView(ExplainedAccountView):
    """The accounts."""

    queryset = Account.objects.all()
    book_path = "book__code"
    serializer_class = AccountOutput
    detail_serializer_class = AccountDetailOutput
    filters = AccountFilters
    reads = ("ledger_app.view_balance", "ledger_app.view_openlot")

    def get_queryset(self) -> QuerySet[Any]:
        """Bring balance and holder with each row, in a number of statements that does not depend on the rows."""
        stripes = Balance.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(total=Total("amount"))
        rows: QuerySet[Any] = super().get_queryset()
        if self.detail and not doorways.looks_at_all(self.request):
            # By its number, which can be guessed, only where it has held points of it; else by its name.
            rows = rows.filter(pk__in=Hold.objects.filter(placed_by=self.request.user.pk).values("account"))
        rows = rows.annotate(balance_amount=TotalOf(stripes.values("total"))).select_related("book")
        if not self.wants("holder"):
            return rows
        return rows.select_related("holder").prefetch_related(
            Prefetch("holder__identifiers", queryset=members.numbers_own_first(), to_attr="numbers")
        )

    def paginate_queryset(self, queryset: Any) -> Any:
        """Bring what can be spent with each row of a page of accounts."""
        rows = super().paginate_queryset(queryset)
        if rows and isinstance(rows[0], Account) and self.wants("standing"):
            found = standing.of(rows, at=doorways.now())
            for row in rows:
                row.standing = found[row.pk]
        return rows

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the accounts that were asked for.

        :raises errors.Refused: account_not_named, where the user looks at one at a time
        """
        if not doorways.looks_at_all(self.request) and asked.keys() != {"book", "code"}:
            raise errors.Refused([AccountNotNamed(user=self.request.user.get_username())])
        if "book" in asked:
            rows = rows.filter(book=books.find(asked["book"]))
        if "member" in asked:
            rows = rows.filter(holder__identifiers__kind=Identifier.MEMBER_NUMBER, holder__identifiers__value=asked["member"])
        return rows.filter(**{name: asked[name] for name in ("code", "role") if name in asked})

    @extend_schema(summary="List the lines of an account by date, the last first", responses=AccountLineOutput(many=True))
    @action(
        detail=True,
        serializer_class=AccountLineOutput,
        pages=True,
        pagination_class=KeysetByDay,
        reads=("ledger_app.view_line", "ledger_app.view_entry"),
    )
    def lines(self, _request: Request, pk: str) -> Response:
        """Answer with the lines of one account."""
        del pk
        return self.page(Line.objects.filter(account=self.get_object()).select_related("entry"))

    @extend_schema(summary="List the lots of an account", responses=LotOutput(many=True))
    @action(
        detail=True,
        serializer_class=LotOutput,
        asks=LotFilters,
        pages=True,
        reads=("ledger_app.view_lot", "ledger_app.view_lotuse", "ledger_app.view_openlot", "ledger_app.view_entry"),
    )
    def lots(self, _request: Request, pk: str) -> Response:
        """Answer with the lots of one account: what was granted, used by what, what is left and until when."""
        del pk
        return self.page(lot_pages.of_account(self.get_object(), at=doorways.now(), is_open=self.asked.get("open")))

    @extend_schema(summary="Tell what of an account would expire by a day", responses=DueLotsOutput(many=True))
    @action(
        detail=True, serializer_class=DueLotsOutput, asks=DueFilters, reads=("ledger_app.view_openlot",), pagination_class=None
    )
    def due(self, _request: Request, pk: str) -> Response:
        """Answer day by day."""
        del pk
        days = expiry.due_while_waited_for(by=self.asked["by"], at=doorways.now(), account_id=self.get_object().pk)
        return Response(DueLotsOutput(days, many=True).data)

    @extend_schema(summary="Suspend an account", request=DecisionOnShownInput, responses={200: AccountDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/suspend")
    def suspend(self, request: Request, pk: str) -> Response:
        """The account takes no lines until it is reopened."""
        del pk
        return self._change("suspend", DecisionOnShownInput, request)

    @extend_schema(summary="Reopen a suspended account", request=DecisionOnShownInput, responses={200: AccountDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reopen")
    def reopen(self, request: Request, pk: str) -> Response:
        """The account takes lines again."""
        del pk
        return self._change("reopen", DecisionOnShownInput, request)

    @extend_schema(summary="Close an account for ever", request=DecisionInput, responses={200: AccountDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/close")
    def close(self, request: Request, pk: str) -> Response:
        """The account, whose balance is zero, never takes a line again."""
        del pk
        return self._change("close", DecisionInput, request)

    def _change(self, name: str, shape: type[Input], request: Request) -> Response:
        given = {"reason": "", **self.read(shape, request.data)}
        changed = operations.change(account_id=self.get_object().pk, name=name, caller=self.caller, **given)
        return Response(AccountDetailOutput(self.get_queryset().get(pk=changed.pk), context=self.get_serializer_context()).data)
