"""Reads the books as they are at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

BEGIN = {
    "mysql": ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
    # Deferred, and not IMMEDIATE as everywhere else: a report must not keep the one writer waiting.
    "sqlite": ("BEGIN DEFERRED",),
}


@contextmanager
def snapshot() -> Iterator[None]:
    """Have all reads within see one and the same state of the books, while others go on writing.

    Inside a transaction that is open already, its own view is what is read.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        for statement in BEGIN[connection.vendor]:
            cursor.execute(statement)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
