"""Ingestion in the admin: what came in, what became of it, and the buttons of batches. Nothing here writes."""

from config.doors.admin import at_work
from ingestion_app.admin import batches, parts, sources, working

__all__ = ["batches", "parts", "sources"]

at_work.register(working.shown)
