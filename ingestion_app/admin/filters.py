"""Filters of ingestion's lists. Their choices are known beforehand: none is read from a million rows."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ingestion_app.checks.rules import RULES, Severity
from ingestion_app.models import Batch
from ledger_app.templatetags import look

NUMBER_DIGITS = 18


class BatchFilter(admin.SimpleListFilter):
    """Narrows a list to one batch, and says which; it is set by the links of the batch's page."""

    title = _("batch")
    parameter_name = "batch__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the batch that is asked for; to choose among thousands there is the list of batches."""
        del model_admin
        number = request.GET.get(self.parameter_name, "")
        return [(number, str(chosen_batch(request) or number))] if number else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the batch; of a batch that does not exist, none."""
        if not self.value():
            return queryset
        batch = chosen_batch(request)
        return queryset.filter(batch=batch) if batch else queryset.none()


def chosen_batch(request: HttpRequest) -> Batch | None:
    """Return the batch that a list is narrowed to."""
    number = request.GET.get(BatchFilter.parameter_name, "")
    if not (number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS):
        return None
    return Batch.objects.select_related("source").filter(pk=number).first()


class SeverityFilter(admin.SimpleListFilter):
    """Narrows findings to one severity."""

    title = _("severity")
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer each."""
        del request, model_admin
        return [(severity, look.APPEARANCES[severity].word) for severity in Severity]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the findings of the severity."""
        del request
        return queryset.filter(severity=self.value()) if self.value() else queryset


class RuleFilter(admin.SimpleListFilter):
    """Narrows findings to one rule."""

    title = _("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the rules that saw something in the batch that is asked for; without one, every rule there is."""
        del model_admin
        batch = chosen_batch(request)
        return [(rule, rule) for rule in sorted(batch.finding_counts if batch else RULES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the findings of the rule."""
        del request
        return queryset.filter(rule=self.value()) if self.value() else queryset
