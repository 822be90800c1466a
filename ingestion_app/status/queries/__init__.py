"""Queries of the status of batches: they read, and write nothing."""
