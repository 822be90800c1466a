"""Users in the admin: the one thing that is administered by form, by superusers alone."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.model_admin import HistoryShown
from ledger_app.models import User
from ledger_app.templatetags import look


@admin.register(User)
class UserAdmin(HistoryShown, DjangoUserAdmin[User]):
    """Who works here, and in which groups. Users are never deleted, only made inactive: what they did stays theirs."""

    list_display = ("username", "full_name", "group_names", "is_active", "shown_last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username__exact",)
    ordering = ("username",)
    actions = None
    # Rights come from groups; Django's two-list chooser has no accessible name.
    filter_horizontal = ()
    readonly_fields = ("shown_last_login", "shown_date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Times"), {"fields": ("shown_last_login", "shown_date_joined")}),
    )

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes users."""
        return False

    @admin.display(description=_("name"))
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name()

    @admin.display(description=_("last login (UTC)"), ordering="last_login")
    def shown_last_login(self, row: User) -> SafeString:
        """When the user last logged in, in UTC."""
        return look.instant_cell(row.last_login)

    @admin.display(description=_("registered at (UTC)"))
    def shown_date_joined(self, row: User) -> SafeString:
        """When the user was registered, in UTC."""
        return look.instant_cell(row.date_joined)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Bring the groups with the rows."""
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a user's form, which leads to the history."""
        return super().change_view(request, object_id, form_url, {"has_history": True, **(extra_context or {})})

    @admin.display(description=_("groups"))
    def group_names(self, row: User) -> str:
        """The groups, by name."""
        return ", ".join(group.name for group in row.groups.all())
