"""What every door has in common: who acts, when, and from where."""

import getpass
import ipaddress
import socket
from dataclasses import replace
from datetime import date, datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import clock
from ledger_app.models import Token, User
from ledger_app.rights.rules.rights import LOOK_AT_ALL


def now() -> datetime:
    """Return the time, by the clock that all hosts have in common. Operations are given it; only doors ask for it.

    :raises TryAgain: when the database was busy or away
    """
    return transactions.ask(clock.read)


def today() -> date:
    """Return the day, in the zone that pages tell instants in."""
    return timezone.localdate(now())


def from_request(request: HttpRequest, door: str) -> Caller:
    """Return who acts in ``request``, which has been authenticated."""
    assert isinstance(request.user, User), "a view without a user calls no operation"  # noqa: S101 - the views' permissions see to it
    token = getattr(request, "auth", None)
    audit_facts = (("token", token.prefix),) if isinstance(token, Token) else ()
    return replace(from_address(request, request.user, door), is_program=token is not None, audit_facts=audit_facts)


def from_address(request: HttpRequest, user: User, door: str = "admin") -> Caller:
    """Return somebody of whom a request tells, who need not be signed in."""
    return Caller(
        user=user,
        at=now(),
        door=door,
        request=name_of(request),
        host=address_of(request)[:64],
    )


def looks_at_all(request: HttpRequest) -> bool:
    """Whether the user looks at whatever they ask for; else, as a till, at what it placed itself and at accounts that it names."""
    return bool(getattr(request, "user", None)) and request.user.has_perm(LOOK_AT_ALL)


def name_of(request: HttpRequest) -> str:
    """Return the name of a request, by which the log and the audit rows are found together."""
    return str(getattr(request, "request_id", "") or request.headers.get("X-Request-Id", ""))[:64]


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from; empty where it has none.

    Behind proxies it is the one that the outermost of them, of as many as the settings say, was reached from. Whatever stands before that in the header was
    written by whoever sent the request.
    """
    here = str(request.META.get("REMOTE_ADDR", ""))
    if settings.KAKUTEI_PROXIES:
        header = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        told = [each.strip() for each in header.split(",")] if header else []
        here = told[-settings.KAKUTEI_PROXIES] if len(told) >= settings.KAKUTEI_PROXIES else here
    try:
        address = ipaddress.ip_address(here)
    except ValueError:
        return ""
    # A server that listens on both kinds is told of an IPv4 address in the form of the other.
    return str(getattr(address, "ipv4_mapped", None) or address)


def from_command(user: User, door: str = "command") -> Caller:
    """Return who acts in a command or a task: the user it names, and the operating system's."""
    return Caller(user=user, at=now(), door=door, os_user=_os_user(), host=socket.gethostname()[:64])


def _os_user() -> str:
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):
        return "?"
