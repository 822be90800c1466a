"""Queries of decisions on batches: they read, and write nothing."""
