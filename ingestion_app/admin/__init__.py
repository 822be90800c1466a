"""Ingestion in the admin: what came in, what became of it, and the buttons of batches. Nothing here writes."""

from ingestion_app.admin import audit_words, batches, front, parts, sources

__all__ = ["audit_words", "batches", "front", "parts", "sources"]
