"""Batches that look wrong: files of a till, each like the one before, and then one that is not."""

from datetime import date, timedelta

from ingestion_app.models import Batch
from ingestion_app.sources import operations as sources
from tests.support import world as worlds
from tests.support.world import Purchase, World, card_file

# Of files so small nothing but the number of the records and their sum is of a size that says something.
SHAPE = """
[shape]
earlier_least = 1
records_least = 8
psi_note = 10000
psi_alert = 10000
psi_unusual = 10000
value_permille = 1000
repeated_permille = 1000
"""
FIRST = date(2017, 2, 6)


def purchases(number: int, records: int = 12) -> list[Purchase]:
    """Return records of their own keys: the same members and shops each week, other amounts."""
    day = FIRST + timedelta(weeks=number)
    return [
        Purchase(
            str(1001 + place % 5),
            worlds.SHOPS[place % 2],
            f"w{number}-{place}",
            str(200 + 7 * place + number),
            f"{day}T10:00:00Z",
        )
        for place in range(records)
    ]


def file_of(number: int, records: int = 12) -> tuple[bytes, str]:
    """Return a file of the week ``number``, and the name that it has."""
    day = FIRST + timedelta(weeks=number)
    return card_file(purchases(number, records), day=day), f"till-{day}-1.csv"


def with_earlier(world: World, weeks: int = 2) -> None:
    """Have files in the ledger that later ones are held against."""
    sources.load(text=worlds.definition() + SHAPE, caller=world.caller())
    for week in range(weeks):
        content, name = file_of(week)
        world.applied(content, name=name)


def alerted(world: World, week: int = 2) -> Batch:
    """Return a validated batch of three times as many records as is usual."""
    if not Batch.objects.filter(state="applied", source_version__text__contains="[shape]").exists():
        with_earlier(world, week)
    content, name = file_of(week, records=36)
    return world.validated(content, name=name)
