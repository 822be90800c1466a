"""Who has failed to sign in too often, and until when: counted by django-axes, by name and address together, and in as few words as that takes."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any, Final

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from ledger_app.base.operations.audit import Caller
from ledger_app.models import FailedTry, User
from ledger_app.people.operations import lockouts
from ledger_app.templatetags import look
from ledger_app.values import names

SALT: Final = "kakutei.lockout"
# What a name begins with that is no user's: it may be a password that was typed a line too high, and is counted under a digest.
UNKNOWN: Final = lockouts.UNKNOWN
TOO_MANY: Final = 429
NETWORK_BITS: Final = 64
# What django-axes keeps of a request, and carries back to it.
OF_REQUEST: Final = (
    "axes_updated",
    "axes_locked_out",
    "axes_attempt_time",
    "axes_ip_address",
    "axes_path_info",
    "axes_credentials",
)


def counted_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """Return the name that a try is counted under."""
    del request
    folded = names.fold(str((credentials or {}).get("username") or ""))
    if User.objects.filter(username_folded=folded).exists():
        return folded
    return UNKNOWN + salted_hmac(SALT, folded, algorithm="sha256").hexdigest()[:32]


def counted_address(request: HttpRequest) -> str:
    """Return the address that a try is counted under; that which nobody has where there is none, as over a socket of the file system.

    Nothing at all would be no key: two first tries at once made two rows then, which no third was counted in, and who came in let all addresses try again.

    Of IPv6 it is the network of 64 bits: anyone who has one address of it has them all, and would begin to be counted anew with each.
    """
    address = doorways.address_of(request)
    if not address:
        return FailedTry.NO_ADDRESS
    known = ipaddress.ip_address(address)
    return address if known.version == 4 else str(ipaddress.ip_network((known, NETWORK_BITS), strict=False).network_address)


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes brings no types
    """Counts by the clock of the database, and keeps nothing of what was sent: fields of a form may hold anything."""

    def is_locked(self, request: HttpRequest, credentials: Any = None) -> bool:
        """Return whether a try is refused, as of now by the clock that every host has."""
        _keep_time(request)
        return bool(super().is_locked(request, credentials))

    def clean_expired_user_attempts(self, request: HttpRequest | None = None, credentials: Any = None) -> int:
        """Forget what is counted no more, by that clock as well: each sign-in and sign-out asks for it, and asked for nothing before."""
        if request is not None:
            _keep_time(request)
        return int(super().clean_expired_user_attempts(request, credentials))

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **options: Any
    ) -> None:
        """Count one failed try, and leave a word where it is the one that locks a user out."""
        if request is None:
            return
        bare: Any = HttpRequest()
        bare.META = {"REMOTE_ADDR": request.META.get("REMOTE_ADDR", "")}
        bare.axes_user_agent = bare.axes_http_accept = ""
        for name in OF_REQUEST:
            setattr(bare, name, getattr(request, name, None))
        was_locked = bool(bare.axes_locked_out)
        super().user_login_failed(sender, {"username": credentials.get("username")}, bare, **options)
        if not was_locked:
            # Of a first try django-axes writes down the host's time, whatever it was given.
            lockouts.date(name=counted_name(bare, credentials), address=bare.axes_ip_address, at=bare.axes_attempt_time)
        for name in OF_REQUEST:
            setattr(request, name, getattr(bare, name, None))
        if bare.axes_locked_out and not was_locked:
            _tell(request, str(credentials.get("username") or ""))


def is_locked(request: HttpRequest, username: str) -> bool:
    """Return whether nobody may try under this name from where the request comes."""
    return not AxesProxyHandler.is_allowed(request, {"username": username})


def failed(request: HttpRequest, username: str) -> None:
    """Count a failed try at a door that asks for less than a name and a password."""
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)


def succeeded(request: HttpRequest, username: str) -> None:
    """Forget what failed, at a door that signs nobody in anew."""
    name, address = counted_name(request, {"username": username}), counted_address(request)
    AxesProxyHandler.reset_attempts(username=name, ip_address=address)


def until(request: HttpRequest, username: str) -> datetime | None:
    """Return when the name may be tried again from where the request comes; None where it may be now."""
    if not is_locked(request, username):
        return None
    row = FailedTry.objects.filter(
        username=counted_name(request, {"username": username}),
        ip_address=counted_address(request),
        attempt_time__gte=get_cool_off_threshold(request),
    ).first()
    return None if row is None else until_of(row)


def until_of(row: Any) -> datetime | None:
    """Return until when nobody may try under a name from an address, by what is counted of them; None where they may."""
    if row.failures_since_start < settings.KAKUTEI_LOGIN_FAILURES:
        return None
    at: datetime = row.attempt_time + timedelta(minutes=settings.KAKUTEI_LOCKOUT_MINUTES)
    return at


def sentence(request: HttpRequest, username: str) -> str:
    """Return what a locked-out person is told: until when, and what else can be done."""
    at = until(request, username) or doorways.now()
    said = _("Too many tries have failed for this name from here. Try again after {at}, or ask an administrator to let you in.")
    return said.format(at=look.instant_text(at))


def refused(request: HttpRequest, response: HttpResponseBase, credentials: Any = None) -> HttpResponseBase:
    """Turn the answer of a view that took a password into one that says when to try again; the page says so in words."""
    name = str((credentials or {}).get("username") or "")
    at = until(request, name)
    response.status_code = TOO_MANY
    response["Retry-After"] = str(max(1, round((at - doorways.now()).total_seconds())) if at is not None else 1)
    return response


def _keep_time(request: Any) -> None:
    """Have django-axes count from the time of the database: hosts whose clocks differ would each lock out for another time."""
    request.axes_attempt_time = doorways.now()


def _tell(request: HttpRequest, username: str) -> None:
    user = User.objects.named(username).first()
    if user is not None:
        system = User.objects.get(username=User.SYSTEM)
        address = doorways.address_of(request)
        caller = Caller(user=system, at=doorways.now(), door="admin", request=doorways.name_of(request), host=address[:64])
        lockouts.tell(user=user, address=address, minutes=settings.KAKUTEI_LOCKOUT_MINUTES, caller=caller)
