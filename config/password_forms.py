"""The forms of passwords: what they ask is Django's; what they do is an operation, which leaves an audit row."""

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm as DjangoOwnPasswordForm
from django.contrib.auth.forms import AdminPasswordChangeForm as DjangoGivenPasswordForm

from ledger_app.models import User
from ledger_app.operations import people
from ledger_app.operations.audit import Caller


class OwnPasswordForm(DjangoOwnPasswordForm):
    """One's own password, for who knows the one that is there."""

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        """Keep who asks."""
        super().__init__(*args, **kwargs)
        self.caller = caller

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - as it is called
        """Call the operation."""
        del commit
        password = self.cleaned_data["new_password1"]
        self.user: Any = people.set_password(username=self.user.username, password=password, caller=self.caller, is_checked=True)
        return self.user


class GivenPasswordForm(DjangoGivenPasswordForm):  # type: ignore[type-arg]  # generic in its stubs alone
    """Somebody else's password, or that there is none."""

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        """Keep who asks."""
        super().__init__(*args, **kwargs)
        self.caller = caller

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - as it is called
        """Call the operation."""
        del commit
        password = self.cleaned_data["password1"] if self.cleaned_data["set_usable_password"] else None
        self.user: Any = people.set_password(username=self.user.username, password=password, caller=self.caller, is_checked=True)
        return self.user
