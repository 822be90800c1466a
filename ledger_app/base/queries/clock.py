"""What time it is, by the one clock that all hosts have in common: the database's.

Hosts have clocks of their own, which differ. So doors ask here what they give to operations: what one host wrote, a lease or a sign of life,
another host holds against its own "now".
Anyone who waits for a lock asked before it was written. So an instant that a report may be bound to (when a posting was written, when a seal was)
is asked for under the locks, and never before the last one that was given.
"""

from datetime import UTC, datetime

from django.db import connection

# SQLite's clock tells thousandths of a second.
NOW = {
    "mysql": "SELECT UTC_TIMESTAMP(6), MAX(posted_at) FROM ledger_app_posting",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'now'), MAX(posted_at) FROM ledger_app_posting",
}
# To millionths of a second on both: SQLite's runs within this process, on this host's clock.
READ = "SELECT UTC_TIMESTAMP(6)"


def read() -> datetime:
    """Return the database's time. It reads no row, so that no transaction's view of the tables begins with it."""
    if connection.vendor == "sqlite":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return _aware(cursor.fetchone()[0])


def now() -> datetime:
    """Return the time; that of the last posting where the database's clock was set back behind it."""
    with connection.cursor() as cursor:
        cursor.execute(NOW[connection.vendor])
        instants = [_aware(value) for value in cursor.fetchone() if value is not None]
    return max(instants)


def _aware(value: datetime | str) -> datetime:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.replace(tzinfo=UTC)
