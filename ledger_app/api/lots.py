"""Lots in the API: of an account, and what would expire by a day."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.doors.api.fields import DayField, SwitchTextField
from config.doors.api.input import Input
from config.doors.api.views import Output


class LotFilters(Input):
    """Which lots of an account."""

    open = SwitchTextField(required=False, help_text=_("True: only those of which something is left."))


class DueFilters(Input):
    """By when."""

    by = DayField(help_text=_("The last day, included."))


class LotUseOutput(Output):
    """What an entry took of a lot; negative: gave back."""

    entry = serializers.IntegerField(source="line.entry_id")
    reference = serializers.CharField(source="line.entry.reference")
    effective_on = serializers.DateField(source="line.entry.effective_on")
    amount = serializers.IntegerField()


class LotOutput(Output):
    """A lot: points that one entry granted, what is left of them, and until when. A deficit is owed: its amount is negative."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="paid, free, deficit")
    granted_by = serializers.CharField(source="line.entry.reference")
    granted_on = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True, help_text=_("The last day that was granted; null: never."))
    due_on = serializers.SerializerMethodField(help_text=_("The day on which what is left expires."))
    amount = serializers.IntegerField()
    remaining = serializers.SerializerMethodField()
    held = serializers.SerializerMethodField()
    uses = LotUseOutput(many=True)

    def get_due_on(self, lot: Any) -> str | None:
        """Return the day, which a reversal may have put off."""
        remainder = getattr(lot, "remainder", None)
        return remainder.due_on.isoformat() if remainder and remainder.due_on else None

    def get_remaining(self, lot: Any) -> int:
        """Return what is left."""
        remainder = getattr(lot, "remainder", None)
        return remainder.remaining if remainder else 0

    def get_held(self, lot: Any) -> int:
        """Return what of it is held now."""
        return sum(part.amount for part in lot.held_parts)


class DueLotsOutput(Output):
    """What is due on one day, and what of it is held."""

    date = serializers.DateField(source="due_on")
    accounts = serializers.IntegerField()
    lots = serializers.IntegerField()
    amount = serializers.IntegerField()
    held = serializers.IntegerField()


class ShownLotOutput(Output):
    """What an entry does to a lot, as a decider is shown it: amount negative where points are taken of it."""

    account = serializers.CharField()
    lot = serializers.IntegerField(help_text=_("The lot's number; 0 of one that the entry makes."))
    kind = serializers.CharField()
    amount = serializers.IntegerField()
    granted_on = serializers.CharField()
    expires_on = serializers.CharField(help_text=_("The last day as it was granted; empty where it never expires."))
