"""A private MySQL: how it is found, set up and started. What a private server does is in ``tests/servers.py``.

``python -m tests.mysql [--quiet] -- COMMAND ARGUMENT...`` runs a command on one. The server is that of this machine, or the one that
``.ci/get-mysql`` unpacks beside the installed packages, for Debian stable has none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import servers

TOP = Path(__file__).resolve().parent.parent
GET = TOP / ".ci" / "get-mysql"
UNPACKED = TOP / ".venv" / ".mysql"


def here() -> str | None:
    """Return the path of the server where this machine has one; a ``mysqld`` that is MariaDB's is none."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for found in (shutil.which("mysqld", path=path), shutil.which("mysqld", path=str(UNPACKED))):
        if found is not None:
            version = subprocess.run([found, "--no-defaults", "--version"], capture_output=True, check=False)
            if version.returncode == 0 and b"MariaDB" not in version.stdout:
                return found
    return None


def find() -> str:
    """Return the path of the server, unpacking it where this machine has none.

    :raises servers.Unavailable: where it cannot be had
    """
    found = here()
    if found is None:
        outcome = subprocess.run(["bash", str(GET), str(UNPACKED)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if outcome.returncode != 0:
            raise servers.Unavailable(outcome.stderr.decode(errors="replace").strip())
        found = here()
    if found is None:
        raise servers.Unavailable("MySQL cannot be had here: what was unpacked does not run.")
    return found


ENGINE = servers.Engine(
    name="MySQL",
    find=find,
    installer=None,
    installer_options=("--initialize-insecure",),
    options=(
        "--mysqlx=OFF",
        "--secure-file-priv=NULL",
        "--innodb-redo-log-capacity=1G",
        # As MariaDB has it, where nobody set it.
        "--performance-schema=OFF",
    ),
    no_other_user=("DROP USER IF EXISTS root@localhost",),
)


if __name__ == "__main__":
    sys.exit(servers.main(ENGINE, sys.argv[1:]))
