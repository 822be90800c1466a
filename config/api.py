"""What the API has in common: rights to read, and pages by key."""

from rest_framework.pagination import CursorPagination
from rest_framework.permissions import DjangoModelPermissions


class ReadPermission(DjangoModelPermissions):
    """Reading needs the right to view. Acting is decided by the operations, which answer with reasons."""

    perms_map = {method: ["%(app_label)s.view_%(model_name)s"] for method in ("GET", "HEAD", "OPTIONS", "POST")}


class KeysetPagination(CursorPagination):
    """Pages by key: as fast on the last page as on the first, and never counting the table."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 1000
