"""A process is known by a name of its own: neither its number nor its host's name says who it is."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from ingestion_app.batches.operations import workers as signs
from ingestion_app.batches.queries import workers
from ingestion_app.batches.queries.workers import is_dead, known, this_host, this_instance, worker_name
from ingestion_app.models import Worker
from ledger_app.base.queries import clock

HOST, NUMBER = this_host(), os.getpid()
PLACE, STARTED, RANDOM = this_instance().split(".")


@pytest.fixture
def ended() -> int:
    """The number of a process that was there and has ended."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True).stdout)


def name(number: int, place: str = PLACE, started: str = STARTED, host: str = HOST) -> str:
    return f"{host}:{number}/3/{place}.{started}.ffffffff"


def test_this_process_is_there_under_its_own_name():
    assert not is_dead(worker_name(3))
    assert workers.is_here(NUMBER, this_instance())
    assert len(worker_name(10**10)) < 120


def test_a_process_that_has_ended_is_gone(ended):
    assert is_dead(name(ended))


def test_a_number_that_was_given_again_is_another_process():
    before = str(int(STARTED) - 1)
    assert is_dead(name(NUMBER, started=before)), "its number is there, and started later than it did"
    assert not workers.is_here(NUMBER, f"{PLACE}.{before}.ffffffff")


@pytest.mark.parametrize("place", ["00000000", "", "x"])
def test_of_a_process_that_counts_elsewhere_nothing_is_certain_whatever_its_host_is_called(ended, place):
    assert not is_dead(name(ended, place=place)), (
        "containers share the name of their host, and number their processes each for itself"
    )
    assert not is_dead(name(NUMBER, place=place))
    assert not workers.is_here(NUMBER, f"{place}.{STARTED}.{RANDOM}")


def test_a_host_of_another_name_that_is_this_machine_is_seen(ended):
    assert is_dead(name(ended, host="another-name"))
    assert not is_dead(name(NUMBER, host="another-name"))


def test_of_a_name_without_an_instance_nothing_is_certain(ended):
    assert not is_dead(f"{HOST}:{ended}/3")


def test_a_process_that_came_of_a_fork_has_a_name_of_its_own():
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, this_instance().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told_by_child:
        assert told_by_child.read().decode() not in {"", this_instance()}


def beat(instance: str, seconds_ago: float, kind: str = "worker") -> None:
    at = clock.read() - timedelta(seconds=seconds_ago)
    signs.beat(kind=kind, instance=instance, host="far", process=7, at=at)


@pytest.mark.django_db
def test_a_worker_of_any_host_that_died_is_seen_within_a_minute():
    beat("00000000.1.aaaaaaaa", 60 - signs.BEAT.total_seconds())
    beat("00000000.1.bbbbbbbb", signs.BEAT.total_seconds() + 5)
    assert {each.worker.instance: each.is_dead for each in known()} == {"00000000.1.aaaaaaaa": True, "00000000.1.bbbbbbbb": False}
    assert workers.is_any_worker_there()
    beat("00000000.1.bbbbbbbb", 60)
    assert not workers.is_any_worker_there()


@pytest.mark.django_db
def test_a_process_that_is_seen_from_here_to_be_gone_is_dead_at_once():
    signs.beat(kind="worker", instance=f"{PLACE}.1.cccccccc", host=HOST, process=NUMBER, at=clock.read())
    assert [each.is_dead for each in known()] == [True]


@pytest.mark.django_db
def test_one_that_ended_in_order_is_not_told_of_and_forgotten_in_a_day():
    beat("00000000.1.aaaaaaaa", 5)
    signs.end(instance="00000000.1.aaaaaaaa", at=clock.read())
    assert known() == []
    Worker.objects.update(ended_at=clock.read() - timedelta(days=2))
    signs.end(instance="another", at=clock.read())
    assert not Worker.objects.exists()


@pytest.mark.django_db
def test_one_that_comes_back_after_the_database_was_away_is_there_again():
    beat("00000000.1.aaaaaaaa", 300)
    assert [each.is_dead for each in known()] == [True]
    beat("00000000.1.aaaaaaaa", 0)
    assert [each.is_dead for each in known()] == [False]
    assert Worker.objects.count() == 1
