"""Where events may be sent to, which are wanted, what is sent, and when it is tried again. Pure."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.utils.functional import Promise
from django.utils.http import parse_http_date_safe
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import webhooks
from ledger_app.values import instants

URL_MOST: Final = 300
KINDS_MOST: Final = 50
# A subject with what was done to it, or a subject, whatever was done.
KIND: Final = re.compile(r"[a-z_-]{1,20}(\.[a-z_-]{1,31})?", re.ASCII)
PRINTABLE: Final = re.compile(r"[!-~]+", re.ASCII)
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HTTPS_PORT: Final = 443

# 10 s after the first failure, then each time twice as long, at most six hours: the last try is about 18 hours after the first.
TRIES_MOST: Final = 14
FIRST_WAIT: Final = timedelta(seconds=10)
WAIT_MOST: Final = timedelta(hours=6)
CHANCE_MOST: Final = 1_000
NO_WAIT: Final = timedelta()
# What a receiver answers that is there no more, and what it answers that wants to be left alone for a while.
GONE: Final = 410
BUSY: Final = frozenset({429, 503})
SECONDS: Final = re.compile(r"[0-9]+", re.ASCII)
DIGITS_MOST: Final = 9  # more of them say a time beyond any that is waited
OVERLAP_HOURS: Final = 24
OVERLAP_HOURS_MOST: Final = 24 * 7


def address_refusals(url: str, *, hosts: Collection[str], may_be_here: bool) -> list[errors.LedgerError]:
    """Return why events cannot be sent to an address. ``hosts`` are those that are allowed, each a name, or a name and a port.

    ``may_be_here``: this machine may be named, by plain HTTP.
    """
    why = _wrong(url, hosts, may_be_here=may_be_here)
    return [webhooks.WebhookAddressRefused(url=url[:URL_MOST], why=why)] if why else []


def _wrong(url: str, hosts: Collection[str], *, may_be_here: bool) -> str | Promise:
    if len(url) > URL_MOST or PRINTABLE.fullmatch(url) is None:
        return _("it is no address of up to 300 characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _("it is no address")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return _("it has no host, or a user, a password or a fragment")
    if may_be_here and parts.scheme == "http" and host in LOOPBACK:
        return ""
    if parts.scheme != "https":
        return _("only https is sent to")
    return "" if _named(host, port) in hosts else _("its host is not in KAKUTEI_WEBHOOK_HOSTS")


def _named(host: str, port: int | None) -> str:
    return host if port in {None, HTTPS_PORT} else f"{host}:{port}"


def target(parts: SplitResult) -> str:
    """Return what is asked for at the host of an address."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def kinds_refusals(kinds: Sequence[str]) -> list[errors.LedgerError]:
    """Return what is wrong with the kinds of events that are wanted."""
    wrong = [kind for kind in kinds if KIND.fullmatch(kind) is None]
    if wrong or len(kinds) > KINDS_MOST or len(set(kinds)) != len(kinds):
        return [webhooks.WebhookKindsInvalid(kinds=", ".join(wrong or kinds)[:100], most=KINDS_MOST)]
    return []


def wants(kinds: Collection[str], kind: str) -> bool:
    """Whether an event of ``kind`` is wanted. Who names no kind wants all."""
    return not kinds or kind in kinds or kind.partition(".")[0] in kinds


def wait(failures: int, chance: int, *, asked: timedelta = NO_WAIT) -> timedelta:
    """Return how long to wait after so many failures: a half of the time, and by ``chance``, 0 to 1,000, up to the whole; never less than was ``asked`` for.

    So those that failed together do not come back together.
    """
    whole: timedelta = min(FIRST_WAIT * 2 ** min(failures - 1, 30), WAIT_MOST)
    return max(whole * (CHANCE_MOST + chance) // (2 * CHANCE_MOST), asked)


def retry_after(said: str, at: datetime) -> timedelta:
    """Return how long a receiver asks to be left alone from ``at`` on, as ``Retry-After`` says it: in seconds, or until a date of HTTP.

    No longer than the longest wait, whatever is said; no time at all where it is neither, or a date that is past.
    """
    if SECONDS.fullmatch(said):
        return min(timedelta(seconds=int(said.lstrip("0")[:DIGITS_MOST] or 0)), WAIT_MOST)
    until = parse_http_date_safe(said)
    return NO_WAIT if until is None else min(max(timedelta(seconds=until - int(at.timestamp())), NO_WAIT), WAIT_MOST)


def message_id(number: int) -> str:
    """Return the name of a message: the same each time that the event is sent, so that a receiver knows it again."""
    return f"event-{number}"


def body(*, number: int, kind: str, subject_type: str, subject_id: int, by: str, at: datetime, facts: Mapping[str, Any]) -> str:
    """Return what is sent of an event: type, instant and data, as Standard Webhooks has them."""
    data = {"number": number, "subject_type": subject_type, "subject_id": subject_id, "by": by, "facts": dict(facts)}
    instant = instants.stamp(at)
    return json.dumps({"type": kind, "timestamp": instant, "data": data}, ensure_ascii=False, separators=(",", ":"))


def generations(generation: int, overlap_until: datetime | None, at: datetime) -> tuple[int, ...]:
    """Return the generations of the secret that what is sent now is signed under."""
    return (generation, generation - 1) if overlap_until is not None and at < overlap_until else (generation,)
