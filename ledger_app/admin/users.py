"""Users in the admin: the one thing that is administered by form, by superusers alone."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.model_admin import HistoryShown
from ledger_app.models import User


@admin.register(User)
class UserAdmin(HistoryShown, DjangoUserAdmin[User]):
    """Who works here, and in which groups. Users are never deleted, only made inactive: what they did stays theirs."""

    list_display = ("username", "full_name", "group_names", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username__exact",)
    ordering = ("username",)
    actions = None
    # Rights come from groups; Django's two-list chooser has no accessible name.
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes users."""
        return False

    @admin.display(description=_("name"))
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name()

    @admin.display(description=_("groups"))
    def group_names(self, row: User) -> str:
        """The groups, by name."""
        return ", ".join(group.name for group in row.groups.all())
