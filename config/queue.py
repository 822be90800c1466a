"""What waits in the queue."""

from typing import Any

from django_tasks_db.models import DBTaskResult


def waiting(task: Any, name: str) -> set[int]:
    """Return the argument ``name`` of each call of a task that is queued and that nobody has taken up."""
    rows = DBTaskResult.objects.ready().filter(task_path=task.module_path)
    return {row.args_kwargs["kwargs"].get(name) for row in rows}
