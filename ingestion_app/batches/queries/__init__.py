"""Queries of batches: they read, and write nothing."""
