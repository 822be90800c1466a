"""The feed of what changed, for programs that keep up with the ledger."""

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from config.doors.api.fields import KeyField, NumberTextField
from config.doors.api.input import Input
from config.doors.api.reading import KeysetByNumber
from config.doors.api.views import LookView, Output
from ledger_app.base.operations import feed
from ledger_app.errors import TryAgain
from ledger_app.models import Event


class EventFilters(Input):
    """Which events are wanted."""

    after = NumberTextField(
        required=False, source="number__gt", help_text=_("The number of the last event that you have; 0 at the beginning.")
    )
    kind = KeyField(required=False, max_length=52, help_text="posting.posted, batch.approve, hold.place …")
    subject_type = KeyField(required=False, max_length=20)
    subject_id = NumberTextField(required=False)


class EventOutput(Output):
    """An event: what it is about is to be read at its own address."""

    number = serializers.IntegerField(help_text=_("Without gaps: who has read up to a number has missed nothing before it."))
    kind = serializers.CharField(help_text=_("The subject and what was done."))
    subject_type = serializers.CharField()
    subject_id = serializers.IntegerField()
    by = serializers.CharField(source="by.username")
    at = serializers.DateTimeField()
    facts = serializers.DictField(help_text=_("States before and after; of a posting its origin and how many entries it has."))


@extend_schema_view(
    list=extend_schema(summary="List events, from the first on"),
    retrieve=extend_schema(summary="Show an event"),
)
class EventView(LookView):
    """The events, in the order in which they could be seen first."""

    queryset = Event.objects.filter(number__isnull=False).select_related("by")
    serializer_class = EventOutput
    filters = EventFilters
    pagination_class = KeysetByNumber
    lookup_field = "number"

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the events that were asked for, numbers having been given to those that are committed."""
        # A database that is busy numbers them later: those that have one are told all the same, and nothing is missed.
        with suppress(TryAgain):
            feed.number()
        return rows.filter(**asked)
