"""How a person signs in: by name and password, and where too many tries have failed, not before a time that is told."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from config import lockouts


class SignInForm(AdminAuthenticationForm):
    """Name and password."""

    def clean(self) -> dict[str, Any]:
        """Look at them.

        :raises ValidationError: they are not right; or nobody may try, and until when
        """
        assert self.request is not None, "a form of a page"  # noqa: S101 - the view sees to it
        try:
            return super().clean()
        except ValidationError as error:
            if getattr(self.request, "axes_locked_out", False):
                told = lockouts.sentence(self.request, str(self.cleaned_data.get("username") or ""))
                raise ValidationError(told, code="locked_out") from error
            raise
