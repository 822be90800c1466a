"""Queries of sources: they read, and write nothing."""
