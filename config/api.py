"""What the API has in common: rights to read, and pages by key."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


class ReadPermission(DjangoModelPermissions):
    """Reading needs the right to view, of all that a view shows. Acting is decided by the operations, which answer with reasons."""

    perms_map = {method: ["%(app_label)s.view_%(model_name)s"] for method in ("GET", "HEAD", "OPTIONS", "POST")}

    def has_permission(self, request: Request, view: Any) -> bool:
        """Ask for the right to view the view's own model, and whatever else the view says it ``reads``."""
        reads: tuple[str, ...] = getattr(view, "reads", ())
        return super().has_permission(request, view) and request.user.has_perms(reads)


class KeysetPagination(CursorPagination):
    """Pages by key: as fast on the last page as on the first, and never counting the table. The key is an integer and unique."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 1000
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
        if cursor is not None and KEY.fullmatch(str(cursor.position)) is None:
            raise self._unknown_cursor()
        return cursor

    def _unknown_cursor(self) -> ValidationError:
        return ValidationError({self.cursor_query_param: [self.invalid_cursor_message]})


class KeysetAscending(KeysetPagination):
    """Pages from the first row to the last."""

    ordering = "id"


class KeysetByLine(KeysetPagination):
    """Pages in the order of a file."""

    ordering = "line"


class KeysetByNumber(KeysetPagination):
    """Pages in the order of numbers."""

    ordering = "number"
