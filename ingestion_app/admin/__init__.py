"""Ingestion in the admin: what came in, what became of it, and the buttons of batches. Nothing here writes."""

from ingestion_app.admin import batches, parts, sources

__all__ = ["batches", "parts", "sources"]
