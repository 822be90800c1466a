"""Books in the API."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import callers as doorways
from config.doors.api.fields import DayField, KeyField, OneOfField, TextField, WholeNumberField
from config.doors.api.input import Input
from config.doors.api.views import Output
from ledger_app.api.lots import DueFilters, DueLotsOutput
from ledger_app.api.reports import ReportedBookView
from ledger_app.api.setting_changes import SettingChangeDetailOutput, propose
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.members.operations import opening
from ledger_app.models import Account, Book
from ledger_app.points.queries import expiry


class BookOutput(Output):
    """A book, its unit, and the zone that says what a date is."""

    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    exponent = serializers.IntegerField(help_text=_("Decimals of the unit: 2 where the minor unit is a hundredth."))
    time_zone = serializers.CharField()


class BookInput(Input):
    """A book to be opened."""

    code = KeyField(max_length=20)
    name = KeyField(max_length=100)
    unit = KeyField(max_length=12)
    exponent = WholeNumberField(min_value=0, max_value=6)
    time_zone = KeyField(max_length=64, help_text=_("It says what a date is."))


class MonthsInput(Input):
    """Months to be opened."""

    first = DayField(help_text=_("A day of the first month."))
    months = WholeNumberField(min_value=1, max_value=opening.MONTHS_MOST)


class MonthsOutput(Output):
    """The periods that were opened, and those that were there."""

    opened = serializers.ListField(child=serializers.CharField())
    there = serializers.ListField(child=serializers.CharField())


class OpenedAccountInput(Input):
    """An account that belongs to no member."""

    code = KeyField(max_length=64)
    role = KeyField(max_length=32)
    category = OneOfField(choices=Account.Category.values)
    floor = WholeNumberField(required=False, allow_null=True, default=None)
    stripes = WholeNumberField(required=False, min_value=1, max_value=64, default=1)


class AccountsInput(Input):
    """Accounts to be opened, all or none."""

    accounts = OpenedAccountInput(many=True)


class AccountsOutput(Output):
    """How many accounts were opened, and how many were there."""

    opened = serializers.IntegerField()
    there = serializers.IntegerField()


class TemplateInput(Input):
    """An account that each member gets."""

    role = KeyField(max_length=32)
    category = OneOfField(choices=Account.Category.values)
    floor = WholeNumberField(required=False, allow_null=True, default=None)
    reason = TextField(allow_blank=True)


@extend_schema_view(
    list=extend_schema(summary="List books"),
    retrieve=extend_schema(summary="Show a book"),
)
class BookView(ReportedBookView):
    """The books."""

    queryset = Book.objects.all()
    book_path = "code"
    serializer_class = BookOutput
    lookup_field = "code"
    lookup_value_regex = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

    @extend_schema(summary="Open a book", request=BookInput, responses={200: BookOutput, 201: BookOutput})
    def create(self, request: Request) -> Response:
        """201: a new book; 200: it was there with the same properties, and is left as it is."""
        book, is_new, _changed = books.keep_book(caller=self.caller, **self.read(BookInput, request.data))
        return Response(BookOutput(book).data, status=201 if is_new else 200)

    @extend_schema(summary="Open months of a book", request=MonthsInput, responses={200: MonthsOutput})
    @action(detail=True, methods=["post"])
    def periods(self, request: Request, code: str) -> Response:
        """Those that are there are left as they are."""
        del code
        found = opening.open_months(book=self.get_object(), caller=self.caller, **self.read(MonthsInput, request.data))
        return Response(MonthsOutput(found).data)

    @extend_schema(summary="Open accounts that belong to no member", request=AccountsInput, responses={200: AccountsOutput})
    @action(detail=True, methods=["post"], url_path="accounts")
    def open_accounts(self, request: Request, code: str) -> Response:
        """Those that are there are left as they are."""
        del code
        openings = [AccountOpening(**each) for each in self.read(AccountsInput, request.data)["accounts"]]
        opened = books.open_accounts(book=self.get_object(), openings=openings, caller=self.caller)
        return Response(AccountsOutput({"opened": opened, "there": len({each.code for each in openings}) - opened}).data)

    @extend_schema(
        summary="Propose which account each member gets in a book",
        request=TemplateInput,
        responses={201: SettingChangeDetailOutput},
    )
    @action(detail=True, methods=["post"])
    def templates(self, request: Request, code: str) -> Response:
        """Another person decides it. Accounts that are open stay as they are."""
        del code
        return propose(self, "template", {**self.read(TemplateInput, request.data), "book": self.get_object().code})

    @extend_schema(summary="Tell what of a book would expire by a day", responses=DueLotsOutput(many=True))
    @action(
        detail=True, serializer_class=DueLotsOutput, asks=DueFilters, reads=("ledger_app.view_openlot",), pagination_class=None
    )
    def due(self, _request: Request, code: str) -> Response:
        """Answer day by day."""
        del code
        days = expiry.due_while_waited_for(by=self.asked["by"], at=doorways.now(), book_id=self.get_object().pk)
        return Response(DueLotsOutput(days, many=True).data)
