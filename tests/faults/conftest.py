"""Where the tests of the drill take place: a server of their own, since it is killed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.drill import Drill
from tests.faults.ground import Ground, prepared
from tests.faults.tally import Tally, Wanted

NOTHING = {"kills": 0, "cuts": 0, "stops": 0, "deadlocks": 0, "together": 0, "rivals": 0, "pools": 0, "everywhere": False}


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Ground]:
    """Prepare a server with a world in it, once for all tests."""
    here = prepared(tmp_path_factory.mktemp("drill"))
    with django_db_blocker.unblock():
        prepared_ground = here.__enter__()
    try:
        yield prepared_ground
    finally:
        here.__exit__(None, None, None)


@pytest.fixture
def drill(ground: Ground, django_db_blocker: DjangoDbBlocker) -> Callable[..., Tally]:
    """Return the drill: its children may connect to their own server, as this process never does."""

    def run(*, seed: int, fault: str = "", **wanted: Any) -> Tally:
        with django_db_blocker.unblock():
            tally = Drill(ground=ground, seed=seed, wanted=Wanted(**{**NOTHING, **wanted}), fault=fault).run()
        print("\n".join(tally.lines()))
        return tally

    return run
