"""Queries of adjustments: they read, and write nothing."""
