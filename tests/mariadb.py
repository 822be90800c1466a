"""A private MariaDB: how it is found, set up and started. What a private server does is in ``tests/servers.py``.

``python -m tests.mariadb [--quiet] -- COMMAND ARGUMENT...`` runs a command on one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import servers

APT_INSTALL = Path(__file__).resolve().parent.parent / ".ci" / "apt-install"


def find() -> str:
    """Return the path of the server, installing it by apt when it is missing and this is root.

    :raises servers.Unavailable: where it is missing and cannot be installed
    """
    # Debian keeps it in sbin, which is not on every user's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for is_last_look in (False, True):
        found = shutil.which("mariadbd", path=path)
        if found is not None and shutil.which("mariadb-install-db") is not None:
            return found
        if is_last_look:
            break
        outcome = subprocess.run(["bash", str(APT_INSTALL), "mariadb-server"], stdin=subprocess.DEVNULL, check=False)
        if outcome.returncode != 0:
            break
    raise servers.Unavailable("MariaDB is not installed: as root, apt-get install -y --no-install-recommends mariadb-server.")


ENGINE = servers.Engine(
    name="MariaDB",
    find=find,
    installer="mariadb-install-db",
    installer_options=("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"),
    options=(
        "--binlog-format=ROW",
        "--binlog-annotate-row-events=OFF",
        "--innodb-log-file-size=1G",
    ),
    no_other_user=(
        f"DELETE FROM mysql.global_priv WHERE User NOT IN ('mariadb.sys', '{servers.USER}')",
        "FLUSH PRIVILEGES",
    ),
)


if __name__ == "__main__":
    sys.exit(servers.main(ENGINE, sys.argv[1:]))
