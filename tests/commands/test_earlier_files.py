"""Anyone who validates at a terminal reads what the file was held against, as on the batch's page."""

import pytest

from tests.commands.conftest import Run
from tests.support.alerted import alerted
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_validation_says_against_how_many_earlier_files_it_held_one(world: World, run: Run) -> None:
    first = run("validate", world.receive().pk)
    assert "earlier files: held against none: there are fewer than 4 comparable ones" in first.out
    assert "earlier files: held against 2 comparable ones" in run("validate", alerted(world).pk, "--again").out
