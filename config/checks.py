"""System checks: what would let wrong data in is an error before the first request."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name
from django.db import connections
from django.utils import timezone

from config import disks
from config.starting import is_own_machine

# What the name of a key begins with that tells when it was made; and for how many months one is the newest at most.
MONTH: Final = re.compile("([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
KEY_MONTHS_MOST: Final = 24


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The server compares text byte by byte, refuses what does not fit, and works at the isolation that the locks are written for."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "mysql":
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@collation_database, @@SESSION.sql_mode, @@GLOBAL.local_infile")
            collation, mode, local_infile = cursor.fetchone()
            # Called so or so, depending on the server and its age.
            cursor.execute("SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')")
            isolations = {str(isolation) for _, isolation in cursor.fetchall()}
            cursor.execute("SELECT @@datadir")
            (folder,) = cursor.fetchone()
        # A server in a container is reached by the loopback, and its folder is none of this system's.
        if not settings.IS_DEVELOPMENT and _is_of_this_machine(connection.settings_dict) and Path(folder).is_dir():
            found += _of_disk(Path(folder))
        if not collation.startswith("utf8mb4") or not collation.endswith("_bin"):
            found.append(
                Error(
                    f"The database compares text by {collation}: references that differ in case alone would be taken for one.",
                    hint="ALTER DATABASE … CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, before the first migrate.",
                    id="kakutei.E001",
                )
            )
        if "STRICT_ALL_TABLES" not in mode:
            found.append(Error("The session is not strict: values that do not fit would be cut.", id="kakutei.E002"))
        if "NO_BACKSLASH_ESCAPES" in mode:
            # Texts of rows that are written in bulk are escaped for a session like ours (ledger_app.base.operations.bulk).
            found.append(Error("The session takes backslashes as they are: a text could end before its end.", id="kakutei.E004"))
        if isolations != {"READ-COMMITTED"}:
            found.append(
                Error(
                    f"The session works at {', '.join(sorted(isolations))}: what is read after a wait for a lock could be old.",
                    hint="Take isolation_level out of DATABASE_URL: Kakutei sets READ COMMITTED itself.",
                    id="kakutei.E003",
                )
            )
        if local_infile:
            found.append(
                Warning(
                    "local_infile is on.",
                    hint="Turn it off: loading files so turns wrong values into right ones.",
                    id="kakutei.W001",
                )
            )
    return found


@register(Tags.security, deploy=True)
def check_deployment(**_kwargs: Any) -> list[CheckMessage]:
    """What is deployed says what it is for, and for which hosts. What else would be unsafe stops the start itself."""
    found: list[CheckMessage] = []
    if settings.IS_DEVELOPMENT:
        found.append(
            Error(
                "KAKUTEI_ENVIRONMENT is development, where keys that everybody knows are taken.",
                hint="Set it to staging or production.",
                id="kakutei.E010",
            )
        )
    elif not settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS is not set: every request would be refused.",
                hint="Set it to the names of this server's hosts, separated by commas.",
                id="kakutei.E011",
            )
        )
    if not settings.KAKUTEI_CARD_KEYS:
        found.append(
            Warning(
                "KAKUTEI_CARD_KEYS is not set: card numbers are refused.", hint="See docs/configuration.md.", id="kakutei.W010"
            )
        )
    if (scanner := settings.KAKUTEI_SCANNER) and not os.access(scanner[0], os.X_OK):
        found.append(
            Error(
                f"KAKUTEI_SCANNER names {scanner[0]}, which cannot be run: no file would be taken.",
                hint="Install it, or unset KAKUTEI_SCANNER.",
                id="kakutei.E015",
            )
        )
    return [*found, *_of_signing_in(), *_of_the_database(), *_of_keys(), *_of_disk(settings.KAKUTEI_FILES_DIR)]


def _of_the_database() -> list[CheckMessage]:
    """What goes to a database on another host is encrypted, and that host shows who it is."""
    database = settings.DATABASES["default"]
    asks = database.get("OPTIONS", {}).get("ssl_mode") in {"VERIFY_CA", "VERIFY_IDENTITY"}
    if not database["ENGINE"].endswith("mysql") or _is_of_this_machine(database) or asks:
        return []
    return [
        Error(
            f"The database is on another host, {database['HOST']}, and nothing asks it to encrypt and to show who it is: what is read and written could be"
            " read and changed on the way.",
            hint="Add ?ssl_mode=VERIFY_IDENTITY&ssl_ca=PATH to DATABASE_URL.",
            id="kakutei.E014",
        )
    ]


def _is_of_this_machine(database: Mapping[str, Any]) -> bool:
    """Return whether the server of a database runs here. Without a host, or by a path, the driver takes the socket of this machine."""
    host = str(database.get("HOST", ""))
    return not host or is_own_machine(f"{host}:0")


def _of_keys() -> list[CheckMessage]:
    """A key that is named after the month in which it was made tells how long it serves."""
    today = timezone.now().date()
    found: list[CheckMessage] = []
    for setting in ("KAKUTEI_CARD_KEYS", "KAKUTEI_FACTOR_KEYS"):
        name = next(iter(getattr(settings, setting)), "")
        made = MONTH.match(name)
        months = (today.year - int(made[1])) * 12 + today.month - int(made[2]) if made else 0
        if months > KEY_MONTHS_MOST:
            found.append(
                Warning(
                    f"The newest key of {setting}, {name}, serves since {months} months, and {KEY_MONTHS_MOST} are the most.",
                    hint="Put another in front of it (docs/security.md, “Keys and algorithms”).",
                    id="kakutei.W014",
                )
            )
    return found


def _of_disk(folder: Path) -> list[CheckMessage]:
    """What the books rest on lies encrypted; where the system tells that it does not, that is told."""
    if disks.is_encrypted(folder) is not False:
        return []
    return [
        Warning(
            f"{folder} lies on a device that this system does not encrypt: anyone who has the disk reads the books.",
            hint="Put it on one that is (LUKS), unless what lies below encrypts; docs/runbooks/production-on-mariadb.md, “The disks”.",
            id="kakutei.W015",
        )
    ]


def _of_signing_in() -> list[CheckMessage]:
    """Warn a deployment that lets people decide without a second factor, or without showing it again."""
    found: list[CheckMessage] = []
    if settings.KAKUTEI_SECOND_FACTOR == "voluntary":
        found.append(
            Warning(
                "KAKUTEI_SECOND_FACTOR is voluntary: a password that was seen is enough to decide.",
                hint="Set it to deciders or everyone.",
                id="kakutei.W011",
            )
        )
    if not settings.KAKUTEI_STEP_UP_MINUTES:
        found.append(
            Warning(
                "KAKUTEI_STEP_UP_MINUTES is 0: anyone who finds a screen open can decide.",
                hint="Set it to the minutes for which it counts that somebody showed who they are, such as 10.",
                id="kakutei.W012",
            )
        )
    if not settings.KAKUTEI_FACTOR_KEYS:
        message = "KAKUTEI_FACTOR_KEYS is not set: apps with codes cannot be added, and anyone who has no passkey cannot set a second factor up."
        kind = Warning if settings.KAKUTEI_SECOND_FACTOR == "voluntary" else Error
        found.append(kind(message, hint="See docs/configuration.md.", id="kakutei.E012" if kind is Error else "kakutei.W013"))
    if settings.KAKUTEI_OIDC_ISSUER and not settings.SECURE_SSL_REDIRECT:
        found.append(
            Error(
                "KAKUTEI_OIDC_ISSUER is set and KAKUTEI_HTTPS is false: what the provider sends a browser back with could be read on the way.",
                hint="Set KAKUTEI_HTTPS to true, or take the three KAKUTEI_OIDC settings away.",
                id="kakutei.E013",
            )
        )
    return found
