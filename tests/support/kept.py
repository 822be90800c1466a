"""What many tests begin with is built once: each of them runs in a savepoint over it, and finds it as it was built.

A test says by its fixtures what it stands on. Before it begins, what another test stood on is rolled back, and its own is built, unless it
stands already. A test that commits for itself stands on nothing: what it asks for is built for it alone.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import override_settings

COMMITS = {"transactional_db", "live_server", "django_db_reset_sequences"}


@dataclass(frozen=True, eq=False)
class Ground:
    """What tests stand on. ``make`` takes the folder of files and returns an object; ``over`` is what ``make`` begins with."""

    make: Callable[[Path], Any]
    over: "Ground | None" = None

    def holds(self, other: "Ground") -> bool:
        """Whether what stands on this stands on the other, too."""
        return self is other or (self.over is not None and self.over.holds(other))


class Standing:
    """The ground that stands in this process, in a transaction that is never committed."""

    def __init__(self) -> None:
        self.ground: Ground | None = None
        self.made: Any = None
        self.folder = Path()
        self.books = 0
        self.atomic: Any = None
        self.given_to: pytest.Item | None = None
        self.given: Any = None

    def before(self, item: pytest.Item, folders: pytest.TempPathFactory) -> None:
        """Have the ground of a test stand, and no other."""
        wanted = wanted_by(item)
        if self.ground is not None and (wanted is not self.ground or not self.is_whole()):
            self.end()
        if wanted is not None and self.ground is None:
            self.begin(wanted, folders.mktemp("ground"))

    def begin(self, ground: Ground, folder: Path) -> None:
        """Build a ground."""
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True  # what is durable may begin over it
        self.atomic.__enter__()
        self.ground, self.folder = ground, folder / "files"
        with override_settings(KAKUTEI_FILES_DIR=self.folder):
            self.made = ground.make(self.folder)
        connection.run_on_commit.clear()
        self.books = books()

    def end(self) -> None:
        """Roll the ground back."""
        if self.ground is None:
            return
        if connection.connection is not None:
            transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.ground = self.made = self.atomic = self.given_to = self.given = None

    def is_whole(self) -> bool:
        """Whether no test has ended the transaction: some errors end it, and so does a connection that is closed."""
        return connection.in_atomic_block and not connection.needs_rollback and connection.is_usable() and books() == self.books

    def hand(self, ground: Ground, item: pytest.Item, folder: Path) -> Any:
        """Return a copy of what stands, one for a test; or build it, where the test does not stand on it."""
        if self.ground is None or not self.ground.holds(ground):
            return ground.make(folder)
        if self.given_to is not item:
            if self.folder.exists():
                shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            self.given_to, self.given = item, copy.deepcopy(self.made)
            if hasattr(self.given, "directory"):
                self.given.directory = folder
        return self.given


standing = Standing()


def fixture(made_by: Ground | Callable[[Path], Any]) -> Any:
    """Return the fixture of a ground, or of what a function makes: over it, too, a test runs in a savepoint."""
    ground = made_by if isinstance(made_by, Ground) else Ground(made_by)

    def given(request: pytest.FixtureRequest, db: None, files_dir: Path) -> Any:
        return standing.hand(ground, request.node, files_dir)

    given.ground = ground  # type: ignore[attr-defined]  # by which a test is asked what it stands on
    return pytest.fixture(given)


def wanted_by(item: pytest.Item) -> Ground | None:
    """Return the ground that a test stands on; None where it commits, or asks for two of which none holds the other."""
    mark = item.get_closest_marker("django_db")
    if COMMITS & set(item.fixturenames) or (mark is not None and mark.kwargs.get("transaction")):  # type: ignore[attr-defined]
        return None
    found = set(grounds_of(item))
    return next((each for each in found if all(each.holds(other) for other in found)), None)


def grounds_of(item: pytest.Item) -> Iterator[Ground]:
    """Yield the ground of each fixture of a test that has one."""
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():  # type: ignore[attr-defined]
        for each in reversed(definitions):
            ground = getattr(each.func, "ground", None)
            if ground is not None:
                yield ground
            if name not in each.argnames:
                break  # it stands in the place of those that are less near


def books() -> int:
    """Return the number of books, which tells whether the ground stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM ledger_app_book")
        number: int = cursor.fetchone()[0]
        return number
