"""Signs of life: a row for each process that works, so that one that died is seen from every host."""

from datetime import datetime, timedelta
from functools import partial

from ingestion_app.batches.queries import workers
from ingestion_app.models import Worker
from ledger_app.base.operations import transactions

BEAT = timedelta(seconds=10)


def beat(*, kind: str, instance: str, host: str, process: int, at: datetime) -> None:
    """Write down that a process is there; the first time, that it began. ``at`` is the database's time, one for all hosts.

    :raises TryAgain: when the database is busy or away
    """
    transactions.run(partial(_beat, kind, instance, host[:64], process, at))


def end(*, instance: str, at: datetime) -> None:
    """Write down that a process ended in order, and forget those that nobody asks about any more.

    :raises TryAgain: when the database is busy or away
    """

    def work() -> None:
        Worker.objects.filter(instance=instance).update(seen_at=at, ended_at=at)
        Worker.objects.filter(workers.over()).delete()

    transactions.run(work)


def _beat(kind: str, instance: str, host: str, process: int, at: datetime) -> None:
    if not Worker.objects.filter(instance=instance).update(kind=kind, seen_at=at, ended_at=None):
        Worker.objects.create(kind=kind, instance=instance, host=host, process=process, started_at=at, seen_at=at)
