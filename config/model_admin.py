"""What every list and detail page of the admin has in common: it looks, and never writes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin

COUNTED_MOST = 10_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than anybody pages: a COUNT over a million rows takes a second, and its answer helps nobody."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or ``COUNTED_MOST`` where there are more."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[:COUNTED_MOST].count()


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Lists and shows. Nothing is added, changed or deleted here: buttons call operations."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody adds rows by a form."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody changes rows by a form."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes rows."""
        return False

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the detail page, the ``change_form_template``, shows beside the fields."""
        del request, row
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one row."""
        row = self.get_object(request, object_id)
        shown = self.page(request, row) if row is not None and self.has_view_permission(request, row) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})


class HistoryShown(SimpleHistoryAdmin):  # type: ignore[misc]  # simple_history brings no types
    """Shows the history of a row, and shuts simple-history's way of writing an old row over the new one."""

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row as it was. Only that: a POST here would write the old row over the new one, whoever sends it."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show what was changed, when and by whom."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response


class HistoryAdmin(ReadOnlyAdmin, HistoryShown):
    """A read-only page with the history of its row."""


def url_of(row: Model) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])  # noqa: SLF001 - Django's public API


def list_url(model: type[Model], query: str = "") -> str:
    """Return the address of a model's list."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")  # noqa: SLF001 - Django's public API
    return f"{address}?{query}" if query else address
