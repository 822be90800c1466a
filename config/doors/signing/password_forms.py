"""The forms of passwords: what they ask is Django's; what they do is an operation, which leaves an audit row."""

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm as DjangoOwnPasswordForm
from django.contrib.auth.forms import AdminPasswordChangeForm as DjangoGivenPasswordForm
from django.contrib.auth.forms import AdminUserCreationForm
from django.utils.translation import gettext_lazy as _

from ledger_app.base.operations.audit import Caller
from ledger_app.models import User
from ledger_app.people.operations import people

MADE_FOR_YOU = _(
    "Leave both fields empty to have one made, which is shown this once. Whichever it is, the user has to choose another at once."
)


class OwnPasswordForm(DjangoOwnPasswordForm):
    """One's own password, for who knows the one that is there."""

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        """Keep who asks."""
        super().__init__(*args, **kwargs)
        self.caller = caller

    def clean(self) -> dict[str, Any]:
        """Refuse, of somebody who has to choose one, the one that somebody else knows."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        user = self.user
        if isinstance(user, User) and people.is_known(user, str(said.get("new_password1") or "")):
            self.add_error("new_password1", str(people.KNOWN))
        return said

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - as it is called
        """Call the operation."""
        del commit
        password = self.cleaned_data["new_password1"]
        self.user: Any = people.set_password(username=self.user.username, password=password, caller=self.caller, is_checked=True)
        return self.user


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # generic in its stubs alone
    """A new user, with a password or without; ``made`` is the one that was made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Let both fields be left empty."""
        super().__init__(*args, **kwargs)
        _offer(self)

    def clean(self) -> Any:
        """Make one where none was typed, before the framework misses it."""
        self.made = _fill(self, str(self.cleaned_data.get("username", "")))
        return super().clean()


class GivenPasswordForm(DjangoGivenPasswordForm):  # type: ignore[type-arg]  # generic in its stubs alone
    """Somebody else's password, or that there is none."""

    def __init__(self, *args: Any, caller: Caller, made: list[str], **kwargs: Any) -> None:
        """Keep who asks, and where what is made is told."""
        super().__init__(*args, **kwargs)
        self.caller, self.told = caller, made
        _offer(self)

    def clean(self) -> Any:
        """Make one where none was typed, before the framework misses it."""
        self.made = _fill(self, self.user.username)
        return super().clean()

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - as it is called
        """Call the operation."""
        del commit
        password = self.cleaned_data["password1"] if self.cleaned_data["set_usable_password"] else None
        self.user: Any = people.set_password(username=self.user.username, password=password, caller=self.caller, is_checked=True)
        self.told += [self.made] if self.made else []
        return self.user


def _offer(form: Any) -> None:
    """Say on a form that a password can be made, and let its fields be left empty."""
    for name in ("password1", "password2"):
        form.fields[name].required = False
    form.fields["password2"].help_text = MADE_FOR_YOU


def _fill(form: Any, username: str) -> str:
    """Make a password where none was typed and one is wanted, as if it had been typed; return it, or an empty text."""
    said = form.cleaned_data
    if said.get("usable_password") == "false" or said.get("password1") or said.get("password2") or form.errors:
        return ""
    said["password1"] = said["password2"] = people.made_password(username)
    return str(said["password1"])
