"""Says whether the program may be served at some addresses: python -m config.starting ADDRESS… ends with 1 and sentences where it may not."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import django
from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured


def is_own_machine(address: str) -> bool:
    """Return whether only this machine can reach an address: HOST:PORT or [HOST]:PORT of the loopback, or a socket of the file system."""
    if address.startswith(("unix:", "/")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reasons(addresses: Iterable[str]) -> list[str]:
    """Return why the program may not be served at these addresses; nothing where it may."""
    found = [
        f"{address} can be reached from other machines, and KAKUTEI_ENVIRONMENT is {_said('KAKUTEI_ENVIRONMENT')} and SECRET_KEY"
        f" {'set' if {'SECRET_KEY', 'SECRET_KEY_FILE'} & os.environ.keys() else 'not set'}; set KAKUTEI_ENVIRONMENT to staging or production, or to development with a"
        " SECRET_KEY of its own, or bind to 127.0.0.1."
        for address in addresses
        if not settings.KAKUTEI_ANSWERS_OTHER_MACHINES and not is_own_machine(address)
    ]
    if not settings.IS_DEVELOPMENT:
        checked = run_checks(tags=[Tags.security], include_deployment_checks=True)
        found += [f"{each.msg} {each.hint or ''}".strip() for each in checked if each.level >= ERROR]
    return found


def ask() -> None:
    """Ask whether this process may serve where it listens already, whatever started it: a server that was given none of our configuration, too.

    :raises ImproperlyConfigured: with every reason; gunicorn and its like then end
    """
    if found := reasons(listening()):
        raise ImproperlyConfigured("Not started: " + " ".join(found))


def listening() -> list[str]:
    """Return the addresses at which this process listens, as HOST:PORT or as the path of a socket."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError, ValueError), socket.socket(fileno=os.dup(int(descriptor.name))) as copy:
            if copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                address = copy.getsockname()
                found.add(f"[{address[0]}]:{address[1]}" if isinstance(address, tuple) else f"unix:{address}")
    return sorted(found)


def _said(name: str) -> str:
    return repr(os.environ[name]) if name in os.environ else "not set"


def main() -> int:
    """Print why not, and return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        found = reasons(sys.argv[1:])
    except ImproperlyConfigured as error:
        found = [str(error)]
    for sentence in found:
        sys.stderr.write(f"Not started: {sentence}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
