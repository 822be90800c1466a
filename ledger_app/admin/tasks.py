"""What is queued and what became of it, as the queue's own package shows it; its list reads its address as strictly as every other."""

import django_tasks_db.admin  # noqa: F401 - registers what is registered anew below
from django.contrib import admin
from django_tasks_db.admin import DBTaskResultAdmin
from django_tasks_db.models import DBTaskResult

from config.doors.admin.model_admin import StrictList

admin.site.unregister(DBTaskResult)


@admin.register(DBTaskResult)
class TaskAdmin(StrictList, DBTaskResultAdmin):
    """The tasks."""
