"""Groups, rights and the system user, brought in line with ``rights.rules.rights``."""

from django.contrib.auth.models import Group, Permission

from ledger_app.models import User
from ledger_app.rights.rules import rights


def install() -> None:
    """Create what is missing and set each group's rights to exactly those of the rules. Runs after each migration."""
    user, created = User.objects.get_or_create(username=User.SYSTEM, defaults={"is_active": False})
    if created:
        user.set_unusable_password()
        user.save()
    present = {f"{app}.{codename}": key for app, codename, key in _permissions()}
    for group_name in rights.ACTIONS:
        wanted = rights.of_group(group_name)
        if not wanted <= present.keys():
            return  # migrations of the other applications are still to come
        group, _ = Group.objects.get_or_create(name=group_name)
        group.permissions.set([present[name] for name in wanted])


def _permissions() -> list[tuple[str, str, int]]:
    return list(Permission.objects.values_list("content_type__app_label", "codename", "id"))
