"""Ingestion in the API."""
