"""Where the drill takes place: a private server with a world in it, copied as often as a database is needed."""

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tests import mariadb, servers
from tests.faults import processes
from tests.support import world as worlds

MEMBERS, CHUNK_RECORDS = 30, 15
HOT_MEMBER, HOT_EVERY = "1001", 5
LEASE_SECONDS = 1


@dataclass(frozen=True)
class Site:
    """One database of the server and the folder with its files: where a command runs."""

    server: servers.Server
    database: str
    directory: Path

    def enter(self, port: int | None = None) -> None:
        """Have this process, which is a child, and those that it starts work here, by way of ``port`` where one is given."""
        port = port or self.server.port
        url = f"mysql://{servers.USER}:{self.server.password}@127.0.0.1:{port}/{self.database}"
        os.environ.update(DATABASE_URL=url, KAKUTEI_FILES_DIR=str(self.directory), KAKUTEI_LEASE_SECONDS=str(LEASE_SECONDS))
        settings.KAKUTEI_FILES_DIR = self.directory
        settings.KAKUTEI_LEASE_SECONDS = LEASE_SECONDS
        # As the settings make it of the lease: the server ends a session that idles longer within a transaction.
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = re.sub(r"(?<=transaction_timeout=)\d+", str(LEASE_SECONDS), options["init_command"])
        connection.settings_dict.update(
            HOST="127.0.0.1", PORT=port, USER=servers.USER, PASSWORD=self.server.password, NAME=self.database
        )


@dataclass(frozen=True)
class Ground:
    """The server, and its first database as it was when the world had been built, as SQL."""

    server: servers.Server
    directory: Path
    built: bytes

    def site(self, name: str, statements: Sequence[str] = ()) -> Site:
        """Return a new database, which holds the world as it was built, and in which ``statements`` were carried out."""
        made = f"SET foreign_key_checks = 0; CREATE OR REPLACE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        client(self.server, "mariadb", given=made.encode())
        client(self.server, "mariadb", name, given=self.built)
        client(self.server, "mariadb", name, given=";\n".join(statements).encode())
        directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))
        return Site(self.server, name, directory)


@contextmanager
def prepared(directory: Path) -> Iterator[Ground]:
    """Start a server, migrate, and build the world. What a killed server had written lies in the system's memory either way."""
    with servers.private_server(mariadb.ENGINE, servers.in_memory()) as server:
        site = Site(server, servers.DATABASE, directory / "built")
        processes.result_of(lambda: build(site))
        yield Ground(server, directory, client(server, "mariadb-dump", "--single-transaction", servers.DATABASE))


def build(site: Site) -> None:
    """Build the world, in a child."""
    site.enter()
    call_command("migrate", verbosity=0)
    worlds.build(site.directory, members=MEMBERS, chunk_records=CHUNK_RECORDS)


def client(server: servers.Server, command: str, *arguments: str, given: bytes = b"") -> bytes:
    """Run one of the server's own client programs and return what it prints."""
    signed = [command, f"--socket={server.socket}", f"--user={servers.USER}"]
    environment = {**os.environ, "MYSQL_PWD": server.password}
    done = subprocess.run([*signed, *arguments], input=given, env=environment, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode()}")
    return done.stdout


def file_of(number: int, chance: random.Random, records: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the file with this number: its slips are its own, its amounts by chance.

    One member has more records than a chunk holds, so that he has chunks of his own, which are applied one after the other.
    """
    purchases = [
        purchase._replace(
            member=HOT_MEMBER if place % HOT_EVERY == 0 else purchase.member,
            slip=f"f{number}-{purchase.slip}",
            amount=str(chance.randrange(1, 20_000)),
        )
        for place, purchase in enumerate(worlds.many(records, MEMBERS))
    ]
    return f"till-2017-01-31-{number}.csv", worlds.card_file(purchases, sequence=number)
