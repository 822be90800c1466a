"""What the API has in common: rights to read, and pages by key."""

import re
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

KEY = re.compile(r"[0-9]{1,18}", re.ASCII)
DAY_AND_KEY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,18}", re.ASCII)


class ReadPermission(DjangoModelPermissions):
    """Reading needs the right to view, of all that a view shows. Acting is decided by the operations, which answer with reasons."""

    perms_map = {method: ["%(app_label)s.view_%(model_name)s"] for method in ("GET", "HEAD", "OPTIONS", "POST")}

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask for the right to view the view's own model, and whatever else the view says it ``reads``."""
        reads: tuple[str, ...] = getattr(view, "reads", ())
        return super().has_permission(request, view) and request.user.has_perms(reads)

    def _queryset(self, view: Any) -> Any:
        """Return the rows that the view begins with: their model is asked for, and what they bring along is made once, where they are read."""
        return view.queryset


class KeysetPagination(CursorPagination):
    """Pages by key: as fast on the last page as on the first, and never counting the table. The key is an integer and unique."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 1000
    position_pattern = KEY
    invalid_cursor_message = _("This cursor was not given out here. Begin at the first page.")  # type: ignore[assignment]  # translated late

    def get_page_size(self, request: Request) -> int | None:
        """Return the rows a page. A size that is not one is refused, so that nobody takes a short page for the whole."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if KEY.fullmatch(asked) is None or not 1 <= int(asked) <= self.max_page_size:
            raise ValidationError({self.page_size_query_param: [_("A whole number from 1 to 1000.")]})
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor that the request names."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound:
            raise self._unknown_cursor() from None
        # Every cursor that is given out has a position: without one, the first page would pass for the one that was meant.
        if cursor is not None and self.position_pattern.fullmatch(str(cursor.position)) is None:
            raise self._unknown_cursor()
        return cursor

    def _unknown_cursor(self) -> ValidationError:
        return ValidationError({self.cursor_query_param: [self.invalid_cursor_message]})


class KeysetByDay(KeysetPagination):
    """Pages by date, the last first, and by key within a date: of rows whose index has both, and the rows themselves only of what is shown."""

    ordering = "-effective_on"
    position_pattern = DAY_AND_KEY

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return a page of ``queryset``, which is in no order."""
        del view
        self.request, self.base_url = request, request.build_absolute_uri()
        size = self.get_page_size(request) or self.max_page_size
        self.cursor = self.decode_cursor(request)
        is_back = self.cursor is not None and self.cursor.reverse
        places = queryset.order_by("effective_on", "id") if is_back else queryset.order_by("-effective_on", "-id")
        if self.cursor is not None:
            places = places.filter(self._beyond(str(self.cursor.position), "gt" if is_back else "lt"))
        found = list(places.values_list("effective_on", "id")[: size + 1])
        has_more, shown = len(found) > size, found[:size]
        if is_back:
            shown.reverse()
        self.has_next, self.has_previous = (True, has_more) if is_back else (has_more, self.cursor is not None)
        self.ends = (shown[0], shown[-1]) if shown else None
        rows = queryset.in_bulk([key for _day, key in shown])
        self.page = [rows[key] for _day, key in shown]
        return self.page

    def get_next_link(self) -> str | None:
        """Return the address of the page with what is earlier."""
        return self._link(self.ends[1], is_back=False) if self.has_next and self.ends else None

    def get_previous_link(self) -> str | None:
        """Return the address of the page with what is later."""
        return self._link(self.ends[0], is_back=True) if self.has_previous and self.ends else None

    def _link(self, place: tuple[date, int], *, is_back: bool) -> str:
        position: Any = f"{place[0].isoformat()}.{place[1]}"
        link: str = self.encode_cursor(Cursor(offset=0, reverse=is_back, position=position))
        return link

    def _beyond(self, position: str, sign: str) -> Q:
        """Return the condition that a row stands after a place, or before it. The first half bounds the range of the index."""
        day, key = position.split(".")
        try:
            on = date.fromisoformat(day)
        except ValueError:
            raise self._unknown_cursor() from None
        return Q(**{f"effective_on__{sign}e": on}) & (Q(**{f"effective_on__{sign}": on}) | Q(**{f"id__{sign}": int(key)}))


class KeysetAscending(KeysetPagination):
    """Pages from the first row to the last."""

    ordering = "id"


class KeysetByLine(KeysetPagination):
    """Pages in the order of a file."""

    ordering = "line"


class KeysetByNumber(KeysetPagination):
    """Pages in the order of numbers."""

    ordering = "number"
