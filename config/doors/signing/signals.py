"""Writes an audit row for each sign-in, sign-out and failed try, by every door: Django sends a signal for each."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from config.doors import callers as doorways
from ledger_app.base.operations.audit import Caller
from ledger_app.models import User
from ledger_app.people.operations import signing


def install() -> None:
    """Listen. Called once, when the project starts."""
    user_logged_in.connect(_logged_in, dispatch_uid="kakutei.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="kakutei.logged_out")
    user_login_failed.connect(_failed, dispatch_uid="kakutei.login_failed")


def _caller(user: User, request: HttpRequest | None) -> Caller:
    if request is None:
        return doorways.from_command(user)
    provider = getattr(request, "provider", "")
    return replace(doorways.from_address(request, user), audit_facts=(("provider", provider),) if provider else ())


def _logged_in(*, request: HttpRequest, user: User, **_said: Any) -> None:
    signing.signed(action="log_in", caller=_caller(user, request))


def _logged_out(*, request: HttpRequest, user: User | None, **_said: Any) -> None:
    if user is not None:
        signing.signed(action="log_out", caller=_caller(user, request))


def _failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_said: Any) -> None:
    system = User.objects.get(username=User.SYSTEM)
    signing.failed(typed=str(credentials.get(User.USERNAME_FIELD, "")), caller=_caller(system, request))
