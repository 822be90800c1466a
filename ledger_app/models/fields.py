"""Columns of the ledger's own kinds."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger_app.errors.stored import translated

if TYPE_CHECKING:
    # Generic for the type checker alone: the class itself takes no parameters.
    Bytes = models.BinaryField[Any, Any]
    Json = models.JSONField[Any, Any]
    EightBytes = models.BigIntegerField[Any, Any]
else:
    Bytes = models.BinaryField
    Json = models.JSONField
    EightBytes = models.BigIntegerField


class DigestField(Bytes):
    """A SHA-256 as 32 raw bytes: half the width of its hexadecimal text, in a column of fixed size that an index can cover."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fix the width at 32 bytes."""
        kwargs["max_length"] = 32
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the column type: ``binary(32)``, where the database has it."""
        return "binary(32)" if connection.vendor == "mysql" else super().db_type(connection)


class KeyField(EightBytes):
    """A primary key of eight bytes that the writer makes. On SQLite it is the row's own number, as only a key of type INTEGER is there."""

    def __init__(self, **options: Any) -> None:
        """Be the primary key."""
        super().__init__(**{**options, "primary_key": True})

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the column's type."""
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class ReasonsField(Json):
    """Reasons of a refusal, written as ``errors.stored.stored`` gives them and read in the active language. In the database it is JSON."""

    def deconstruct(self) -> Any:
        """Return what migrations know it as."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.JSONField", arguments, options

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """Return the reasons, each told in the active language."""
        found = super().from_db_value(value, expression, connection)
        return [translated(each) for each in found] if isinstance(found, list) else found
