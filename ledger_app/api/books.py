"""Books in the API."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api_views import LookView, Output
from ledger_app.api.lots import DueFilters, DueLotsOutput
from ledger_app.models import Book
from ledger_app.queries import expiry


class BookOutput(Output):
    """A book, its unit, and the zone that says what a date is."""

    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    exponent = serializers.IntegerField(help_text=_("Decimals of the unit: 2 where the minor unit is a hundredth."))
    time_zone = serializers.CharField()


@extend_schema_view(
    list=extend_schema(summary="List books"),
    retrieve=extend_schema(summary="Show a book"),
)
class BookView(LookView):
    """The books."""

    queryset = Book.objects.all()
    serializer_class = BookOutput
    lookup_field = "code"
    lookup_value_regex = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

    @extend_schema(
        summary="Tell what of a book would expire by a day", parameters=[DueFilters], responses=DueLotsOutput(many=True)
    )
    @action(detail=True, serializer_class=DueLotsOutput, reads=("ledger_app.view_openlot",), pagination_class=None)
    def due(self, _request: Request, code: str) -> Response:
        """Answer day by day."""
        del code
        days = expiry.due_by_day(by=self.asked(DueFilters)["by"], book_id=self.get_object().pk)
        return Response(DueLotsOutput(days, many=True).data)
