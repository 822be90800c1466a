"""Reads the environment strictly: what is not understood stops the start with a sentence that names the variable, its value and what would pass.

No value of what is secret is ever repeated: a start that is refused may be logged.
"""

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured

PREFIX: Final = "KAKUTEI_"
# What the tests are steered by. The program reads none of these.
OF_TESTS: Final = re.compile("KAKUTEI_(TEST_[A-Z_]+|KEEP_SCHEMA|HISTORIES)")

SECRET_KEY_LEAST: Final = 50  # characters
SECRET_KEY_DISTINCT: Final = 10
CARD_KEY_DISTINCT: Final = 12  # bytes; of 32 that are random, fewer than 20 are never seen

ADDRESS_MOST: Final = 255  # characters

WHOLE: Final = re.compile("[0-9]{1,15}", re.ASCII)
HOST: Final = re.compile(
    r"\.?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE | re.ASCII
)
ORIGIN: Final = re.compile(r"https?://(\*\.)?([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
RECEIVER: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
# Files of this many bytes hold no secret that is read here.
SECRET_FILE_MOST: Final = 100_000
# Of what a connection to a database is encrypted with, what lies in files; and the ways in which it is, of which the last two look at who answers.
SSL_FILES: Final = ("ca", "cert", "key")
SSL_MODES: Final = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
DATABASE: Final = re.compile(r"sqlite:///[^?\s]+(\?\S*)?|mysql://[^/?\s]*/[^/?\s]+(\?\S*)?")
PROVIDER: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>([a-z0-9-]+\.)*[a-z0-9-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?", re.ASCII
)
THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost"})
PROVIDER_SECRET_LEAST: Final = 16  # characters
FACTOR: Final = re.compile(r"(amr|acr)=([\x21-\x2b\x2d-\x7e]{1,200})", re.ASCII)
PLAIN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Environment:
    """The environment of one start. It remembers the names that were read, so that it can refuse variables that nobody reads."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """Read from ``values``, by default from the environment of the process."""
        self._values = os.environ if values is None else values
        self._asked: set[str] = set()
        self._from_files: dict[str, str] = {}

    def is_given(self, name: str) -> bool:
        """Return whether somebody set the name."""
        return name in self._values or name in self._from_files

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return a value that is one of ``choices``."""
        value = self._given(name, default)
        if value not in choices:
            raise _refused(name, value, f"one of {', '.join(choices)}")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        """Return a value that is exactly ``true`` or ``false``."""
        return self.choice(name, ("true", "false"), "true" if default else "false") == "true"

    def whole_number(self, name: str, *, least: int, most: int, default: int) -> int:
        """Return a whole number within its bounds, written in digits and nothing else."""
        value = self._given(name, str(default))
        if WHOLE.fullmatch(value) is None or not least <= int(value) <= most:
            raise _refused(name, value, f"a whole number from {least} to {most}, in digits")
        return int(value)

    def text(self, name: str, *, most: int, default: str) -> str:
        """Return a text without blanks, of ``most`` characters at most."""
        value = self._given(name, default)
        if PLAIN.fullmatch(value) is None or len(value) > most:
            raise _refused(name, value, f"1 to {most} visible ASCII characters without blanks")
        return value

    def command(self, name: str) -> list[str]:
        """Return a program, by its absolute path, and its words, as a shell takes them apart; empty where none is set."""
        value = self._given(name, "")
        words: list[str] = []
        with suppress(ValueError):
            words = shlex.split(value)
        if value and not (words and Path(words[0]).is_absolute() and value.isprintable() and value == value.strip()):
            raise _refused(name, value, "the absolute path of a program and its words, as in a shell, on one line")
        return words

    def folder(self, name: str, *, default: Path, must_be_absolute: bool) -> Path:
        """Return where something lies; the folder need not be there yet."""
        value = self._given(name, str(default))
        path = Path(value)
        if not value.strip() or value != value.strip() or "\0" in value or (must_be_absolute and not path.is_absolute()):
            raise _refused(name, value, "the absolute path of a folder" if must_be_absolute else "the path of a folder")
        if path.exists() and not path.is_dir():
            raise _refused(name, value, "the path of a folder, and not of a file")
        return path

    def hosts(self, name: str, *, default: list[str], takes_any: bool) -> list[str]:
        """Return host names; a dot in front stands for what lies under a name. ``*``, which is any host, only where ``takes_any``."""
        found = self._listed(name, default)
        for host in found:
            if host == "*" and takes_any:
                continue
            if HOST.fullmatch(host) is None or (host.startswith(".") and "." not in host[1:]):
                raise _refused(
                    name, host, "the names of hosts, separated by commas, such as kakutei.example or .kakutei.example; never *"
                )
        return found

    def receivers(self, name: str) -> list[str]:
        """Return hosts that are sent to, each a name, or a name and the port."""
        found = self._listed(name, [])
        for host in found:
            if RECEIVER.fullmatch(host) is None:
                raise _refused(name, host, "the names of hosts in small letters, separated by commas, each alone or as NAME:PORT")
        return found

    def origins(self, name: str) -> list[str]:
        """Return origins: a scheme, a host and, where it is another than the scheme's own, a port."""
        found = self._listed(name, [])
        for origin in found:
            if ORIGIN.fullmatch(origin) is None:
                raise _refused(name, origin, "origins, separated by commas, such as https://kakutei.example")
        return found

    def secret_key(self, name: str, *, default: str | None) -> str:
        """Return the key that signs sessions. Without a default it must be there, and be one that nobody guesses."""
        value = self._secret(name, default if default is not None else "")
        if default is not None and value:
            return value
        if _is_weak(value):
            raise ImproperlyConfigured(
                f"{name} is {'weak' if value else 'not set'}; it must be {SECRET_KEY_LEAST} or more characters that nobody can guess, such as"
                " what python -c 'import secrets; print(secrets.token_urlsafe(48))' prints. Its value is not shown here."
            )
        return value

    def secret_keys(self, name: str, *, takes_weak: bool) -> list[str]:
        """Return keys that signed before, separated by commas, each such as ``secret_key`` takes; by default none."""
        value = self._secret(name, "")
        found = value.split(",") if value else []
        if len(set(found)) != len(found) or (not takes_weak and any(map(_is_weak, found))) or "" in found:
            raise ImproperlyConfigured(
                f"{name} has a key that is weak, or stands there twice; it must be keys that were the SECRET_KEY, with commas between. Its value is not"
                " shown here."
            )
        return found

    def card_keys(self, name: str, *, default: str, takes_weak: bool) -> dict[str, bytes]:
        """Return the keys that card numbers are hashed with, by name, the newest first: ``NAME:KEY,NAME:KEY``."""
        found: dict[str, bytes] = {}
        value = self._secret(name, default)
        for part in value.split(",") if value else ():
            key_name, _separator, key = part.partition(":")
            is_key = re.fullmatch("[0-9a-f]{64,128}", key) is not None and len(key) % 2 == 0
            if not re.fullmatch("[a-z0-9-]{1,16}", key_name) or not is_key or key_name in found:
                raise ImproperlyConfigured(
                    f"{name} is not NAME:KEY,NAME:KEY, each name once and of up to 16 lower-case letters, digits and hyphens, each key 64 to 128"
                    " hexadecimal digits. Its value is not shown here."
                )
            found[key_name] = bytes.fromhex(key)
        if len(set(found.values())) != len(found):
            raise ImproperlyConfigured(
                f"{name} has one key under two names; each key must stand there once. Its value is not shown here."
            )
        if not takes_weak and any(len(set(key)) < CARD_KEY_DISTINCT for key in found.values()):
            raise ImproperlyConfigured(
                f"{name} has a key that can be guessed, such as one of zeros; each must be what python -c 'import secrets; print(secrets.token_hex(32))'"
                " prints. Its value is not shown here."
            )
        return found

    def provider(self, name: str, *, is_development: bool) -> str:
        """Return the address of a provider of OpenID Connect; empty where none is set. Unencrypted it is on this machine, in development, alone."""
        value = self._given(name, "")
        found = PROVIDER.fullmatch(value)
        is_here = found is not None and found["host"] in THIS_MACHINE and is_development
        if value and (found is None or len(value) > ADDRESS_MOST or not (found["scheme"] == "https" or is_here)):
            raise _refused(name, value, "the https:// address of a provider, as its ID tokens say (iss), without a query")
        return value

    def client(self, name: str) -> str:
        """Return what a provider calls this installation; empty where none is set."""
        value = self._given(name, "")
        return value and self.text(name, most=ADDRESS_MOST, default="")

    def client_secret(self, name: str, *, takes_weak: bool) -> str:
        """Return what a provider is shown by this installation; empty where none is set."""
        value = self._secret(name, "")
        if value and (PLAIN.fullmatch(value) is None or (len(value) < PROVIDER_SECRET_LEAST and not takes_weak)):
            raise ImproperlyConfigured(
                f"{name} is not understood; it must be {PROVIDER_SECRET_LEAST} or more visible ASCII characters without blanks, as a provider gives"
                " them. Its value is not shown here."
            )
        return value

    def refuse_half(self, *names: str) -> None:
        """Refuse names of which some are set and some not: half of them would be a way to sign in that is there and fails."""
        missing = [name for name in names if not self._given(name, "")]
        if 0 < len(missing) < len(names):
            raise ImproperlyConfigured(
                f"{' and '.join(missing)} must be set, since not all of {', '.join(names)} are; or set none of them."
            )

    def factors(self, name: str, *, only_with: str) -> list[tuple[str, str]]:
        """Return what a provider says where it asked for a second factor: pairs of ``amr`` or ``acr`` and a value of it. None without a provider."""
        found = []
        for part in self._listed(name, []):
            match = FACTOR.fullmatch(part)
            if match is None or match.groups() in found or not self._given(only_with, ""):
                raise _refused(name, part, f"amr=VALUE or acr=VALUE, separated by commas, each once, where {only_with} is set")
            found.append((match[1], match[2]))
        return found

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """Return what an address of a database says, as Django's settings name it."""
        value = self._secret(name, default)
        found: dict[str, Any] | None = None
        if DATABASE.fullmatch(value) is not None:
            with suppress(ImproperlyConfigured, ValueError, KeyError):
                found = _encrypted(environ.Env.db_url_config(value))
        if found is None:
            raise ImproperlyConfigured(
                f"{name} is not understood; it must be sqlite:///PATH or mysql://USER:PASSWORD@HOST:PORT/NAME (MySQL or MariaDB). Its value, which"
                " may hold a password, is not shown here."
            )
        return found

    def refuse_unknown(self) -> None:
        """Refuse names of Kakutei that nobody has asked for: a setting with a slip in its name would be one that is not there."""
        known = sorted(name for name in self._asked if name.startswith(PREFIX))
        for name in sorted(self._values):
            if name.startswith(PREFIX) and name not in self._asked and OF_TESTS.fullmatch(name) is None:
                raise ImproperlyConfigured(
                    f"{name} is set, and no setting of that name is known; unset it, or write one of {', '.join(known)}."
                )

    def _given(self, name: str, default: str) -> str:
        self._asked.add(name)
        return self._from_files[name] if name in self._from_files else self._values.get(name, default)

    def _secret(self, name: str, default: str) -> str:
        """Return what is secret: of the environment, or of the file that ``NAME_FILE`` names, without the end of its line."""
        place = self._given(f"{name}_FILE", "")
        if place or f"{name}_FILE" in self._values:
            if name in self._values:
                raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; unset one of them. Neither is shown here.")
            self._from_files[name] = _read(f"{name}_FILE", place)
        return self._given(name, default)

    def _listed(self, name: str, default: Iterable[str]) -> list[str]:
        value = self._given(name, ",".join(default))
        return value.split(",") if value else []


def _read(name: str, place: str) -> str:
    what = "the absolute path of a file that this process may read, of one line in ASCII"
    if not Path(place).is_absolute():
        raise _refused(name, place, what)
    try:
        with Path(place).open(encoding="ascii", newline="") as file:
            text = file.read(SECRET_FILE_MOST)
    except (OSError, ValueError) as error:
        raise _refused(name, place, what) from error
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line or "\r" in line or len(text) == SECRET_FILE_MOST:
        raise _refused(name, place, what)
    return line


def _encrypted(found: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a database with what its address says of encryption in the form that its driver takes.

    :raises ValueError: it says something that is none
    """
    options = found.get("OPTIONS", {})
    files = {part: str(options.pop(f"ssl_{part}")) for part in SSL_FILES if f"ssl_{part}" in options}
    if any(not Path(place).is_absolute() for place in files.values()) or options.get("ssl_mode", SSL_MODES[0]) not in SSL_MODES:
        raise ValueError
    if files:
        options.setdefault("ssl_mode", SSL_MODES[-1])
        options["ssl"] = files
    return found


def _is_weak(key: str) -> bool:
    return len(key) < SECRET_KEY_LEAST or len(set(key)) < SECRET_KEY_DISTINCT or key.startswith("django-insecure-")


def _refused(name: str, value: str, what_passes: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}; it must be {what_passes}.")
