"""Signs of life: a row for each process that works, so that one that died is seen from every host."""

from datetime import timedelta
from functools import partial

from django.db.models.functions import Now

from ingestion_app.models import Worker
from ingestion_app.queries import workers
from ledger_app.operations import transactions

BEAT = timedelta(seconds=10)


def beat(*, kind: str, instance: str, host: str, process: int) -> None:
    """Write down that a process is there, by the database's clock; the first time, that it began.

    :raises TryAgain: when the database is busy or away
    """
    transactions.run(partial(_beat, kind, instance, host, process))


def end(*, instance: str) -> None:
    """Write down that a process ended in order, and forget those that nobody asks about any more.

    :raises TryAgain: when the database is busy or away
    """

    def work() -> None:
        Worker.objects.filter(instance=instance).update(seen_at=Now(), ended_at=Now())
        Worker.objects.filter(workers.over()).delete()

    transactions.run(work)


def _beat(kind: str, instance: str, host: str, process: int) -> None:
    if Worker.objects.filter(instance=instance).update(seen_at=Now(), ended_at=None):
        return
    Worker.objects.create(kind=kind, instance=instance, host=host[:64], process=process, started_at=Now(), seen_at=Now())
