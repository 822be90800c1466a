"""Users in the admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.model_admin import HistoryAdmin
from ledger_app.models import User


@admin.register(User)
class UserAdmin(HistoryAdmin):
    """Who works here. Users are registered by an operation, not by this form."""

    list_display = ("username", "full_name", "group_names", "is_active", "last_login")
    search_fields = ("username__exact",)
    fields = ("username", "first_name", "last_name", "email", "is_active", "is_superuser", "groups", "last_login", "date_joined")
    readonly_fields = fields
    ordering = ("username",)

    @admin.display(description=_("name"))
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name()

    @admin.display(description=_("groups"))
    def group_names(self, row: User) -> str:
        """The groups, by name."""
        return ", ".join(group.name for group in row.groups.all())
