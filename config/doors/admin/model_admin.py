"""What every list and detail page of the admin has in common: it looks, and never writes."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import DeletedObject
from simple_history.template_utils import HistoricalRecordContextHelper

from config.doors import telling
from config.doors.admin import list_addresses, list_filters
from config.doors.admin.sheets import Facts, Sheet
from config.doors.api.fields import NUMBER
from ledger_app.books.queries import books
from ledger_app.errors.printable import escaped
from ledger_app.templatetags import look

COUNTED_MOST = 10_000
NOTHING = "–"
# What simple-history says on its pages. It brings no Japanese, so the project's catalogue does: marked here, makemessages finds it.
SAID_BY_SIMPLE_HISTORY = (
    gettext_noop("Created"),
    gettext_noop("Changed"),
    gettext_noop("Deleted"),
    gettext_noop("View history: %s"),
    gettext_noop("Deleted %(type_name)s"),
)

# Columns in minor units, of rows that have a book.
AMOUNTS = frozenset(
    {
        *("amount", "floor", "remaining", "held", "settled_amount", "debit_total", "balance_after"),
        *("amount_most", "two_deciders_above", "day_most", "member_day_most", "all_day_most", "amount_a_day"),
    }
)
# How columns that hold JSON are told where amounts are in them, by model and column: registered by who shows the model.
Teller = Callable[[Any, Any], Any]
tellers: dict[tuple[type[Model], str], Teller] = {}


class BoundedPaginator(Paginator[Any]):
    """Counts no further than anybody pages: a COUNT over a million rows takes a second, and its answer helps nobody."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or ``COUNTED_MOST`` where there are more."""
        return min(self._counted, COUNTED_MOST)

    @cached_property
    def is_at_least(self) -> bool:
        """Whether there are more rows than ``count`` says: it is told as the least that there are, and never as the number."""
        return self._counted > COUNTED_MOST

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[: COUNTED_MOST + 1].count()


class Named:
    """Says what people call a row: in its title, in the crumbs, in what a search finds."""

    def name_of(self, row: Any) -> str:
        """Return the name of a row."""
        return escaped(str(row))


class StrictList:
    """A list that is narrowed by what it knows, or not shown at all; and a row that is not there is not found, and leads nowhere else."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, or say by what it cannot be narrowed."""
        if self.has_view_permission(request) and (fault := list_addresses.fault(request, self)):  # type: ignore[attr-defined]  # of the framework\'s list
            return list_filters.refusal(request, self, fault)
        try:
            response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]  # of the framework's list
        except DisallowedModelAdminLookup:
            return list_filters.refusal(request, self)
        if list_filters.was_dropped(request, response):
            return list_filters.refusal(request, self)
        shown = getattr(response, "context_data", None) or {}
        if (changes := shown.get("cl")) is not None and (said := list_filters.unknown(changes)):
            return list_filters.refusal(request, self, said)
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row by its number; what is written in another way is none."""
        if isinstance(self.model._meta.pk, models.IntegerField) and NUMBER.fullmatch(object_id) is None:  # type: ignore[attr-defined]  # noqa: SLF001 - Django's public API
            return None
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]  # of the framework's admin

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        del request, object_id
        raise Http404(_("There is no {what} of this number.").format(what=opts.verbose_name))


class LookingAdmin(Named, StrictList, admin.ModelAdmin[Any]):
    """Lists and shows. Nothing is added, changed or deleted here: buttons call operations."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    empty_value_display = NOTHING
    paginator = BoundedPaginator
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    change_form_template = "kakutei/sheet.html"
    # What is searched is a key within a book: no index begins with it, so that it is looked for in each book.
    is_searched_by_book = False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by an index, however many rows there are."""
        rows, has_duplicates = super().get_search_results(request, queryset, search_term)
        if search_term and self.is_searched_by_book:
            rows = rows.filter(book__in=books.ids())
        return rows, has_duplicates

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody adds rows by a form."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody changes rows by a form."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes rows."""
        return False

    def sheet(self, request: HttpRequest, row: Any) -> Sheet:
        """Return the detail page of a row whose admin has no template of its own."""
        del request
        return Sheet(title=self.name_of(row), main=[Facts(capfirst(str(self.opts.verbose_name)), facts_of(row))])

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the detail page shows."""
        sheet = self.sheet(request, row)
        return {"sheet": sheet, "title": sheet.title}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show one row."""
        row = self.get_object(request, object_id)
        shown: dict[str, Any] = {}
        if row is not None and self.has_view_permission(request, row):
            shown = {"named": self.name_of(row), "has_history": isinstance(self, HistoryShown), **self.page(request, row)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})


class ReadOnlyAdmin(LookingAdmin):
    """A list of the books and of the work on them, which everybody who works here looks at."""


