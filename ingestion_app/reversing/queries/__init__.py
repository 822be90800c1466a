"""Queries of the reversal of batches: they read, and write nothing."""
