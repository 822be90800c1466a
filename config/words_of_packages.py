"""What packages mark for translation and bring no Japanese of: marked here, so that the catalogue has it and our pages tell it."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TASKS: Final[tuple[str | Promise, ...]] = (_("Task Result"), _("Task Results"), _("priority"), _("queue name"))
PASSWORDS: Final[tuple[str | Promise, ...]] = (
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to authenticate using other "
        "backends, such as Single Sign-On or LDAP."
    ),
)