class Changes(HistoricalRecordContextHelper):  # type: ignore[misc]  # simple_history brings no types
    """Says what changed between two lines of a history, in the words of the other pages."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        """Return the value of a field as it is shown; of many, what each is called."""
        if self.model._meta.get_field(change.field).many_to_many:  # noqa: SLF001 - Django's public API
            return [str(each) for each in super().prepare_delta_change_value(change, value)] or NOTHING
        return shown_value(self.model._meta.get_field(change.field), value, self.record.instance)  # noqa: SLF001 - Django's public API

    def stringify_delta_change_values(self, change: Any, old: Any, new: Any) -> tuple[SafeString, SafeString]:
        """Return both whole: what is cut is no value any more, and of what is written as HTML a half is none at all."""
        del change
        return conditional_escape(_listed(old)), conditional_escape(_listed(new))


def _listed(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


class HistoryShown(Named, SimpleHistoryAdmin):  # type: ignore[misc]  # simple_history brings no types
    """Shows the history of a row, and shuts simple-history's way of writing an old row over the new one."""

    object_history_form_template = "kakutei/sheet.html"
    # What is made of each line before it is shown.
    history_list_display = ("reason_text",)

    def reason_text(self, line: Any) -> str:
        """Return why a line of the history is there."""
        return telling.reason_text(str(self.opts.model_name), line.history_change_reason or "")

    def get_historical_record_context_helper(self, request: HttpRequest, historical_record: Any) -> Changes:
        """Return who says what changed."""
        del request
        return Changes(self.model, historical_record)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row as it was, and nothing else: a POST here would write the old row over the new one.

        simple-history's own page is a form, so it is not called at all.
        """
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        history: Any = self.model.history
        if not (NUMBER.fullmatch(version_id) and NUMBER.fullmatch(object_id)):
            raise Http404
        line = history.filter(id=object_id, history_id=version_id).select_related("history_user").first()
        if line is None:
            raise Http404
        if not self.has_view_permission(request, line.instance):
            raise PermissionDenied
        named = self.name_of(line.instance)
        facts = [
            (_("At"), look.instant_cell(line.history_date)),
            (_("By"), line.history_user or _("system")),
            (_("What"), line.get_history_type_display()),
            (_("Reason"), self.reason_text(line) or NOTHING),
        ]
        title = _("{what} as it was").format(what=named)
        sheet = Sheet(
            title=title,
            state=getattr(line, "state", ""),
            main=[Facts(_("The row, after this change"), facts_of(line.instance, without=frozenset({"password", "last_login"})))],
            side=[Facts(_("The change"), facts)],
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "sheet": sheet,
            "title": title,
            "original": line.instance,
            "named": named,
            "past_of": (url_of(line.instance), reverse(f"{_route(self.model)}_history", args=[line.instance.pk])),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.object_history_form_template, context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show what was changed, when and by whom."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id) if NUMBER.fullmatch(object_id) else None
        if row is None:
            raise Http404
        # One story: each change of the row, and beside it who did what, refused attempts among it.
        may_see = request.user.has_perm("ledger_app.view_auditrow")
        audit = telling.trail(telling.subject_of(str(self.opts.model_name)), row.pk) if may_see else []
        more = {"named": self.name_of(row), "audit": audit}
        response: HttpResponse = super().history_view(request, object_id, {**more, **(extra_context or {})})
        return response


class HistoryAdmin(ReadOnlyAdmin, HistoryShown):
    """A read-only page with the history of its row."""


def url_of(row: Model) -> str:
    """Return the address of a row's page."""
    return reverse(f"{_route(type(row))}_change", args=[row.pk])


def link_to(row: Model | None, text: Any = None) -> SafeString | str:
    """Return a row as a link to its page; a dash for none."""
    if row is None:
        return NOTHING
    shown = row if text is None else text
    return format_html('<a href="{}">{}</a>', url_of(row), shown if isinstance(shown, SafeString) else escaped(str(shown)))


def list_url(model: type[Model], query: str = "") -> str:
    """Return the address of a model's list."""
    address = reverse(f"{_route(model)}_changelist")
    return f"{address}?{query}" if query else address


def facts_of(row: Model, without: frozenset[str] = frozenset()) -> list[tuple[Any, Any]]:
    """Return every column of a row as (label, value as it is shown)."""
    fields = [field for field in row._meta.concrete_fields if field.name not in without]  # noqa: SLF001 - Django's public API
    return [(capfirst(field.verbose_name), shown_value(field, getattr(row, field.name), row)) for field in fields]


def unit_of(row: Any) -> look.Unit | None:
    """Return the book that the amounts of a row are counted in, where it has one."""
    return getattr(row, "book", None) or getattr(getattr(row, "account", None), "book", None)


def shown_value(field: Any, value: Any, row: Model) -> Any:
    """Return the value that a field of a row has, or had, as every page shows values of its kind."""
    if value is None or value == "" or isinstance(value, DeletedObject):
        return NOTHING
    if getattr(field, "choices", None):
        return dict(field.flatchoices).get(value, value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return look.instant_cell(value)
    if isinstance(value, date):
        return look.day_text(value)
    if isinstance(value, bytes | memoryview):
        return look.digest_cell(bytes(value))
    if isinstance(field, models.JSONField):
        return _document(field.name, value, row)
    if field.name in AMOUNTS and type(value) is int and (unit := unit_of(row)) is not None:
        return look.amount_cell(value, unit)
    if isinstance(value, str) and not isinstance(field, models.TextField):
        return escaped(value)
    return value


def _document(name: str, value: Any, row: Model) -> str:
    tell = tellers.get((type(row), name))
    return escaped(json_text(value if tell is None else tell(row, value)))


def json_text(value: Any) -> str:
    """Return what JSON holds as people read it: names with their values, lists with commas, nothing as a dash."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {json_text(each)}" for name, each in value.items()) or NOTHING
    if isinstance(value, list):
        return (
            ", ".join(f"({json_text(each)})" if isinstance(each, dict | list) else json_text(each) for each in value) or NOTHING
        )
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return NOTHING if value is None or value == "" else str(value)


def _route(model: type[Model]) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"  # noqa: SLF001 - Django's public API
